import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boot, type Machine, type MemoryReport } from '../../../machine/index.ts';
import { openBuiltInSpec } from '../../../node/index.ts';

const spec = openBuiltInSpec();
const file = readFileSync(new URL('../../../../../../modules/memory-bugs/memory-bugs.ko', import.meta.url));

/** Loads the module with the bug and unloads it again. */
async function withBug(bug: string, options: { commandLine?: string; panicOnReport?: boolean } = {}) {
  const machine = await boot({ spec, memoryMb: 64, ...options });
  const loaded = await machine.insmod(file, { params: `bug=${bug}` });
  if (loaded.kind === 'returned') await machine.rmmod('memory_bugs');
  const reports = machine.reports.filter((report): report is MemoryReport => report.kind !== 'unsupported');
  expect(reports.length).toBe(machine.reports.length);
  return { machine, reports, report: reports[0]! };
}

/** What belongs to the kernel's release is left out: its name, and places in its functions. */
function withoutRelease(text: string): string {
  return text
    .replace(/^(CPU: .*?) +\S+ #\S+ .*$/m, '$1 RELEASE')
    .replace(/^( \S+)\+0x[0-9a-f]+\/0x[0-9a-f]+$/gm, '$1+0x.../0x...')
    .replace(/\/usr\/src\/linux-headers-[^/]+\//g, 'linux/');
}

/** Bug, access, size and how far behind the start of its region the address is. */
const BUGS: Readonly<
  Record<string, readonly [MemoryReport['kind'], string, string, number, number | undefined]>
> = {
  slab_right: ['poison', 'slab-out-of-bounds', 'write', 1, 40],
  slab_left: ['poison', 'slab-out-of-bounds', 'read', 1, -1],
  slab_across: ['poison', 'slab-out-of-bounds', 'write', 8, 16],
  slab_far: ['poison', 'slab-out-of-bounds', 'write', 4, 40],
  slab_memset: ['poison', 'slab-out-of-bounds', 'write', 42, 0],
  slab_strcpy: ['poison', 'slab-out-of-bounds', 'write', 1, 11],
  use_after_free: ['poison', 'use-after-free', 'write', 4, 8],
  use_after_free_read: ['poison', 'use-after-free', 'read', 1, 39],
  use_after_krealloc: ['poison', 'use-after-free', 'write', 1, 3],
  double_free: ['bad-free', 'double-free', 'free', 0, 0],
  invalid_free: ['bad-free', 'invalid-free', 'free', 0, 8],
  free_global: ['bad-free', 'invalid-free', 'free', 0, 0],
  large_right: ['poison', 'slab-out-of-bounds', 'write', 1, 10_000],
  large_use_after_free: ['poison', 'use-after-free', 'write', 1, 77],
  page_right: ['poison', 'out-of-bounds', 'write', 1, 4096],
  page_use_after_free: ['poison', 'use-after-free', 'write', 1, 100],
  vmalloc_right: ['poison', 'vmalloc-out-of-bounds', 'write', 1, 5000],
  vmalloc_guard: ['fault', 'vmalloc-out-of-bounds', 'write', 1, 8192],
  vmalloc_use_after_free: ['fault', 'use-after-free', 'write', 1, 10],
  global_right: ['poison', 'global-out-of-bounds', 'write', 4, 20],
  global_const_right: ['poison', 'global-out-of-bounds', 'read', 4, 144],
  global_snprintf: ['poison', 'global-out-of-bounds', 'write', 24, 0],
  percpu_use_after_free: ['poison', 'use-after-free', 'write', 8, 0],
  percpu_right: ['poison', 'percpu-out-of-bounds', 'write', 4, 12],
  null_pointer: ['fault', 'null-ptr-deref', 'write', 4, undefined],
  user_pointer: ['fault', 'user-memory-access', 'write', 4, undefined],
  wild_pointer: ['fault', 'wild-memory-access', 'write', 4, undefined],
  rodata_write: ['fault', 'read-only-write', 'write', 4, 0],
  text_write: ['fault', 'read-only-write', 'write', 4, 96],
  data_execute: ['fault', 'data-execution', 'execute', 0, 0],
  null_execute: ['fault', 'null-ptr-deref', 'execute', 0, undefined],
  stack_overflow: ['fault', 'stack-overflow', 'write', 8, -80],
  again_and_again: ['poison', 'slab-out-of-bounds', 'write', 1, 40],
  init_data_exit: ['fault', 'use-after-free', 'write', 4, 4104],
  init_function_exit: ['fault', 'use-after-free', 'execute', 0, 0],
};

test('the table has every bug of the module', () => {
  const source = readFileSync(
    new URL('../../../../../../modules/memory-bugs/memory-bugs.c', import.meta.url),
    'utf8',
  );
  const names = [...source.matchAll(/^\tENTRY_OF\((\w+)\)/gm)].map((match) => match[1]);
  expect(names).toEqual(Object.keys(BUGS));
});

test.each(Object.entries(BUGS))(
  '%s is reported with its kind, access, place and region',
  async (bug, expected) => {
    const [kind, type, access, size, offset] = expected;
    const { report } = await withBug(bug);
    expect(report).toMatchObject({ kind, bug: type, access, size });
    expect(report.region && report.address - report.region.start).toBe(offset);
    const { source } = report.place;
    const files = [source?.file, ...(source?.inlinedFrom ?? []).map((caller) => caller.file)];
    expect(files).toContain('modules/memory-bugs/memory-bugs.c');
    expect(report.stack.map((frame) => frame.function)).toContain(bug);
    await expect(`${withoutRelease(report.text)}\n`).toMatchFileSnapshot(`fixtures/${bug}.txt`);
  },
);

test('allocation and free have whole stacks, from the function of ours to the system call', async () => {
  const { report } = await withBug('use_after_free');
  const { region } = report;
  if (region?.kind !== 'slab') throw new Error('no slab object');
  const functions = (track: typeof region.allocated) => track?.stack.map((frame) => frame.function);
  const outer = ['use_after_free', 'run', 'memory_bugs_init', 'do_one_initcall', 'do_init_module'];
  expect(functions(region.allocated)?.slice(0, 6)).toEqual(['make_item', ...outer]);
  expect(functions(region.freed)?.slice(0, 6)).toEqual(['drop_item', ...outer]);
  expect(functions(region.freed)?.at(-1)).toBe('entry_SYSCALL_64_after_hwframe');
  expect(region).toMatchObject({ cache: 'kmalloc-64', cacheSize: 64, size: 40 });
  expect(region.freed?.pid).toBe(report.pid);
});

test('the access is made all the same, and what follows is as on the real kernel', async () => {
  const { machine } = await withBug('slab_right');
  expect(machine.log.at(-1)?.text).toBe('memory-bugs: exit is done');
  expect(machine.panicked).toBe(false);
  // the log is the kernel's own, which knows of no checker
  expect(machine.log.some((record) => record.text.includes('KASAN'))).toBe(false);
});

test('a place is told once and counted', async () => {
  const { reports } = await withBug('again_and_again');
  expect(reports.map((report) => report.count)).toEqual([1000]);
  const all = await withBug('again_and_again', { commandLine: 'kasan_multi_shot' });
  expect(all.reports.length).toBe(1000);
});

const logOf = (machine: Machine) => machine.log.map((record) => record.text);

test('panicOnReport stops the machine before the access, with the words of panic_on_warn', async () => {
  const { machine, reports } = await withBug('slab_right', { panicOnReport: true });
  expect(reports.length).toBe(1);
  expect(machine.panicked).toBe(true);
  expect(logOf(machine)).toContain('Kernel panic - not syncing: KASAN: panic_on_warn set ...');
  expect(logOf(machine)).not.toContain('memory-bugs: init is done');
});

test('kasan.fault=panic on the command line stops it with its own words, also before an oops', async () => {
  const { machine } = await withBug('null_pointer', { commandLine: 'kasan.fault=panic' });
  expect(logOf(machine)).toContain('Kernel panic - not syncing: kasan.fault=panic set ...');
  expect(logOf(machine).join('\n')).not.toContain('Oops');
});

test('panic_on_warn alone stops nothing: the kernel that is simulated has no KASAN', async () => {
  const { machine } = await withBug('slab_right', { commandLine: 'panic_on_warn=1' });
  expect(machine.panicked).toBe(false);
});
