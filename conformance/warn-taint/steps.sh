insmod warn-taint.ko
lsmod
cat /proc/modules
rmmod warn_taint
cat /proc/sys/kernel/tainted
