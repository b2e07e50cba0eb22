# A write to the module's own text.
insmod text-write.ko
lsmod
cat /proc/modules
rmmod text_write
cat /proc/sys/kernel/tainted
