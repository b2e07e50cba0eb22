# BUG() in init.
insmod bug.ko
lsmod
cat /proc/modules
rmmod bug
cat /proc/sys/kernel/tainted
