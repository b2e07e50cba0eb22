# insmod and rmmod used wrongly.
insmod
insmod missing.ko
insmod /mods
insmod /dev/null
rmmod
rmmod hello
lsmod
insmod hello.ko name=x
rmmod /mods/hello.ko
echo done
