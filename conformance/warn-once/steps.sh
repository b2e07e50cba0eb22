insmod warn-once.ko
lsmod
cat /proc/modules
rmmod warn_once
cat /proc/sys/kernel/tainted
