# A stack dump from init and one from exit: the chain of callers.
insmod dump-stack.ko
rmmod dump_stack
