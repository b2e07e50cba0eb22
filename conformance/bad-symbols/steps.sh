# Symbols that cannot be resolved.
insmod exporter.ko
insmod unknown-symbol.ko
insmod unknown-symbol-version.ko
insmod common-symbol.ko
insmod duplicate-export.ko
insmod abs-symbol.ko
cat /proc/modules
rmmod hello
lsmod
