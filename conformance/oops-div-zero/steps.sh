# A division by zero.
insmod div-zero.ko divisor=5
rmmod div_zero
insmod div-zero.ko
lsmod
cat /proc/modules
rmmod div_zero
cat /proc/sys/kernel/tainted
