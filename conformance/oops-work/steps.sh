# An oops in a work item: the worker goes down, the module can be removed.
insmod work-oops.ko
lsmod
rmmod work_oops
lsmod
