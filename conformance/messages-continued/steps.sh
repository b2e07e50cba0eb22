insmod continued.ko
echo in between
rmmod continued
