import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FormatError, InputError, UnsupportedError } from '../bytes/index.ts';
import { ElfFile, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, SHT_RELA } from '../elf/index.ts';
import { builtInSpecPath, openSpecFile } from '../node/index.ts';
import { boot } from './boot.ts';
import type { Machine } from './machine.ts';

/**
 * Mutants in this run of each kind. Each boots a machine and runs damaged code for as long as that goes on, so that
 * the number is set by itself (RINGSIDE_HOSTILE) and not with that of the loader's mutants.
 */
const MUTANTS = Number(process.env['RINGSIDE_HOSTILE'] ?? 30);
const SEED = Number(process.env['RINGSIDE_SEED'] ?? 1);
const spec = openSpecFile(builtInSpecPath());

const SOURCES = [
  'hello/hello',
  'params/params',
  'two-files/two-files',
  'time/work',
  'time/timer',
  'hooks/hook-a',
  'memory/allocate',
  'warn/warn-once',
  'exports/exporter',
  'refcount/holder',
] as const;

/** A small generator with a fixed seed (mulberry32). */
function random(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

function load(source: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../../modules/${source}.ko`, import.meta.url)));
}

/** Bytes of text that no relocation fills in: those would only be refused. */
function textBytes(file: Uint8Array): number[] {
  const elf = new ElfFile(file);
  const filled = new Set<number>();
  for (const table of elf.sections) {
    const target = elf.sections[table.info];
    if (table.type !== SHT_RELA || target === undefined) continue;
    const view = new DataView(file.buffer, file.byteOffset + table.offset, table.size);
    for (let at = 0; at < table.size; at += 24) {
      for (let i = 0; i < 8; i++) filled.add(target.offset + Number(view.getBigUint64(at, true)) + i);
    }
  }
  const text: number[] = [];
  for (const { type, flags, offset, size } of elf.sections) {
    if (type !== SHT_PROGBITS || (flags & SHF_ALLOC) === 0 || (flags & SHF_EXECINSTR) === 0) continue;
    for (let at = offset; at < offset + size; at++) if (!filled.has(at)) text.push(at);
  }
  return text;
}

const STOP = new Error('the budget is used up');

/** Gives up after so many slices: a mutant may run for ever, as on the real machine. */
function budget(slices: number): AbortSignal {
  let left = slices;
  const { signal } = new AbortController();
  signal.throwIfAborted = () => {
    if (left-- === 0) throw STOP;
  };
  return signal;
}

/** Runs a step; nothing but the errors that users are promised may come out. */
async function step(what: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error === STOP) return;
    if (error instanceof FormatError || error instanceof InputError || error instanceof UnsupportedError)
      return;
    throw new Error(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

async function life(
  file: Uint8Array,
  what: string,
  meddle: (machine: Machine) => void = () => undefined,
): Promise<Machine> {
  const machine = await boot({ spec, memoryMb: 32 });
  await step(`${what} insmod`, () => machine.insmod(file, { signal: budget(3) }));
  const name = machine.modules()[0]?.name ?? 'none';
  meddle(machine);
  await step(`${what} advance`, () => machine.advance({ forNs: 3e9, signal: budget(3) }));
  await step(`${what} rmmod`, () => machine.rmmod(name, { signal: budget(3) }));
  await step(`${what} advance`, () => machine.advance({ forNs: 3e9, signal: budget(3) }));
  return machine;
}

test(`modules whose code is damaged harm nothing but their machine (${MUTANTS} mutants)`, async () => {
  const ends = new Map<string, number>();
  for (let i = 0; i < MUTANTS; i++) {
    const seed = SEED * 1_000_000 + i;
    const pick = random(seed);
    const source = SOURCES[pick(SOURCES.length)]!;
    const file = load(source);
    const text = textBytes(file);
    for (let n = 1 + pick(6); n > 0; n--) {
      const at = text[pick(text.length)]!;
      file[at] = pick(3) === 0 ? file[at]! ^ (1 << pick(8)) : pick(256);
    }
    const machine = await life(file, `seed ${seed}, ${source}:`);
    const end = machine.kernel.oopsCount > 0 ? 'oops' : machine.missing.length > 0 ? 'missing' : 'clean';
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  // the mutants reach the engine, not only the checks before it
  expect(ends.get('oops') ?? 0).toBeGreaterThan(MUTANTS / 10);
});

test(`modules that write over themselves harm nothing but their machine (${MUTANTS} mutants)`, async () => {
  for (let i = 0; i < MUTANTS; i++) {
    const seed = SEED * 1_000_000 + i;
    const pick = random(seed);
    const source = SOURCES[pick(SOURCES.length)]!;
    await life(load(source), `seed ${seed}, ${source}:`, ({ kernel }) => {
      const module = [...kernel.modules.list()][0];
      if (module === undefined) return;
      const size = kernel.spec.types.struct('module').size;
      for (let n = 1 + pick(8); n > 0; n--) {
        const at = (module.addr >>> 0) + 8 * pick(size / 8);
        const values = [
          0n,
          1n,
          0x41414141n,
          0xdead_0000_0000_0100n,
          BigInt.asUintN(64, BigInt(module.addr)),
          2n ** 64n - 1n,
        ];
        kernel.memory.view.setBigUint64(at, values[pick(values.length)]!, true);
      }
    });
  }
});

test('the same inputs and seed give the same run', async () => {
  const run = async () => {
    const machine = await boot({ spec, memoryMb: 32, seed: 7 });
    for (const source of ['time/work', 'time/timer', 'warn/warn-once', 'oops/null-read', 'memory/allocate']) {
      await machine.insmod(load(source));
      await machine.advance({ forNs: 2e9 });
    }
    return JSON.stringify(
      { log: machine.log, reports: machine.reports, now: machine.nowNs, modules: machine.procModules() },
      (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value instanceof Uint8Array ? value.length : value,
    );
  };
  expect(await run()).toBe(await run());
});
