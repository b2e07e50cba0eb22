# Arrays and strings: right, too long, and malformed.
insmod params-array.ko
rmmod params_array
insmod params-array.ko numbers=1,2 switches=1,0,y name=a,b text=1234567
rmmod params_array
insmod params-array.ko numbers=1,2,3,4,5
insmod params-array.ko numbers=1,,2
insmod params-array.ko numbers=
insmod params-array.ko numbers
insmod params-array.ko numbers=1,x
insmod params-array.ko numbers=1,2,
insmod params-array.ko name=a,b,c
insmod params-array.ko text=12345678
insmod params-array.ko text
insmod params-array.ko text= name=
rmmod params_array
lsmod
