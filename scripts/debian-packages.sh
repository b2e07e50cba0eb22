#!/bin/bash
# Installs the Debian packages that parts of this project's checks need; what is there already is left alone.
#
#   scripts/debian-packages.sh GROUP...
#
#   modules      build the example modules: a compiler, make, the kernel's headers
#   oracle       the real kernel under QEMU: emulator, kernel image, busybox, kmod, cpio
#   formats      what our readers are compared with: binutils, pahole, kmod, xz, zstd, openssl
#   engine       instructions on the processor and in emulation: gcc, gdb, qemu-user
#   browser      the engine in a headless browser: Chromium
#   all          every group
set -euo pipefail

declare -A groups=(
	[modules]="gcc make libc6-dev linux-headers-amd64"
	[oracle]="qemu-system-x86 linux-image-amd64 busybox-static kmod cpio"
	[formats]="binutils dwarves kmod xz-utils zstd openssl cpio gcc linux-image-amd64 linux-headers-amd64"
	[engine]="gcc make libc6-dev gdb qemu-user"
	[browser]="chromium"
)
usage() {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set'
	exit 64
}

[ $# -gt 0 ] || usage
wanted=()
for group in "$@"; do
	if [ "$group" = all ]; then
		wanted+=(${groups[*]})
	else
		[ -n "${groups[$group]:-}" ] || usage
		wanted+=(${groups[$group]})
	fi
done

missing=()
for package in $(printf '%s\n' "${wanted[@]}" | sort -u); do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
# Headers build modules for their own kernel only: image and headers are brought to one version together.
version() { dpkg-query -W -f='${Version}' "$1" 2>/dev/null || true; }
kernel=$(printf '%s\n' "${wanted[@]}" | grep -x 'linux-.*-amd64' | sort -u || true)
if [ "$(echo "$kernel" | wc -w)" = 2 ] && [ "$(version linux-image-amd64)" != "$(version linux-headers-amd64)" ]; then
	missing=($(printf '%s\n' "${missing[@]}" $kernel | sort -u))
fi
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
	echo "this needs Debian packages: ${missing[*]}; install their like with your system's package manager" >&2
	exit 1
}
[ "$(id -u)" = 0 ] || {
	echo "this needs Debian packages; run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
	exit 1
}
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1 || {
	cat "$log" >&2
	exit 1
}
