/**
 * The seven kernels of kern.c in a bare machine: `guest.elf` is kern.c as gcc compiles modules (see the Makefile), linked at
 * the module area.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asAddr } from '../../packages/ringside/src/bytes/index.ts';
import { ElfFile } from '../../packages/ringside/src/elf/index.ts';
import { PROT_RW } from '../../packages/ringside/src/memory/index.ts';
import { type BareMachine, bareMachine } from '../../packages/ringside/src/translate/bare-machine.ts';
import { RAX } from '../../packages/ringside/src/translate/index.ts';
import type { KernelRun } from './kernel-run.ts';

export interface SyntheticKernel {
  readonly name: string;
  readonly size: number;
  readonly smokeSize: number;
  /** Its result for the smoke run on the processor. */
  readonly smokeResult: bigint;
}

export const SYNTHETIC_KERNELS: readonly SyntheticKernel[] = [
  { name: 'sha', size: 1048576, smokeSize: 65536, smokeResult: 347110374003596438n },
  { name: 'crc', size: 1048576, smokeSize: 65536, smokeResult: 317027235n },
  { name: 'list', size: 4096, smokeSize: 512, smokeResult: 4299549802611n },
  { name: 'fib', size: 25, smokeSize: 15, smokeResult: 610n },
  { name: 'calls', size: 100000, smokeSize: 1000, smokeResult: 9536470294577204326n },
  { name: 'bytes', size: 1048576, smokeSize: 65536, smokeResult: 2124277606n },
  { name: 'sort', size: 20000, smokeSize: 1000, smokeResult: 5686725486074525039n },
];

const HEAP_BYTES = 8 << 20;
const FILL_BYTES = 2 << 20;
/** Slices of so many instructions, as a machine would. */
const SLICE = 2 ** 24;

/** A machine with the kernels, by name. */
export function loadSyntheticKernels(checked: boolean, exact = false): ReadonlyMap<string, KernelRun> {
  const elf = new ElfFile(readFileSync(join(import.meta.dirname, 'guest.elf')));
  const functions = [...(elf.symbols ?? [])]
    .filter((s) => s.type === 2)
    .map((s) => ({ name: s.name, start: s.value, size: s.size }));
  const text = elf.sections.find((s) => s.name === '.text')!;
  const machine = bareMachine(elf.data(text), {
    checked,
    exact,
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
  return new Map(
    SYNTHETIC_KERNELS.map(({ name }) => {
      const entry = asAddr(functions.find((f) => f.name === `k_${name}`)!.start);
      return [
        name,
        (size) => {
          fill(machine);
          const start = performance.now();
          let stop = machine.call(entry, [BigInt(machine.heap), BigInt(size)], SLICE);
          while (stop?.kind === 'fuel') {
            stop = machine.cpu.run(SLICE);
            if (stop.kind === 'native') stop = undefined;
          }
          const ns = (performance.now() - start) * 1e6;
          if (stop !== undefined) throw new Error(`${name} stopped: ${JSON.stringify(stop)}`);
          return { result: machine.cpu.regs.u64(RAX), ns };
        },
      ];
    }),
  );
}

/** The pseudo-random bytes that main.c fills its buffer with. */
function fill(machine: BareMachine): void {
  const { raw } = machine.memory;
  const base = machine.heap >>> 0;
  let s = 1;
  for (let i = 0; i < FILL_BYTES; i++) {
    s = (Math.imul(s, 1103515245) + 12345) | 0;
    raw[base + i] = s >>> 16;
  }
}
