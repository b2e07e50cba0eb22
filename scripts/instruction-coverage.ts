/**
 * Counts how many instructions of real code Ringside decodes and runs: the executable sections of all modules of the
 * installed Debian kernel, its image's, busybox's and libc's.
 *
 *     npx tsx scripts/instruction-coverage.ts           everything (some minutes)
 *     COVERAGE_SAMPLE=20 npx tsx scripts/...            every 20th module
 *
 * Sections are read from their beginning to their end; where nothing is decoded, another decoder says how long the
 * instruction is. Gaps are listed by mnemonic and opcode, most frequent first.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as iced from 'iced-x86';
import { ElfFile, SHF_EXECINSTR } from '../packages/ringside/src/elf/index.ts';
import { unpackBzImage } from '../packages/ringside/src/image/index.ts';
import { type Treatment, treatmentOf } from '../packages/ringside/src/translate/index.ts';
import {
  decode,
  type Encoding,
  type Instruction,
  isInstruction,
} from '../packages/ringside/src/x86/index.ts';

interface Count {
  all: number;
  run: number;
  /** Of features that the CPU model does not report, by feature. */
  readonly beyond: Map<string, number>;
  /** The rest, by what it is. */
  readonly gaps: Map<string, number>;
  /** Bytes that are no instruction. */
  invalid: number;
}

function add(map: Map<string, number>, key: string, n = 1): void {
  map.set(key, (map.get(key) ?? 0) + n);
}

const known = new Map<Encoding, Treatment>();

function treated(ins: Instruction): Treatment {
  // Only `enter` depends on more than its encoding.
  let treatment = known.get(ins.encoding);
  if (treatment === undefined) {
    treatment = treatmentOf(ins);
    known.set(ins.encoding, treatment);
  }
  return treatment;
}

/** What QEMU's default CPU reports, as far as instructions go. */
const REPORTED = new Set(
  'INTEL8086 INTEL186 INTEL286 INTEL386 INTEL486 FPU FPU287 FPU387 CMOV MMX SSE SSE2 SSE3 X64 CPUID MSR TSC CX8 FXSR RDPMC SEP SYSCALL CMPXCHG16B PAUSE MULTIBYTENOP CLFSH'.split(
    ' ',
  ),
);

const FEATURE_NAMES = new Map<number, string>();
for (const [name, value] of Object.entries(iced.CpuidFeature))
  if (typeof value === 'number') FEATURE_NAMES.set(value, name);
const MNEMONICS = new Map<number, string>();
for (const [name, value] of Object.entries(iced.Mnemonic))
  if (typeof value === 'number') MNEMONICS.set(value, name.toLowerCase());

function countSection(bytes: Uint8Array, count: Count): void {
  const other = new iced.Instruction();
  for (let at = 0; at < bytes.length; ) {
    const ins = decode(bytes, at, at);
    if (isInstruction(ins) && treated(ins) !== 'unsupported') {
      count.all++;
      count.run++;
      at += ins.length;
      continue;
    }
    const decoder = new iced.Decoder(64, bytes.subarray(at, at + 15), iced.DecoderOptions.None);
    decoder.decodeOut(other);
    decoder.free();
    if (other.code === iced.Code.INVALID) {
      count.invalid++;
      at++;
      continue;
    }
    count.all++;
    const features = Array.from(other.cpuidFeatures(), (f) => FEATURE_NAMES.get(f) ?? String(f));
    const missing = features.filter((f) => !REPORTED.has(f.toUpperCase()));
    const text = MNEMONICS.get(other.mnemonic) ?? '?';
    if (missing.length > 0) add(count.beyond, missing.join('+'));
    else {
      const opcode = Array.from(bytes.subarray(at, at + Math.min(other.length, 4)), (b) =>
        b.toString(16).padStart(2, '0'),
      ).join(' ');
      add(count.gaps, `${text} (${isInstruction(ins) ? ins.encoding.line.slice(0, 17).trim() : opcode})`);
    }
    at += other.length;
  }
  other.free();
}

function countFile(bytes: Uint8Array, count: Count): void {
  const file = new ElfFile(bytes);
  for (const section of file.sections) {
    if ((section.flags & SHF_EXECINSTR) !== 0) countSection(file.data(section), count);
  }
}

function report(name: string, count: Count): void {
  const beyond = [...count.beyond.values()].reduce((a, b) => a + b, 0);
  const share = (100 * count.run) / Math.max(1, count.all - beyond);
  process.stdout.write(
    `${name}: ${count.all} instructions, ${count.run} run, ${beyond} of features not reported; ${share.toFixed(4)} % of the rest; ${count.invalid} bytes are no instruction\n`,
  );
  const list = (of: Map<string, number>): string =>
    [...of]
      .sort((a, b) => b[1] - a[1])
      .map(([key, n]) => `${key} ${n}`)
      .join(', ');
  if (count.gaps.size > 0) process.stdout.write(`  gaps: ${list(count.gaps)}\n`);
  if (count.beyond.size > 0) process.stdout.write(`  not reported: ${list(count.beyond)}\n`);
}

function empty(): Count {
  return { all: 0, run: 0, beyond: new Map(), gaps: new Map(), invalid: 0 };
}

function modulesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ko'))
    .sort()
    .map((name) => join(directory, name));
}

const release = readdirSync('/lib/modules')
  .filter((name) => existsSync(`/boot/vmlinuz-${name}`))
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  .at(-1);
if (release === undefined) throw new Error('no kernel with modules installed: install linux-image-amd64');
const sample = Number(process.env['COVERAGE_SAMPLE'] ?? 1);

const modules = modulesUnder(`/lib/modules/${release}`).filter((_, i) => i % sample === 0);
const ofModules = empty();
for (const path of modules) countFile(readFileSync(path), ofModules);
report(`${modules.length} modules`, ofModules);

const ofImage = empty();
countFile(await unpackBzImage(readFileSync(`/boot/vmlinuz-${release}`)), ofImage);
report('kernel image', ofImage);

for (const [name, path] of [
  ['busybox', '/usr/bin/busybox'],
  ['libc', '/lib/x86_64-linux-gnu/libc.so.6'],
] as const) {
  if (!existsSync(path)) throw new Error(`no ${path}: install busybox-static and libc6`);
  const count = empty();
  countFile(readFileSync(path), count);
  report(name, count);
}
