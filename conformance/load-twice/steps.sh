insmod hello.ko
insmod hello.ko
lsmod
rmmod hello
rmmod hello
rmmod never-there
