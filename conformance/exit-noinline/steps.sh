# Exit calls an __init function that is gone.
insmod exit-noinline.ko
rmmod exit_noinline
lsmod
cat /proc/modules
rmmod exit_noinline
insmod exit-noinline.ko
