import { asAddr } from '../bytes/index.ts';
import { ElfFile } from '../elf/index.ts';
import { PROT_RW } from '../memory/index.ts';
import { type BareMachine, type BareMachineOptions, bareMachine } from './bare-machine.ts';
import type { Stop } from './index.ts';

/** The kernels of bench/engine/kern.c with small sizes. */
export const SMALL_KERNELS = [
  ['sha', 256],
  ['crc', 512],
  ['list', 32],
  ['fib', 9],
  ['calls', 60],
  ['bytes', 512],
  ['sort', 40],
] as const;

export interface KernelMachine {
  readonly machine: BareMachine;
  /** Fills the heap and begins the kernel; the first stop (undefined: it has returned). */
  begin(kernel: string, size: number, fuel: number): Stop | undefined;
}

const FILL_BYTES = 8192;

/** Heap and stack. */
const AREAS = (machine: BareMachine): readonly (readonly [from: number, size: number])[] => [
  [machine.heap, 0x1_0000],
  [machine.stack - 0x4000, 0x4000],
];

/** A machine with bench/engine/guest.elf in it. Needs nothing of a platform. */
export function kernelMachine(file: Uint8Array, options: BareMachineOptions = {}): KernelMachine {
  const elf = new ElfFile(file);
  const functions = [...(elf.symbols ?? [])]
    .filter((s) => s.type === 2)
    .map((s) => ({ name: s.name, start: s.value, size: s.size }));
  const text = elf.sections.find((s) => s.name === '.text')!;
  const machine = bareMachine(elf.data(text), {
    ...options,
    functionAt: (addr) => functions.find((f) => addr >= f.start && addr < f.start + f.size),
  });
  const data = elf.sections.filter((s) => s.flags & 2 && s !== text && s.size > 0);
  for (const section of data) {
    const page = Math.floor(section.addr / 4096) * 4096;
    const size = Math.ceil((section.addr + section.size - page) / 4096) * 4096;
    machine.memory.map(asAddr(page), size, PROT_RW);
  }
  const { raw } = machine.memory;
  return {
    machine,
    begin: (kernel, size, fuel) => {
      for (const section of data) {
        const at = section.addr >>> 0;
        if (section.type === 8) raw.fill(0, at, at + section.size);
        else raw.set(elf.data(section), at);
      }
      for (const [from, bytes] of AREAS(machine)) raw.fill(0, from >>> 0, (from >>> 0) + bytes);
      for (let r = 0; r < 16; r++) machine.cpu.regs.setU64(r, 0n);
      for (let i = 0, s = 1; i < FILL_BYTES; i++) {
        s = (Math.imul(s, 1103515245) + 12345) | 0;
        raw[(machine.heap >>> 0) + i] = s >>> 16;
      }
      const entry = functions.find((f) => f.name === `k_${kernel}`)!.start;
      return machine.call(entry, [BigInt(machine.heap), BigInt(size)], fuel);
    },
  };
}

/** All that a run leaves: registers, count, and a sum over the heap and the stack. */
export function outcome({ machine }: KernelMachine, before = 0): string {
  const { regs } = machine.cpu;
  const names = Array.from({ length: 16 }, (_, r) => regs.u64(r).toString(16));
  let sum = 0;
  for (const [from, size] of AREAS(machine)) {
    const bytes = machine.memory.raw.subarray(from >>> 0, (from >>> 0) + size);
    for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  }
  return `${names.join(' ')} flags ${regs.u64(17).toString(16)} retired ${machine.cpu.retired - before} memory ${sum >>> 0}`;
}

/** Runs a kernel to its end with slices of the sizes that `slice` gives. */
export function runSliced(of: KernelMachine, kernel: string, size: number, slice: () => number): string {
  const before = of.machine.cpu.retired;
  let stop = of.begin(kernel, size, slice());
  while (stop?.kind === 'fuel') {
    stop = of.machine.cpu.run(slice());
    if (stop.kind === 'native') stop = undefined;
  }
  if (stop !== undefined) throw new Error(`${kernel} stopped: ${JSON.stringify(stop)}`);
  return outcome(of, before);
}
