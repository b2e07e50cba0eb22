insmod delays.ko
rmmod delays
