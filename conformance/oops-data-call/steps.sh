# A call into the module's own data.
insmod data-call.ko
lsmod
cat /proc/modules
rmmod data_call
cat /proc/sys/kernel/tainted
