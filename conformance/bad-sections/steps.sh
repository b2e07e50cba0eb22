# Section headers that lie.
insmod shstrtab-offset.ko
insmod shstrtab-overflow.ko
insmod shstrtab-empty.ko
insmod shstrtab-unterminated.ko
insmod section0-type.ko
insmod section0-size.ko
insmod section0-addr.ko
insmod symtab-link-0.ko
insmod symtab-link-far.ko
insmod text-offset.ko
insmod text-size.ko
insmod text-wrap.ko
insmod text-name.ko
insmod text-type.ko
cat /proc/modules
rmmod hello
insmod text-align-0.ko
cat /proc/modules
rmmod hello
insmod text-align-3.ko
cat /proc/modules
rmmod hello
insmod text-align-big.ko
cat /proc/modules
rmmod hello
lsmod
