# In the guest: what dmesg, and /dev/kmsg, say of the messages; what parameters come to; the answers to the cases
# are in the kernel's log.
insmod /mods/messages.ko
echo "=== raw"
dmesg -r | sed -n '/PKBEGIN/,/PKEND/p'
echo "=== kmsg"
timeout -s KILL 3 cat /dev/kmsg > /tmp/kmsg 2>/dev/null
sed -n '/PKBEGIN/,/PKEND/p' /tmp/kmsg
echo "=== params"
while IFS='|' read -r module arguments; do
	dmesg -c > /dev/null
	echo "### $module|$arguments"
	insmod "/mods/$module.ko" "$arguments"
	folder=/sys/module/$(echo "$module" | tr - _)/parameters
	dmesg -c -r
	echo "### values"
	for file in "$folder"/*; do
		[ -f "$file" ] && echo "$(basename "$file")|$(cat "$file")"
	done
	rmmod "$module" 2>/dev/null
done < /arguments.txt
echo "=== end"
insmod /mods/printf.ko
