# The first module: in, listed, out, and in again without a name.
insmod hello.ko name=Bob
lsmod
cat /proc/modules
rmmod hello
lsmod
cat /proc/modules
insmod hello.ko
rmmod hello
cat /proc/sys/kernel/tainted
