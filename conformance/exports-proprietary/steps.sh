# A proprietary module may use what is exported for everybody, and nothing else.
insmod exporter.ko
insmod importer-proprietary.ko
insmod proprietary-gpl-only.ko
cat /proc/modules
rmmod importer_proprietary
rmmod exporter
cat /proc/sys/kernel/tainted
