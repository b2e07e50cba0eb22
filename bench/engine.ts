/**
 * The engine against the processor: seven kernels, translated plain and checked, native, and under qemu-x86_64 user
 * mode, interleaved, as ratios to native (lower is better).
 *
 *   npm run bench:engine [-- --json] [-- --rounds N] [-- --only sha,fib]    the measurement; needs gcc and make
 *   ... -- --smoke                                                        tiny sizes, results compared; needs only Node
 *
 * `engine/guest.elf` is kern.c as gcc compiles modules (see engine/Makefile), linked at the module area.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asAddr } from '../packages/ringside/src/bytes/index.ts';
import { ElfFile } from '../packages/ringside/src/elf/index.ts';
import { PROT_RW } from '../packages/ringside/src/memory/index.ts';
import { type BareMachine, bareMachine } from '../packages/ringside/src/translate/bare-machine.ts';
import { RAX } from '../packages/ringside/src/translate/index.ts';

/** Kernel, size of the measurement, size of the smoke run and its result on the processor. */
const KERNELS = [
  ['sha', 1048576, 65536, 347110374003596438n],
  ['crc', 1048576, 65536, 317027235n],
  ['list', 4096, 512, 4299549802611n],
  ['fib', 25, 15, 610n],
  ['calls', 100000, 1000, 9536470294577204326n],
  ['bytes', 1048576, 65536, 2124277606n],
  ['sort', 20000, 1000, 5686725486074525039n],
] as const;

const HEAP_BYTES = 8 << 20;
const FILL_BYTES = 2 << 20;

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    variant: { type: 'string', default: 'plain,checked' },
  },
});

interface Guest {
  readonly machine: BareMachine;
  readonly entry: (kernel: string) => number;
}

function load(checked: boolean): Guest {
  const elf = new ElfFile(readFileSync(join(import.meta.dirname, 'engine/guest.elf')));
  const symbols = elf.symbols === undefined ? [] : [...elf.symbols];
  const functions = symbols
    .filter((s) => s.type === 2)
    .map((s) => ({ name: s.name, start: s.value, size: s.size }));
  const text = elf.sections.find((s) => s.name === '.text')!;
  const machine = bareMachine(elf.data(text), {
    checked,
    heapBytes: HEAP_BYTES,
    functionAt: (addr) => functions.find((f) => addr >= f.start && addr < f.start + f.size),
  });
  for (const section of elf.sections) {
    if (!(section.flags & 2) || section === text || section.size === 0) continue;
    const page = Math.floor(section.addr / 4096) * 4096;
    const size = Math.ceil((section.addr + section.size - page) / 4096) * 4096;
    machine.memory.map(asAddr(page), size, PROT_RW);
    if (section.type !== 8) machine.memory.raw.set(elf.data(section), section.addr >>> 0);
  }
  return { machine, entry: (kernel) => functions.find((f) => f.name === `k_${kernel}`)!.start };
}

/** The pseudo-random bytes that engine/main.c fills its buffer with. */
function fill(machine: BareMachine): void {
  const { raw } = machine.memory;
  const base = machine.heap >>> 0;
  let s = 1;
  for (let i = 0; i < FILL_BYTES; i++) {
    s = (Math.imul(s, 1103515245) + 12345) | 0;
    raw[base + i] = s >>> 16;
  }
}

/** Runs a kernel; slices of 2^24 instructions, as a machine would. Time in nanoseconds. */
function runTranslated(guest: Guest, kernel: string, size: number): { result: bigint; ns: number } {
  const { machine } = guest;
  fill(machine);
  const start = performance.now();
  let stop = machine.call(asAddr(guest.entry(kernel)), [BigInt(machine.heap), BigInt(size)], 2 ** 24);
  while (stop?.kind === 'fuel') {
    stop = machine.cpu.run(2 ** 24);
    if (stop.kind === 'native') stop = undefined;
  }
  const ns = (performance.now() - start) * 1e6;
  if (stop !== undefined) throw new Error(`${kernel} stopped: ${JSON.stringify(stop)}`);
  return { result: machine.cpu.regs.u64(RAX), ns };
}

