import { coreOutcomes } from './core.fixture.ts';
import { finish, load, machineFor, makeWork } from './functions.fixture.ts';
import { kernelMachine, runSliced, SMALL_KERNELS } from './kernels.fixture.ts';
import { SLOT_RFLAGS } from './register-file.ts';

/** What each kernel leaves, plain, checked, hot and in slices: the same on every platform. */
function kernelOutcomes(file: Uint8Array): Record<string, string> {
  const outcomes: Record<string, string> = {};
  for (const [name, options, slice] of [
    ['plain', { checked: false }, 2 ** 30],
    ['checked', {}, 2 ** 30],
    ['hot', { hotAfter: 1 }, 2 ** 30],
    ['sliced', {}, 37],
  ] as const) {
    const machine = kernelMachine(file, options);
    for (const [kernel, size] of SMALL_KERNELS) {
      outcomes[`${kernel} ${name}`] = runSliced(machine, kernel, size, () => slice);
    }
  }
  return outcomes;
}

/** What generated functions leave: where they stop, with which registers, after how many instructions. */
function functionOutcomes(): string[] {
  const work = makeWork(7, 12);
  return [{}, { hotAfter: 1 }].flatMap((options) => {
    const machine = machineFor(work, options);
    return work.runs.slice(0, 1000).map((run) => {
      load(machine, work, run);
      const { cpu } = machine;
      const before = cpu.retired;
      const stop = finish(machine, () => 50);
      const registers = Array.from({ length: 16 }, (_, r) => cpu.regs.u64(r).toString(16));
      const vectors = Array.from(cpu.regs.fpu.subarray(4), (v) => v.toString(16));
      return `${JSON.stringify(stop)} at ${cpu.regs.rip}: ${registers.join(' ')} flags ${cpu.regs.u64(SLOT_RFLAGS)} ${vectors.join(' ')} retired ${cpu.retired - before}`;
    });
  });
}

/** Everything that must be the same in a browser. */
export function engineOutcomes(file: Uint8Array) {
  return { kernels: kernelOutcomes(file), core: coreOutcomes(), functions: functionOutcomes() };
}
