insmod proprietary.ko
lsmod
cat /proc/modules
cat /proc/sys/kernel/tainted
rmmod proprietary
cat /proc/sys/kernel/tainted