function runNative(
  command: readonly string[],
  kernel: string,
  size: number,
  times: number,
): { result: bigint; ns: number } {
  const [program, ...args] = [...command, kernel, String(size), String(times)];
  const { stdout, status } = spawnSync(program!, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
  const [ns, result] = stdout.trim().split('\n');
  return { result: BigInt(result!), ns: Math.min(...ns!.trim().split(' ').map(Number)) };
}

function buildNative(): string {
  const directory = mkdtempSync(join(tmpdir(), 'engine-bench-'));
  const native = join(directory, 'native');
  const source = join(import.meta.dirname, 'engine');
  const { status, stderr } = spawnSync(
    'gcc',
    `-O2 -mno-red-zone -fno-pic -no-pie -fno-stack-protector -fcf-protection=none -static -o ${native} kern.c main.c`.split(
      ' ',
    ),
    { cwd: source, encoding: 'utf8' },
  );
  if (status !== 0 || !existsSync(native))
    throw new Error(`gcc failed; install gcc and libc6-dev\n${stderr}`);
  return native;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
}

function smoke(): void {
  for (const checked of [false, true]) {
    const guest = load(checked);
    for (const [kernel, , size, expected] of KERNELS) {
      const { result } = runTranslated(guest, kernel, size);
      if (result !== expected)
        throw new Error(`${kernel} (${checked ? 'checked' : 'plain'}): ${result}, native ${expected}`);
    }
  }
  process.stdout.write('engine: seven kernels, plain and checked, give the results of the processor\n');
}

async function measure(): Promise<void> {
  const native = buildNative();
  const wanted =
    flags.only === '' ? KERNELS : KERNELS.filter(([name]) => flags.only.split(',').includes(name));
  const variants = (['plain', 'checked'] as const).filter((v) => flags.variant.split(',').includes(v));
  const guests = { plain: load(false), checked: load(true) };
  const haveQemu = spawnSync('qemu-x86_64', ['--version']).status === 0;
  // Warm up until the optimising compiler has had its turn.
  for (const [kernel, size] of wanted) {
    for (const v of variants) {
      const until = performance.now() + 150;
      for (let i = 0; i < 8 || performance.now() < until; i++) runTranslated(guests[v], kernel, size);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const ratios: Record<string, Record<'plain' | 'checked' | 'qemuUser', number[]>> = {};
  const nativeNs: Record<string, number[]> = {};
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [kernel, size] of wanted) {
      const base = runNative([native], kernel, size, 5);
      nativeNs[kernel] = [...(nativeNs[kernel] ?? []), base.ns];
      ratios[kernel] ??= { plain: [], checked: [], qemuUser: [] };
      const into = ratios[kernel];
      for (const v of variants) {
        let best = Number.POSITIVE_INFINITY;
        for (let i = 0; i < 4; i++) {
          const { result, ns } = runTranslated(guests[v], kernel, size);
          if (result !== base.result) throw new Error(`${kernel}, ${v}: ${result}, native ${base.result}`);
          best = Math.min(best, ns);
        }
        into[v].push(best / base.ns);
      }
      if (haveQemu && round % 2 === 0) {
        into.qemuUser.push(runNative(['qemu-x86_64', native], kernel, size, 4).ns / base.ns);
      }
    }
  }
  report(ratios, nativeNs);
}

function report(
  ratios: Readonly<Record<string, Readonly<Record<'plain' | 'checked' | 'qemuUser', number[]>>>>,
  nativeNs: Readonly<Record<string, number[]>>,
): void {
  const rows = ['plain', 'checked', 'qemuUser'] as const;
  const names = Object.keys(ratios);
  const value = (name: string, row: (typeof rows)[number]): number => round2(median(ratios[name]![row]));
  const means = Object.fromEntries(
    rows.map((row) => [row, round2(geomean(names.map((n) => median(ratios[n]![row]))))]),
  );
  if (flags.json) {
    const kernels = Object.fromEntries(
      names.map((n) => [n, Object.fromEntries(rows.map((row) => [row, value(n, row)]))]),
    );
    process.stdout.write(`${JSON.stringify({ kernels, geomean: means }, undefined, 2)}\n`);
    return;
  }
  const cell = (text: string | number): string => String(text).padStart(8);
  process.stdout.write(`${'ratio to native'.padEnd(16)}${names.map(cell).join('')}${cell('geomean')}\n`);
  for (const row of rows) {
    process.stdout.write(
      `${row.padEnd(16)}${names.map((n) => cell(value(n, row).toFixed(2))).join('')}${cell(means[row]!.toFixed(2))}\n`,
    );
  }
  process.stdout.write(
    `${'native, us'.padEnd(16)}${names.map((n) => cell(Math.round(median(nativeNs[n]!) / 1000))).join('')}\n`,
  );
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

if (flags.smoke) smoke();
else await measure();
