# False signatures.
insmod sig-garbage.ko
insmod sig-zero.ko
insmod sig-too-long.ko
insmod sig-longer.ko
insmod sig-type.ko
insmod sig-signer.ko
insmod sig-algo.ko
insmod sig-only.ko
insmod sig-magic-only.ko
insmod sig-magic.ko
insmod sig-truncated-magic.ko
cat /proc/modules
rmmod hello
lsmod
