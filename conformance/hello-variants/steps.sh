# Plain names, macros, data that is thrown away, every description, and a module that says nothing.
insmod hello-plain.ko
insmod hello-macros.ko
insmod hello-initdata.ko
insmod hello-meta.ko
insmod hello-silent.ko
lsmod
cat /proc/modules
rmmod hello_plain hello_macros
rmmod hello-initdata
rmmod hello_meta hello_silent
lsmod
