# An oops in exit: the module stays, unloading for ever.
insmod exit-oops.ko
rmmod exit_oops
lsmod
cat /proc/modules
rmmod exit_oops
