# Modules for other machines; what the kernel does not look at.
insmod elf32-i386.ko
insmod machine-arm64.ko
insmod machine-riscv.ko
insmod type-exec.ko
insmod type-dyn.ko
insmod type-none.ko
insmod magic.ko
insmod elf32.ko
cat /proc/modules
rmmod hello
insmod big-endian.ko
cat /proc/modules
rmmod hello
insmod e-version.ko
cat /proc/modules
rmmod hello
insmod ehsize.ko
cat /proc/modules
rmmod hello
insmod flags.ko
cat /proc/modules
rmmod hello
lsmod
