# A parameter of each type: as declared, at the edges, written in every way.
insmod params.ko
cat /sys/module/params/parameters/an_int
rmmod params
insmod params.ko a_byte=255 a_short=-32768 a_ushort=0xffff an_int=-0x10 a_uint=4294967295 a_long=-9223372036854775808
rmmod params
insmod params.ko a_ulong=18446744073709551615 a_llong=99 a_ullong=0xffffffffffffffff a_hexint=255 a_charp=eleven a_bool an_invbool=n a_bint
rmmod params
insmod params.ko 'a_charp="two words"' an_int=010 an_int=+7 a-byte=9 a_bool=on
rmmod params
cat /proc/sys/kernel/tainted
