# In the guest: what dmesg, and /dev/kmsg, say of the messages; the answers to the cases are in the kernel's log.
insmod /mods/messages.ko
echo "=== raw"
dmesg -r | sed -n '/PKBEGIN/,/PKEND/p'
echo "=== kmsg"
timeout -s KILL 3 cat /dev/kmsg > /tmp/kmsg 2>/dev/null
sed -n '/PKBEGIN/,/PKEND/p' /tmp/kmsg
echo "=== end"
insmod /mods/printf.ko
