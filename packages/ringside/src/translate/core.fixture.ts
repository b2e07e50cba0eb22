import { asAddr } from '../bytes/index.ts';
import {
  aliasOf,
  DIRECT_MAP,
  GuestMemory,
  POISON,
  PROT_RO,
  PROT_RW,
  PROT_RX,
  VMALLOC,
} from '../memory/index.ts';
import { type BareMachine, type BareMachineOptions, bareMachine } from './bare-machine.ts';
import type { Stop } from './cpu.ts';
import { SLOT_RFLAGS } from './register-file.ts';

/** A small program and its surroundings: what the engine promises, one promise each, on every platform. */
export interface CoreCase {
  readonly name: string;
  readonly code: string;
  readonly args?: (machine: BareMachine) => readonly (bigint | number)[];
  readonly prepare?: (machine: BareMachine) => void;
  readonly options?: BareMachineOptions;
  /** What the host does at a stop to go on; default: nothing, and the case ends. */
  readonly resume?: (machine: BareMachine, stop: Stop) => boolean;
  /** Code that needs the checks. */
  readonly checkedOnly?: boolean;
}

const RECURSION = '53 48 85 ff 74 0d 48 ff cf e8 f2 ff ff ff 48 ff c0 5b c3 31 c0 5b c3';
const heap = (m: BareMachine): readonly bigint[] => [BigInt(m.heap)];
const VIEW = asAddr(VMALLOC.start + 0x100_0000);
const HOME = asAddr(DIRECT_MAP.start + 0x30_0000);
const MEMORY_END = 0x1_0000;

