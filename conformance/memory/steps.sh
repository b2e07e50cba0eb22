insmod allocate.ko
rmmod allocate
lsmod
