# A user address read directly, not mapped.
insmod user-pointer.ko
lsmod
cat /proc/modules
rmmod user_pointer
cat /proc/sys/kernel/tainted
