# A read through NULL in a function that init calls.
insmod null-read.ko
lsmod
cat /proc/modules
rmmod null_read
cat /proc/sys/kernel/tainted
