# Init refuses: what the user sees for each error number.
insmod returns-einval.ko
insmod returns-enodev.ko
insmod returns-unknown.ko
lsmod
insmod returns-enodev.ko
