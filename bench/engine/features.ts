/**
 * What each feature of the engine costs, in nanoseconds a round (of a loop) or a time (of an event): small guest programs
 * (features.S) that rest on one of them, translated plain and checked, and natively where the processor has the same.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asAddr, type GuestAddr } from '../../packages/ringside/src/bytes/index.ts';
import { ElfFile } from '../../packages/ringside/src/elf/index.ts';
import { aliasOf, PROT_RW, VMALLOC } from '../../packages/ringside/src/memory/index.ts';
import { type BareMachine, bareMachine } from '../../packages/ringside/src/translate/bare-machine.ts';
import type { Stop } from '../../packages/ringside/src/translate/index.ts';
import { median } from './statistics.ts';

export type FeatureColumn = 'native' | 'plain' | 'checked' | 'exact' | 'once';

export interface FeatureCost {
  readonly feature: string;
  /** Nanoseconds; `exact`: checks of all upper bits of addresses; `once`: checked, without translating hot functions again. */
  readonly ns: Readonly<Partial<Record<FeatureColumn, number>>>;
}

/** Loops that the processor can run as well: function and what it shows. */
const LOOPS = [
  ['f_loop', 'a jump backwards (fuel looked at)'],
  ['f_straight', 'eight instructions in one block'],
  ['f_blocks', 'the same in eight blocks (counting)'],
  ['f_call', 'call and return (depth, fuel, return address)'],
  ['f_call_flags', 'the same with flags alive (exact flags)'],
  ['f_call_indirect', 'call through a register'],
  ['f_loads_near', '8 loads off one base (one check)'],
  ['f_loads_apart', '8 loads far apart (8 checks)'],
  ['f_stores_near', '8 stores off one base (one check)'],
  ['f_stores_apart', '8 stores far apart (8 checks)'],
  ['f_bytes_apart', '8 byte loads far apart (8 checks)'],
] as const;

const SLICE = 2 ** 24;
/** Pages of a device, and of another view of the heap. */
const DEVICE = asAddr(VMALLOC.start + 0x100_0000);
const VIEW = asAddr(VMALLOC.start + 0x110_0000);
const WRITABLE_TEXT = asAddr(VMALLOC.start + 0x120_0000);
const NATIVE = asAddr(VMALLOC.start + 0x130_0000);
const UNMAPPED = asAddr(VMALLOC.start + 0x140_0000);
const PROT_WX = { write: true, execute: true };
/** Bytes of `mov (%rdi),%rax`. */
const LOAD_BYTES = 3;

/** How many rounds and events are measured. */
export interface FeatureSizes {
  readonly rounds: number;
  readonly loop: number;
  readonly events: number;
}

class FeatureMachine {
  readonly machine: BareMachine;
  readonly #functions: ReadonlyMap<string, GuestAddr>;

  constructor({ checked = true, exact = false, hot = true } = {}) {
    const elf = new ElfFile(readFileSync(join(import.meta.dirname, 'features.elf')));
    const functions = [...(elf.symbols ?? [])]
      .filter((s) => s.type === 2)
      .map((s) => ({ name: s.name, start: s.value, size: s.size }));
    this.#functions = new Map(functions.map((f) => [f.name, asAddr(f.start)]));
    this.machine = bareMachine(elf.data(elf.sections.find((s) => s.name === '.text')!), {
      checked,
      exact,
      ...(hot ? {} : { hotAfter: Number.POSITIVE_INFINITY }),
      functionAt: (addr) => functions.find((f) => addr >= f.start && addr < f.start + f.size),
      natives: [{ addr: NATIVE, run: () => true }],
    });
    const { memory, heap } = this.machine;
    let register = 0n;
    memory.mapSlow(DEVICE, 4096, {
      read: () => register,
      write: (_offset, _size, value) => {
        register = value;
      },
    });
    memory.mapSlow(VIEW, 4096, aliasOf(memory, heap));
    memory.map(WRITABLE_TEXT, 4096, PROT_WX);
    memory.map(NATIVE, 4096, PROT_RW);
  }

  at(name: string): GuestAddr {
    return this.#functions.get(name)!;
  }

  /** Nanoseconds of a call; `onStop` says whether a stop is one to go on from. */
  time(
    name: string,
    pointer: number,
    rounds: number,
    fuel = SLICE,
    onStop?: (stop: Stop) => boolean,
  ): number {
    const { machine } = this;
    const began = performance.now();
    let stop = machine.call(this.at(name), [BigInt(pointer), BigInt(rounds)], fuel);
    while (stop !== undefined) {
      if (stop.kind !== 'fuel' && onStop?.(stop) !== true)
        throw new Error(`${name} stopped: ${JSON.stringify(stop, (_, v: unknown) => String(v))}`);
      const next = machine.cpu.run(fuel);
      stop = next.kind === 'native' ? undefined : next;
    }
    return (performance.now() - began) * 1e6;
  }
}

type Measurement = (m: FeatureMachine, sizes: FeatureSizes) => number;

function each(name: string, pointer: (m: FeatureMachine) => number): Measurement {
  return (m, { events }) => m.time(name, pointer(m), events) / events;
}

