# A weak symbol that nobody defines is NULL: calling it oopses.
insmod weak-symbol.ko
lsmod
