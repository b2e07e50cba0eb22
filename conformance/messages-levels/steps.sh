insmod levels.ko
rmmod levels
insmod levels.ko
rmmod levels
