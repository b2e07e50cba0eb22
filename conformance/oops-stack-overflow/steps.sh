# Endless recursion runs into the guard page of the stack.
insmod stack-overflow.ko
echo not reached
