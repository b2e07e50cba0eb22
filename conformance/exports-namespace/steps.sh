# A symbol in a namespace, imported and not imported.
insmod exporter.ko
insmod importer-no-ns.ko
insmod importer-ns.ko
cat /proc/modules
rmmod importer_ns
rmmod exporter
