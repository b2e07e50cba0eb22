# Parameters with the module's own functions.
insmod params-cb.ko even=4
rmmod params_cb
insmod params-cb.ko even=5
insmod params-cb.ko even=x
insmod params-cb.ko even
insmod params-cb.ko flag
rmmod params_cb
insmod params-cb.ko flag=3 even=0x10
rmmod params_cb
