# A module that the kernel command line forbids.
insmod hello.ko
insmod hello-plain.ko
lsmod
