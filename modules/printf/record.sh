#!/bin/bash
# Asks the real kernel under QEMU and writes the fixtures that the tests of kernel/lib and kernel/printk compare with.
#   modules/printf/record.sh REAL-LINUX.SH
# REAL-LINUX.SH boots Debian's kernel with modules and a script: MODDIR SCRIPT OUT.
set -euo pipefail
cd "$(dirname "$0")"
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 64; }
node generate.mjs
../build.sh printf
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/mods" "$out/root"
cp ./*.ko ../params/*.ko "$out/mods/"
cp param-arguments.txt "$out/root/arguments.txt"
"$1" -a 'log_buf_len=4M' -f "$out/root" "$out/mods" steps.sh "$out/t"
node fixture.mjs "$out/t" ../../packages/ringside/src/kernel