export const CORE_CASES: readonly CoreCase[] = [
  { name: 'adds', code: '48 8d 04 37 c3', args: () => [40, 2] },
  { name: 'loops', code: '31 c0 48 01 f8 48 ff cf 75 f8 c3', args: () => [200] },
  { name: 'calls itself', code: RECURSION, args: () => [500] },
  {
    name: 'calls itself until the stack ends',
    code: '48 81 ec 00 01 00 00 e8 f4 ff ff ff 0f 0b',
    checkedOnly: true,
  },
  {
    name: 'reads through NULL',
    code: '53 bb 07 00 00 00 48 8b 07 5b c3',
    args: () => [0],
    checkedOnly: true,
  },
  {
    name: 'uses a bad address',
    code: '48 8b 07 c3',
    args: () => [0xdead_0000_0000_0100n],
    checkedOnly: true,
  },
  {
    name: 'writes a page to read only',
    code: '48 8b 07 48 89 07 c3',
    args: () => [BigInt(VIEW)],
    prepare: (m) => m.memory.map(VIEW, 4096, PROT_RO),
    checkedOnly: true,
  },
  {
    name: 'reaches beyond a mapping',
    code: '48 8b 07 48 8b 4f 08 c3',
    args: (m) => [BigInt(m.heap + MEMORY_END - 4)],
    checkedOnly: true,
  },
  {
    name: 'touches freed memory, and goes on',
    code: '48 8b 07 48 89 46 08 c3',
    args: (m) => [BigInt(m.heap), BigInt(m.heap) + 56n],
    prepare: (m) => m.memory.poison(asAddr(m.heap + 64), 8, POISON.slabFreed),
    resume: (m, stop) => stop.kind === 'poison' && m.cpu.stepUnchecked() === undefined,
    checkedOnly: true,
  },
  {
    // 1: lea 2f(%rip),%rax; push %rax; lea f(%rip),%rax; push %rax; ret; 2: dec %rdi; jne 1b; ret; f: lea 3f(%rip),%rax; jmp *%rax; 3: ret
    name: "goes on by returns that are no call's, where nothing is known of functions",
    code: '48 8d 05 0a 00 00 00 50 48 8d 05 08 00 00 00 50 c3 48 ff cf 75 ea c3 90 48 8d 05 02 00 00 00 ff e0 c3',
    args: () => [9],
  },
  {
    // 1: lea 2f(%rip),%rax; dec %rdi; js 3f; jmp *%rax; 2: lea 1b(%rip),%rax; jmp *%rax; 3: ret
    name: 'loops by indirect jumps alone, where nothing is known of functions',
    code: '48 8d 05 07 00 00 00 48 ff cf 78 0b ff e0 48 8d 05 eb ff ff ff ff e0 c3',
    args: () => [40],
  },
  {
    name: 'loops by indirect jumps alone inside a function',
    code: '48 8d 05 07 00 00 00 48 ff cf 78 0b ff e0 48 8d 05 eb ff ff ff ff e0 c3',
    args: () => [40],
    options: { functionAt: (addr) => ({ start: asAddr(addr - (addr & 0xfff)), size: 0x1000 }) },
  },
  { name: 'divides by zero', code: '31 d2 31 c9 b8 05 00 00 00 f7 f1 c3' },
  { name: 'divides, and it is too much', code: 'ba 01 00 00 00 b9 01 00 00 00 f7 f9 c3' },
  { name: 'divides', code: '31 d2 b8 07 00 00 00 b9 03 00 00 00 48 f7 f9 c3' },
  {
    name: 'divides 128 bits',
    code: '48 89 f2 48 89 f8 b9 05 00 00 00 48 f7 f1 c3',
    args: () => [77n << 40n, 3],
  },
  { name: 'is not valid', code: '31 c0 0f 0b' },
  { name: 'breaks', code: '31 c0 cc c3' },
  { name: 'has an instruction of a feature that is not reported', code: '31 c0 62 f1 7c 48 58 c1 c3' },
  { name: 'loads a segment, which is for a machine', code: 'b8 10 00 00 00 8e d8 c3' },
  {
    name: 'writes until the memory ends',
    code: 'b9 64 00 00 00 f3 aa c3',
    args: (m) => [BigInt(m.heap + MEMORY_END - 10)],
    checkedOnly: true,
  },
  {
    name: 'writes backwards until it begins',
    code: 'b9 64 00 00 00 fd f3 66 ab c3',
    args: (m) => [BigInt(m.heap) + 21n],
    checkedOnly: true,
  },
  {
    name: 'uses another view of memory',
    code: '89 07 8b 0e ff c1 89 0a 8b 07 03 06 c3',
    prepare: (m) => {
      m.memory.map(HOME, 4096, PROT_RW);
      m.memory.mapSlow(VIEW, 4096, aliasOf(m.memory, HOME));
    },
    args: () => [BigInt(VIEW) + 13n, BigInt(HOME) + 13n, BigInt(VIEW) + 13n],
    checkedOnly: true,
  },
  {
    name: 'works with vectors',
    code: '66 48 0f 6e c7 f2 0f 51 c0 f3 0f e6 c8 66 0f fe c1 66 0f 70 d0 1b f2 0f 58 d0 66 48 0f 7e d0 c3',
    args: () => [0x4004_0000_0000_0000n],
  },
  {
    name: 'makes a NaN',
    code: '66 0f 57 c0 f2 0f 5e c0 66 48 0f 7e c0 c3',
  },
  { name: 'keeps flags', code: '48 01 f7 9c 58 66 d1 d7 9c 59 0f ba e7 03 9c 5a c3', args: () => [-1, 1] },
  {
    name: 'changes its own text',
    code: '31 c0 83 c0 01 c6 05 f8 ff ff ff 10 48 ff cf 75 f1 c3',
    args: () => [3],
    prepare: (m) => m.memory.protect(m.text, 4096, { write: true, execute: true }),
    checkedOnly: true,
  },
  {
    name: 'has its text changed',
    code: 'e8 3b 00 00 00 83 c0 01 c3',
    prepare: (m) => {
      m.memory.protect(m.text, 4096, PROT_RW);
      m.memory.raw.set([0xb8, 9, 0, 0, 0, 0xc3], (m.text >>> 0) + 0x40);
      m.memory.protect(m.text, 4096, PROT_RX);
    },
  },
  {
    name: 'stops at a breakpoint',
    code: '31 c0 48 01 f8 48 ff cf 75 f8 c3',
    args: () => [6],
    prepare: (m) => m.cpu.addBreakpoint(asAddr(m.text + 5)),
    resume: (m, stop) => stop.kind === 'breakpoint' && m.cpu.step() === undefined,
  },
  {
    name: 'stops at a watchpoint',
    code: '48 8b 07 48 ff c0 48 89 07 c3',
    args: heap,
    prepare: (m) => m.cpu.addWatchpoint({ addr: asAddr(m.heap + 4), size: 2, access: 'write' }),
    resume: (_m, stop) => stop.kind === 'watchpoint',
  },
  {
    name: 'calls us, and is left',
    code: 'bb 05 00 00 00 e8 36 00 00 00 48 01 d8 c3',
    options: {
      natives: [
        {
          addr: -0x40000000 + 0x40,
          run: (m) => {
            m.cpu.regs.setU64(0, m.cpu.regs.u64(3) * 3n);
            return m.cpu.regs.u64(3) !== 5n;
          },
        },
      ],
    },
    resume: (m, stop) => {
      if (stop.kind !== 'native') return false;
      m.cpu.regs.rip = m.memory.readPtr(m.cpu.regs.rsp);
      m.cpu.regs.rsp = asAddr(m.cpu.regs.rsp + 8);
      return true;
    },
  },
];

