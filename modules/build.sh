#!/bin/bash
# Builds the modules of this folder with the installed kernel's headers; each .ko is put beside its source.
#
#   modules/build.sh [FOLDER...]      all folders when none is named
#
# The result is the same wherever it is built: the sources are copied to a scratch folder first, whose name is
# replaced by "modules" in file names that get into the .ko (debug information, WARN and BUG sites).
# KREL=... picks another installed release.
set -euo pipefail
cd "$(dirname "$0")"
need=()
command -v gcc >/dev/null || need+=(gcc)
command -v make >/dev/null || need+=(make)
ls -d /lib/modules/*/build/Makefile >/dev/null 2>&1 || need+=(linux-headers-amd64)
if [ ${#need[@]} -gt 0 ]; then
	echo "installing ${need[*]}" >&2
	apt-get install -y --no-install-recommends "${need[@]}" >/dev/null
fi
krel=${KREL:-$(ls -d /lib/modules/*/build/Makefile | cut -d/ -f4 | sort -V | tail -1)}
all=$(for kbuild in */Kbuild; do dirname "$kbuild"; done)
names=${*:-$all}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
work=$scratch/modules
mkdir "$work"
for name in $names; do
	[ -f "$name/Kbuild" ] || { echo "no such module folder: $name (there are: $(echo $all))" >&2; exit 1; }
	mkdir "$work/$name"
	cp "$name"/Kbuild "$name"/*.[ch] "$work/$name/"
	echo "obj-m += $name/" >>"$work/Kbuild"
done
# modpost reads only the topmost Kbuild
cat >>"$work/Kbuild" <<'KBUILD'
# exports/importer-no-ns lacks its MODULE_IMPORT_NS on purpose
CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS := y
KBUILD
log=$scratch/log
make -C "/lib/modules/$krel/build" M="$work" -j"$(nproc)" KCFLAGS="-ffile-prefix-map=$work=modules" modules >"$log" 2>&1 ||
	{ cat "$log" >&2; exit 1; }
# modpost's and objtool's warnings are wanted here and there; compiler warnings are not
if grep -A5 -E "\.[ch]:[0-9]+.*(warning|error):" "$log" >&2; then exit 1; fi
for name in $names; do cp "$work/$name"/*.ko "$name/"; done
find $names -name '*.ko' | wc -l | sed "s/\$/ modules built for $krel/"
