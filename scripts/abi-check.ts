/**
 * Checks every constant in `abi/` against a kernel's headers: a generated C file takes each name's value, the
 * headers' own build compiles it as a module's object would be, and the values are compared.
 *
 *     npx tsx scripts/abi-check.ts [HEADERS]      default: each /usr/src/linux-headers-*-amd64
 *
 * Needs Debian's linux-headers-amd64, gcc and make.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CONSTANT_GROUPS, KERN } from '../packages/ringside/src/abi/index.ts';
import { ElfFile } from '../packages/ringside/src/elf/index.ts';

const VALUES = '.abi_values';
const STRINGS = '.abi_strings';
/** Headers that no group names, but whose macros the groups' macros use. */
const MORE_HEADERS = [
  'linux/module.h',
  'uapi/linux/module.h',
  'linux/kallsyms.h',
  'linux/kmod.h',
  'linux/sched/task.h',
  'linux/percpu.h',
  'linux/err.h',
  'linux/magic.h',
  'linux/kdev_t.h',
  'linux/utsname.h',
  'asm/fixmap.h',
];

export interface AbiDifference {
  readonly name: string;
  readonly ours: string;
  readonly headers: string;
}

export interface AbiCheck {
  readonly checked: number;
  readonly differences: readonly AbiDifference[];
}

/** Header packages that are installed. */
export function installedHeaders(): string[] {
  return readdirSync('/usr/src')
    .filter((name) => /^linux-headers-.*amd64$/.test(name))
    .map((name) => join('/usr/src', name));
}

/** Compares with one header package. Throws with the compiler's words when a name is unknown to it. */
export function checkAbi(headers: string): AbiCheck {
  const numbers = CONSTANT_GROUPS.flatMap(({ values }) => Object.entries(values));
  const strings = Object.entries(KERN);
  const directory = mkdtempSync(join(tmpdir(), 'ringside-abi-'));
  try {
    writeFileSync(
      join(directory, 'abi.c'),
      source(
        numbers.map(([name]) => name),
        strings.map(([name]) => name),
      ),
    );
    writeFileSync(join(directory, 'Makefile'), 'obj-m := abi.o\nccflags-y := -w\n');
    execFileSync('make', ['-s', '-C', headers, `M=${directory}`, 'abi.o'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const elf = new ElfFile(readFileSync(join(directory, 'abi.o')));
    const reader = elf.reader(elf.section(VALUES)!);
    const texts = new TextDecoder('latin1').decode(elf.data(elf.section(STRINGS)!)).split('\n');
    const differences = [
      ...numbers.flatMap(([name, value], index) => {
        const ours = BigInt.asUintN(64, BigInt(value));
        const theirs = reader.u64(8 * index);
        return ours === theirs
          ? []
          : { name, ours: `0x${ours.toString(16)}`, headers: `0x${theirs.toString(16)}` };
      }),
      ...strings.flatMap(([name, ours], index) => {
        const theirs = texts[index] ?? '';
        return ours === theirs ? [] : { name, ours: JSON.stringify(ours), headers: JSON.stringify(theirs) };
      }),
    ];
    return { checked: numbers.length + strings.length, differences };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function source(numbers: readonly string[], strings: readonly string[]): string {
  const headers = new Set([...MORE_HEADERS, ...CONSTANT_GROUPS.map(({ header }) => header)]);
  return [
    ...[...headers].map((header) => `#include <${header}>`),
    `const unsigned long long abi_values[] __attribute__((section("${VALUES}"), used)) = {`,
    ...numbers.map((name) => `  (unsigned long long)(${name}),`),
    '};',
    `const char abi_strings[] __attribute__((section("${STRINGS}"), used)) =`,
    ...strings.map((name) => `  ${name} "\\n"`),
    ';',
    'MODULE_LICENSE("GPL");',
    '',
  ].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const packages = process.argv.length > 2 ? process.argv.slice(2) : installedHeaders();
  for (const headers of packages) {
    const { checked, differences } = checkAbi(headers);
    for (const { name, ours, headers: theirs } of differences) {
      process.stdout.write(`${name}: abi/ has ${ours}, the headers have ${theirs}\n`);
    }
    process.stdout.write(`${headers}: ${checked} constants, ${differences.length} differences\n`);
    if (differences.length > 0) process.exitCode = 1;
  }
  if (packages.length === 0) {
    process.stderr.write('no kernel headers in /usr/src: install linux-headers-amd64\n');
    process.exitCode = 1;
  }
}
