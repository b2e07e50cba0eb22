insmod two-files.ko
lsmod
rmmod two_files
