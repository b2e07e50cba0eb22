# B registers a function with A, comes and goes as it likes, then A goes.
insmod hook-b.ko
insmod hook-a.ko
sleep 14
insmod hook-b.ko
lsmod
sleep 12
rmmod hook_a
rmmod hook_b
sleep 12
insmod hook-b.ko
sleep 12
rmmod hook_b
rmmod hook_a
lsmod
