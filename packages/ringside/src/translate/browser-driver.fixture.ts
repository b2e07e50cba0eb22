import { kernelMachine, runSliced, SMALL_KERNELS } from './kernels.fixture.ts';

/** What each kernel leaves, plain, checked, stepped and in slices: the same on every platform. */
export function engineOutcomes(file: Uint8Array): Record<string, string> {
  const outcomes: Record<string, string> = {};
  for (const [name, options, slice] of [
    ['plain', { checked: false }, 2 ** 30],
    ['checked', {}, 2 ** 30],
    ['sliced', {}, 37],
  ] as const) {
    const machine = kernelMachine(file, options);
    for (const [kernel, size] of SMALL_KERNELS) {
      outcomes[`${kernel} ${name}`] = runSliced(machine, kernel, size, () => slice);
    }
  }
  return outcomes;
}
