# A write to the module's own constant.
insmod rodata-write.ko
lsmod
cat /proc/modules
rmmod rodata_write
cat /proc/sys/kernel/tainted
