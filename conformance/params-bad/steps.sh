# Values that no parameter takes: the module is refused.
insmod params.ko a_byte=256
insmod params.ko a_byte=-1
insmod params.ko an_int=abc
insmod params.ko an_int=
insmod params.ko an_int
insmod params.ko an_int=2147483648
insmod params.ko an_int=12x
insmod params.ko a_uint=-1
insmod params.ko a_short=32768
insmod params.ko a_ushort=65536
insmod params.ko a_ulong=18446744073709551616
insmod params.ko a_hexint=ff
insmod params.ko a_bool=2
insmod params.ko a_bool=o
insmod params.ko a_bool=
insmod params.ko an_invbool
insmod params.ko a_bint=2
insmod params.ko an_int=1 a_byte=999 a_short=7
lsmod
cat /proc/modules
