# A call to an address where nothing is.
insmod wild-jump.ko
lsmod
cat /proc/modules
rmmod wild_jump
cat /proc/sys/kernel/tainted
