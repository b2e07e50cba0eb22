# Exit calls an inlined __init function: nothing is wrong.
insmod exit-inlined.ko
rmmod exit_inlined
lsmod
