# Parameters that the module does not have are ignored, loudly; how blanks and quotes reach the module.
insmod hello.ko nosuch=1
rmmod hello
insmod hello.ko nosuch
rmmod hello
insmod hello.ko name
insmod hello.ko name=
rmmod hello
insmod hello.ko 'name=two words'
rmmod hello
insmod hello.ko 'name="quoted words"'
rmmod hello
insmod hello.ko name=a nosuch=1 name=b
rmmod hello
insmod hello.ko -- after=dashes
rmmod hello
insmod hello.ko dyndbg=+p
rmmod hello
insmod params.ko A_byte=7
rmmod params
