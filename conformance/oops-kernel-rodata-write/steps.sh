# A write to the kernel's constant.
insmod kernel-rodata-write.ko
lsmod
cat /proc/modules
rmmod kernel_rodata_write
cat /proc/sys/kernel/tainted
