insmod holder.ko
lsmod
rmmod holder
sleep 3
lsmod
rmmod holder
