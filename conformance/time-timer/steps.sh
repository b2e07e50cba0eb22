insmod timer.ko
sleep 5
rmmod timer
insmod timer.ko
sleep 1.5
rmmod timer
