# Sections that a module must have, and some that it can do without, at a price.
insmod no-symtab.ko
insmod symtab-progbits.ko
insmod no-this-module.ko
insmod no-versions.ko
cat /proc/modules
rmmod hello
insmod no-modinfo.ko
cat /proc/modules
rmmod hello
insmod modinfo-empty.ko
cat /proc/modules
rmmod hello
cat /proc/sys/kernel/tainted
