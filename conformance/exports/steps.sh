# An importer without its exporter, then with it; the exporter cannot go first.
insmod importer.ko
insmod exporter.ko
insmod importer.ko
insmod importer-gpl.ko
lsmod
cat /proc/modules
rmmod exporter
rmmod importer
lsmod
rmmod importer_gpl exporter
lsmod
