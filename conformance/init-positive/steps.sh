# Init returns a positive number: warned about, loaded.
insmod returns-positive.ko
lsmod
rmmod returns_positive