const MODES: readonly (readonly [name: string, options: BareMachineOptions, fuel: number])[] = [
  ['checked', {}, 2 ** 30],
  ['hot', { hotAfter: 1 }, 2 ** 30],
  ['plain', { checked: false }, 2 ** 30],
  ['plain and hot', { checked: false, hotAfter: 1 }, 2 ** 30],
  ['stepped', { stepped: true }, 2 ** 30],
  ['sliced', {}, 7],
];

/** Runs a case three times in one machine; all that each run leaves. */
function outcomes(of: CoreCase, options: BareMachineOptions, fuel: number, memory: GuestMemory): string[] {
  const code = Uint8Array.from(of.code.split(' '), (b) => Number.parseInt(b, 16));
  const all: string[] = [];
  for (const page of [VIEW, HOME]) memory.unmap(page, 4096);
  const machine = bareMachine(code, { ...of.options, ...options, memory });
  const { cpu } = machine;
  for (let round = 0; round < 3; round++) {
    memory.raw.fill(0, machine.heap >>> 0, (machine.heap >>> 0) + MEMORY_END);
    memory.raw.set(code, machine.text >>> 0);
    cpu.invalidate(machine.text, code.length);
    if (round === 0) of.prepare?.(machine);
    for (let r = 0; r < 16; r++) cpu.regs.setU64(r, BigInt(r));
    cpu.regs.fpu.fill(0n, 4);
    const before = cpu.retired;
    let stop = machine.call(machine.text, of.args?.(machine) ?? [], fuel);
    const stops: string[] = [];
    while (stop !== undefined) {
      if (stop.kind !== 'fuel') {
        const { error, ...rest } = { error: undefined, ...stop };
        stops.push(`${JSON.stringify(rest)} ${String(error ?? '')} at ${cpu.regs.rip - machine.text}`);
        if (stops.length > 20 || of.resume?.(machine, stop) !== true) break;
      }
      stop = cpu.run(fuel);
      if (stop.kind === 'native' && cpu.regs.rip > machine.text + 0x1000) stop = undefined;
    }
    const registers = Array.from({ length: 18 }, (_, r) => (r === 16 ? '' : cpu.regs.u64(r).toString(16)));
    const vectors = Array.from(cpu.regs.fpu.subarray(20), (v) => v.toString(16));
    let sum = 0;
    const bytes = memory.raw.subarray(machine.heap >>> 0, (machine.heap >>> 0) + MEMORY_END);
    for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
    all.push(
      `${stops.join(', ') || 'returns'}; ${registers.join(' ')} ${vectors.join(' ')} memory ${sum} retired ${cpu.retired - before}`,
    );
  }
  cpu.regs.setU64(SLOT_RFLAGS, 2n);
  return all;
}

/** What every case leaves in every mode. */
export function coreOutcomes(): Record<string, Record<string, string[]>> {
  const memory = new GuestMemory();
  const all: Record<string, Record<string, string[]>> = {};
  for (const of of CORE_CASES) {
    const modes: Record<string, string[]> = {};
    for (const [name, options, fuel] of MODES) {
      if (of.checkedOnly === true && options.checked === false) continue;
      modes[name] = outcomes(of, options, fuel, memory);
    }
    all[of.name] = modes;
  }
  return all;
}
