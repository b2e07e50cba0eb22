import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inTask, native, smallMachine } from '../../kernel.fixture.ts';

const GFP_KERNEL = 0xcc0;
const file = (name: string) => readFileSync(new URL(`../../../../../../modules/${name}.ko`, import.meta.url));

test('the same stack is kept once, however often it comes', async () => {
  const { machine } = await smallMachine();
  const { depot } = machine.kernel.tracks;
  await inTask(machine, function* () {
    const sizes: number[] = [];
    for (let i = 0; i < 100; i++) {
      const p = yield* native(machine, '__kmalloc', 32, GFP_KERNEL);
      yield* native(machine, 'kfree', p);
      sizes.push(depot.size);
    }
    expect(sizes.at(-1)).toBe(sizes[0]);
  });
});

test('stacks keep the names of code that has gone, and other code at its addresses has its own', async () => {
  const { machine } = await smallMachine();
  const { kernel } = machine;
  const load = async (name: string, bug: string) => {
    await machine.insmod(file(name), { params: bug });
    await machine.rmmod(name.replace(/^.*\//, '').replaceAll('-', '_'));
  };
  await load('memory-bugs/memory-bugs', 'bug=use_after_free');
  const report = machine.reports[0]!;
  if (report.kind === 'unsupported' || report.kind === 'uninit-value' || report.region?.kind !== 'slab')
    throw new Error('no report of a slab object');
  const object = kernel.slab.find(report.address)!;
  const names = () => kernel.tracks.depot.frames(object.allocated.stack!).map((frame) => frame.symbol);
  const before = names();
  expect(before[0]).toMatch(/^make_item\+.* \[memory_bugs\]$/);
  const size = kernel.tracks.depot.size;
  await load('memory/allocate', '');
  expect(names()).toEqual(before);
  expect(kernel.tracks.depot.size).toBeLessThanOrEqual(size + 8);
});

test('the stack of every allocation of a module leads down to the system call', async () => {
  const { machine } = await smallMachine();
  const { kernel } = machine;
  const seen: string[][] = [];
  const alloc = kernel.kmalloc.alloc.bind(kernel.kmalloc);
  kernel.kmalloc.alloc = (...args) => {
    seen.push(kernel.tracks.depot.frames(kernel.tracks.depot.capture()).map((frame) => frame.function ?? ''));
    return alloc(...args);
  };
  await machine.insmod(file('memory/allocate'));
  const ofModule = seen.filter((stack) => stack.includes('allocate_init'));
  expect(ofModule.length).toBeGreaterThan(3);
  for (const stack of ofModule) expect(stack.at(-1)).toBe('entry_SYSCALL_64_after_hwframe');
});
