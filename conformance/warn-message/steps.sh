insmod warn-message.ko
lsmod
cat /proc/modules
rmmod warn_message
cat /proc/sys/kernel/tainted