/** Events that only the simulated machine has. Watchpoints and what depends on checks are measured checked only. */
const EVENTS: readonly (readonly [feature: string, checkedOnly: boolean, Measurement])[] = [
  ['a call of a function of ours', false, each('f_call_at', () => NATIVE)],
  ['load from another view of a page', true, each('f_load', () => VIEW)],
  ['store to another view of a page', true, each('f_store', () => VIEW)],
  ['load from a device', true, each('f_load', () => DEVICE)],
  ['store to a device', true, each('f_store', () => DEVICE)],
  ['store into writable text', true, each('f_store', () => WRITABLE_TEXT + 64)],
  [
    'leaving for want of fuel, and going on',
    false,
    (m, { events }) => {
      const rounds = 200 * events;
      const whole = m.time('f_loop', 0, rounds);
      const slice = 3000;
      return Math.max(0, (m.time('f_loop', 0, rounds, slice) - whole) / ((3 * rounds) / slice));
    },
  ],
  [
    'a page fault and going on behind it',
    true,
    (m, { events }) => {
      const { regs } = m.machine.cpu;
      const ns = m.time('f_load', UNMAPPED, events, SLICE, (stop) => {
        regs.rip = asAddr(regs.rip + LOAD_BYTES);
        return stop.kind === 'exception';
      });
      return ns / events;
    },
  ],
  [
    'a breakpoint set, met and removed',
    false,
    (m, { events }) => {
      const { cpu } = m.machine;
      const at = m.at('f_callee');
      const began = performance.now();
      for (let i = 0; i < events / 20; i++) {
        cpu.addBreakpoint(at);
        m.time('f_call', 0, 1, SLICE, (stop) => {
          cpu.removeBreakpoint(at);
          return stop.kind === 'breakpoint';
        });
      }
      return ((performance.now() - began) * 1e6) / (events / 20);
    },
  ],
  [
    '8 loads far apart, a watchpoint elsewhere',
    true,
    (m, { loop }) => {
      const watchpoint = { addr: asAddr(m.machine.heap + 8192), size: 8, access: 'any' } as const;
      m.machine.cpu.addWatchpoint(watchpoint);
      const ns = m.time('f_loads_apart', m.machine.heap, loop) / loop;
      m.machine.cpu.removeWatchpoint(watchpoint);
      return ns;
    },
  ],
  [
    'a single step',
    false,
    (m, { events }) => {
      const { cpu } = m.machine;
      m.machine.call(m.at('f_loop'), [0n, BigInt(events)], 1);
      const began = performance.now();
      for (let i = 0; i < events; i++) cpu.step();
      return ((performance.now() - began) * 1e6) / events;
    },
  ],
  [
    'text changed: dropped and translated again',
    false,
    (m, { events }) => {
      const times = Array.from({ length: Math.ceil(events / 20) }, () => {
        m.machine.cpu.invalidate(m.at('f_callee'), 1);
        return m.time('f_call', 0, 1);
      });
      return median(times);
    },
  ],
];

/** Functions are called once in a machine's life, so this is measured in new ones. */
function firstCall(m: FeatureMachine): number {
  return median(Array.from({ length: 256 }, (_, i) => m.time(`f_first${i}`, m.machine.heap, 0)));
}

function nativeNs(program: string, name: string, rounds: number): number {
  const args = [name.slice(2), String(rounds), '5'];
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
  return Math.min(...stdout.split('\n')[0]!.trim().split(' ').map(Number)) / rounds;
}

/** Measures all features; `program`: features.c built, or undefined to leave the processor out. */
export function measureFeatures(sizes: FeatureSizes, program: string | undefined): FeatureCost[] {
  if (program !== undefined && !existsSync(program)) throw new Error(`${program} is not there`);
  const machines = [
    ['plain', new FeatureMachine({ checked: false })],
    ['checked', new FeatureMachine()],
    ['exact', new FeatureMachine({ exact: true })],
    ['once', new FeatureMachine({ hot: false })],
  ] as const;
  const samples = new Map<string, Map<FeatureColumn, number[]>>();
  const add = (feature: string, column: FeatureColumn, ns: number): void => {
    if (!samples.has(feature)) samples.set(feature, new Map());
    const columns = samples.get(feature)!;
    if (!columns.has(column)) columns.set(column, []);
    columns.get(column)!.push(ns);
  };
  for (let round = 0; round <= sizes.rounds; round++) {
    // Round 0 warms up.
    const keep = round > 0 ? add : () => undefined;
    for (const [name, feature] of LOOPS) {
      if (program !== undefined) keep(feature, 'native', nativeNs(program, name, sizes.loop));
      for (const [column, m] of machines) {
        for (let i = 0; round === 0 && i < 5; i++) m.time(name, m.machine.heap, sizes.loop);
        keep(feature, column, m.time(name, m.machine.heap, sizes.loop) / sizes.loop);
      }
    }
    for (const [feature, checkedOnly, measure] of EVENTS) {
      for (const [column, m] of machines) {
        if (checkedOnly && column === 'plain') continue;
        keep(feature, column, measure(m, sizes));
      }
    }
  }
  for (const [column, options] of [
    ['plain', { checked: false }],
    ['checked', {}],
    ['exact', { exact: true }],
    ['once', { hot: false }],
  ] as const) {
    add('first call of a small function', column, firstCall(new FeatureMachine(options)));
  }
  return [...samples].map(([feature, columns]) => ({
    feature,
    ns: Object.fromEntries([...columns].map(([column, values]) => [column, median(values)])),
  }));
}
