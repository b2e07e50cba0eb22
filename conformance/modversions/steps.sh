# Checksums of symbols that do not agree.
insmod exporter.ko
insmod crc.ko
insmod crc-layout.ko
insmod version-missing.ko
insmod version-layout-missing.ko
insmod versions-empty.ko
insmod importer-crc.ko
lsmod
