# A renamed parameter, one that taints, one that must be given, one with limits.
insmod params-named.ko
insmod params-named.ko must=1 buffer_size=9 internal_size=8
rmmod params_named
insmod params-named.ko must=1 buffer-size=9 dangerous=1
cat /proc/modules
rmmod params_named
cat /proc/sys/kernel/tainted
insmod params-level.ko level=5
rmmod params_level
insmod params-level.ko level=6
insmod params-level.ko level=0
insmod params-level.ko level=x
