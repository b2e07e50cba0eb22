# A write through NULL.
insmod null-write.ko
lsmod
cat /proc/modules
rmmod null_write
cat /proc/sys/kernel/tainted
