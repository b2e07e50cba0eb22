# After an oops in init the module hangs in loading: a second load waits for ever; other modules load.
insmod null-write.ko
insmod null-write.ko
insmod hello.ko
lsmod
rmmod hello
cat /proc/modules
