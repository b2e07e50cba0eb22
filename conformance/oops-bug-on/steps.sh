# BUG_ON() in a function that holds a mutex.
insmod bug-on.ko limit=50
rmmod bug_on
insmod bug-on.ko
lsmod
cat /proc/modules
rmmod bug_on
cat /proc/sys/kernel/tainted
