# A module without init loads; one without exit stays for ever.
insmod no-init.ko
insmod no-exit.ko
lsmod
cat /proc/modules
rmmod no_init
rmmod no_exit
lsmod
