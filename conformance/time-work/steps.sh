insmod work.ko
sleep 2
rmmod work
insmod work.ko
rmmod work
