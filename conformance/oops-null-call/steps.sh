# A call through a NULL function pointer.
insmod null-call.ko
lsmod
cat /proc/modules
rmmod null_call
cat /proc/sys/kernel/tainted
