# A poisoned list pointer: general protection fault.
insmod wild-pointer.ko
lsmod
cat /proc/modules
rmmod wild_pointer
cat /proc/sys/kernel/tainted
