import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boot, type UninitReport } from '../../../machine/index.ts';
import { openBuiltInSpec } from '../../../node/index.ts';

const spec = openBuiltInSpec();
const folder = new URL('../../../../../../modules/uninit-bugs/', import.meta.url);
const file = readFileSync(new URL('uninit-bugs.ko', folder));

async function withBug(bug: string, options: { uninitialised?: boolean; panicOnReport?: boolean } = {}) {
  const machine = await boot({ spec, memoryMb: 64, uninitialised: true, ...options });
  const loaded = await machine.insmod(file, { params: `bug=${bug}` });
  if (loaded.kind === 'returned') await machine.rmmod('uninit_bugs');
  const reports = machine.reports.filter((report): report is UninitReport => report.kind === 'uninit-value');
  expect(reports.length).toBe(machine.reports.length);
  return { machine, reports };
}

/** What belongs to the kernel's release is left out: its name, and places in its functions. */
function withoutRelease(text: string): string {
  return text
    .replace(/^(CPU: .*?) +\S+ #\S+ .*$/m, '$1 RELEASE')
    .replace(/^( \S+)\+0x[0-9a-f]+\/0x[0-9a-f]+$/gm, '$1+0x.../0x...')
    .replace(/\/usr\/src\/linux-headers-[^/]+\//g, 'linux/');
}

/** What the undefined value decides, where it came from and how often it was stored on its way. */
const BUGS: Readonly<Record<string, readonly [UninitReport['use'], 'heap' | 'stack', number]>> = {
  branch_heap: ['branch', 'heap', 0],
  branch_stack: ['branch', 'stack', 0],
  branch_sum: ['branch', 'heap', 0],
  branch_bit_field: ['branch', 'heap', 1],
  table_index: ['address', 'heap', 0],
  division: ['divisor', 'heap', 0],
  function_pointer: ['jump', 'heap', 1],
  printed_number: ['argument', 'heap', 0],
  printed_argument: ['read', 'heap', 0],
  printed_string: ['read', 'heap', 0],
  compared_strings: ['read', 'heap', 0],
  compared_padding: ['read', 'heap', 0],
  copied_then_used: ['branch', 'heap', 2],
  allocated_size: ['argument', 'heap', 0],
  grown: ['branch', 'heap', 0],
  page: ['branch', 'heap', 0],
  vmalloc_area: ['branch', 'heap', 0],
  forgotten_result: ['branch', 'stack', 0],
  again_and_again: ['branch', 'heap', 0],
};

const source = readFileSync(new URL('uninit-bugs.c', folder), 'utf8');
const names = [...source.matchAll(/^\tENTRY_OF\((\w+)\)/gm)].map((match) => match[1]!);
const innocent = names.filter((name) => name.startsWith('fine_'));

test('the table has every bug of the module', () => {
  expect(names.filter((name) => !innocent.includes(name))).toEqual(Object.keys(BUGS));
  expect(innocent.length).toBeGreaterThan(10);
});

test.each(Object.entries(BUGS))('%s is reported once, with its use and origin', async (bug, expected) => {
  const { reports } = await withBug(bug);
  expect(reports.length).toBe(1);
  const report = reports[0]!;
  expect([report.use, report.created?.kind, report.stored.length]).toEqual(expected);
  const { source: place } = report.place;
  const files = [place?.file, ...(place?.inlinedFrom ?? []).map((caller) => caller.file)];
  expect(files).toContain('modules/uninit-bugs/uninit-bugs.c');
  expect(report.stack.map((frame) => frame.function)).toContain(bug);
  expect(report.created?.stack.map((frame) => frame.function)).toContain('run');
  await expect(`${withoutRelease(report.text)}\n`).toMatchFileSnapshot(`fixtures/${bug}.txt`);
});

test.each(innocent)('%s is not reported', async (name) => {
  const { machine } = await withBug(name);
  expect(machine.reports).toEqual([]);
  expect(machine.log.at(-1)?.text).toBe('uninit_bugs: exit is done');
});

test('a place is told once and counted', async () => {
  const { reports } = await withBug('again_and_again');
  expect(reports.map((report) => report.count)).toEqual([1000]);
});

test('it is off unless asked for, and changes neither times nor counts', async () => {
  const plain = await withBug('compared_padding', { uninitialised: false });
  expect(plain.reports).toEqual([]);
  const { machine } = await withBug('compared_padding');
  const life = (of: typeof machine) => of.log.map((record) => `${record.timeNs} ${record.text}`);
  expect(life(machine)).toEqual(life(plain.machine));
  expect(machine.kernel.cpu.retired).toBe(plain.machine.kernel.cpu.retired);
});

test('panicOnReport stops the machine with the words of panic_on_warn', async () => {
  const { machine } = await withBug('branch_heap', { panicOnReport: true });
  expect(machine.panicked).toBe(true);
  expect(machine.log.map((record) => record.text)).toContain(
    'Kernel panic - not syncing: KMSAN: panic_on_warn set ...',
  );
});
