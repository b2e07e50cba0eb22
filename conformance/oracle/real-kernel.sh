#!/bin/bash
# Runs steps on Debian's own kernel in QEMU and prints the transcript.
#
#   real-kernel.sh [-t SECONDS] [-m MB] [-a 'KERNEL PARAMETERS'] [-c CONSOLE_LOG] FILES STEPS
#
# The guest is an initramfs of busybox, kmod's insmod, rmmod, lsmod, modprobe, modinfo, and the content of FILES in /mods,
# where each line of STEPS is run by busybox's sh. One machine, one boot, one CPU, no KVM; the guest's clock counts
# instructions (-icount), so that runs repeat themselves and sleeping costs nothing.
# Transcript: `$ STEP`, what it printed, `[rc=N]` unless 0 (or `[blocked]`), the kernel's lines after `| ` with their
# levels. After a panic the lines come from the console, have no level (`<?>`), and `[panic]` ends the transcript.
# Exit status: 0, or 2 when the guest did not come to an end (time-out or worse).
# KREL=... picks another installed release. Packages that are missing are installed.
set -euo pipefail
seconds=120
megabytes=512
parameters=
console=
while getopts t:m:a:c: option; do
	case $option in
	t) seconds=$OPTARG ;;
	m) megabytes=$OPTARG ;;
	a) parameters=$OPTARG ;;
	c) console=$OPTARG ;;
	*) exit 64 ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 64; }
files=$1
steps=$2
here=$(cd "$(dirname "$0")" && pwd)

need=()
command -v qemu-system-x86_64 >/dev/null || need+=(qemu-system-x86)
ls /boot/vmlinuz-* >/dev/null 2>&1 || need+=(linux-image-amd64)
[ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1 || need+=(busybox-static)
[ -x /usr/bin/kmod ] || need+=(kmod)
command -v cpio >/dev/null || need+=(cpio)
if [ ${#need[@]} -gt 0 ]; then
	echo "installing ${need[*]}" >&2
	apt-get install -y --no-install-recommends "${need[@]}" >/dev/null
fi
krel=${KREL:-$(ls /boot/vmlinuz-* | sed 's/.*vmlinuz-//' | sort -V | tail -1)}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,mods,lib/modules/"$krel"}
cp /bin/busybox "$root/bin/"
for applet in $(busybox --list); do
	case $applet in
	busybox | insmod | rmmod | lsmod | modprobe | modinfo | depmod) ;;
	*) ln -s busybox "$root/bin/$applet" ;;
	esac
done
cp /usr/bin/kmod "$root/bin/"
for tool in insmod rmmod lsmod modprobe modinfo; do ln -s ../bin/kmod "$root/sbin/$tool"; done
ldd /usr/bin/kmod | grep -o '/[^ ]*' | while read -r library; do cp -L --parents "$library" "$root/"; done
install -m 755 "$here/guest-init" "$root/init"
cp "$steps" "$root/steps"
cp -r "$files"/. "$root/mods/"
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible) >"$scratch/initrd"

timeout -k 5 "$seconds" qemu-system-x86_64 -nodefaults -vga none -display none -no-reboot \
	-m "$megabytes" -smp 1 -icount shift=1,sleep=off -rtc base=2024-01-01,clock=vm \
	-kernel "/boot/vmlinuz-$krel" -initrd "$scratch/initrd" \
	-serial "file:$scratch/console" -serial "file:$scratch/transcript" \
	-append "console=ttyS0 quiet panic=-1 nokaslr no_timer_check $parameters" </dev/null >"$scratch/qemu" 2>&1 || true
tr -d '\r' <"$scratch/console" >"$scratch/console.log"
[ -z "$console" ] || cp "$scratch/console.log" "$console"
if grep -aqx '\[end\]' "$scratch/transcript"; then
	grep -avx '\[end\]' "$scratch/transcript"
elif grep -aq 'Kernel panic - not syncing' "$scratch/console.log"; then
	cat "$scratch/transcript"
	awk '/^=== /{n=0; next} {l[n++]=$0} END{for(i=0;i<n;i++) print l[i]}' "$scratch/console.log" | sed -n 's/^\[ /| <?>[ /p'
	echo "[panic]"
else
	echo "the guest did not come to an end in $seconds s" >&2
	cat "$scratch/qemu" "$scratch/transcript" >&2
	tail -5 "$scratch/console.log" >&2
	exit 2
fi
