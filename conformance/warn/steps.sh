insmod warn.ko
lsmod
cat /proc/modules
rmmod warn
cat /proc/sys/kernel/tainted
