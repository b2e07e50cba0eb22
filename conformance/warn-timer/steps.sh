# A warning from a timer callback: an interrupt in the call trace.
insmod timer-warn.ko
sleep 1
rmmod timer_warn
cat /proc/sys/kernel/tainted
