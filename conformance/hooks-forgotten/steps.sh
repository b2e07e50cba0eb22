# B forgets to unregister: A calls freed memory in its work item.
insmod hook-a.ko
insmod hook-b-forgets.ko
sleep 14
rmmod hook_b_forgets
sleep 14
lsmod
cat /proc/modules
