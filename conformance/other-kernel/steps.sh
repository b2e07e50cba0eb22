# Modules for another kernel.
insmod vermagic-flags.ko
insmod vermagic-release.ko
insmod vermagic-short.ko
insmod vermagic.ko
cat /proc/modules
rmmod hello
insmod no-vermagic.ko
cat /proc/modules
rmmod hello
cat /proc/sys/kernel/tainted
