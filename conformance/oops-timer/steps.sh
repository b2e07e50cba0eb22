# A fault in a timer: panic.
insmod timer-oops.ko
sleep 1
echo not reached
