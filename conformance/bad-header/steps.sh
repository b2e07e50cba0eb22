# ELF headers that point to nowhere.
insmod shentsize-0.ko
insmod shentsize-40.ko
insmod shoff-0.ko
insmod shoff-far.ko
insmod shoff-huge.ko
insmod shoff-odd.ko
insmod shnum-0.ko
insmod shnum-1.ko
insmod shnum-more.ko
insmod shnum-less.ko
insmod shstrndx-0.ko
insmod shstrndx-far.ko
insmod shstrndx-xindex.ko
insmod shstrndx-1.ko
lsmod
