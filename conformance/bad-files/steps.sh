# Files that are no modules at all, or not all of one.
insmod empty.ko
insmod one-byte.ko
insmod text.ko
insmod text-long.ko
insmod zeros.ko
insmod truncated-63.ko
insmod truncated-64.ko
insmod truncated-half.ko
insmod truncated-1.ko
insmod trailing-garbage.ko
cat /proc/modules
rmmod hello
lsmod
