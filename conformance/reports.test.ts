import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boot, type Report } from '../packages/ringside/src/machine/index.ts';
import { openBuiltInSpec } from '../packages/ringside/src/node/index.ts';
import { caseNames, readCase } from './harness/case.ts';
import { runCase } from './harness/run-case.ts';
import { createTarget } from './ringside-target.ts';

/** Cases that misbehave on purpose, with what the memory checker says of each, and of nothing else. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  // calls of code that is gone
  'exit-noinline': ['use-after-free in report'],
  'hooks-forgotten': ['use-after-free in tick'],
  'weak-symbol': ['null-ptr-deref in hello_init'],
  // calls of what is no code
  'oops-data-call': ['data-execution in start'],
  'oops-null-call': ['null-ptr-deref in start'],
  'oops-wild-jump': ['wild-memory-access in start'],
  // pointers that lead nowhere: in init, exit, a timer, a work item
  'oops-null-read': ['null-ptr-deref in open_box'],
  'oops-null-write': ['null-ptr-deref in fill_box'],
  'oops-init-again': ['null-ptr-deref in fill_box'],
  'oops-exit': ['null-ptr-deref in stop'],
  'oops-timer': ['null-ptr-deref in timer_fn'],
  'oops-work': ['null-ptr-deref in work_fn'],
  'oops-user-pointer': ['user-memory-access in start'],
  'oops-wild-pointer': ['wild-memory-access in follow'],
  // writes to constants, to text, to the kernel's own constants
  'oops-rodata-write': ['read-only-write in start'],
  'oops-text-write': ['read-only-write in start'],
  'oops-kernel-rodata-write': ['read-only-write in start'],
  // endless recursion
  'oops-stack-overflow': ['stack-overflow in recurse'],
};

/** The same for the example modules, each loaded by itself for ten seconds. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  'exit-calls-init/exit-noinline': CASES['exit-noinline']!,
  ...Object.fromEntries(
    [
      'data-call',
      'null-call',
      'wild-jump',
      'null-read',
      'null-write',
      'user-pointer',
      'wild-pointer',
      'rodata-write',
      'text-write',
      'kernel-rodata-write',
      'stack-overflow',
    ].map((name) => [`oops/${name}`, CASES[`oops-${name}`]!]),
  ),
  'oops/exit-oops': CASES['oops-exit']!,
  'oops/timer-oops': CASES['oops-timer']!,
  'oops/work-oops': CASES['oops-work']!,
};

const bugsOf = (reports: readonly Report[]) =>
  reports.map((report) =>
    report.kind === 'unsupported' ? report.error.message : `${report.bug} in ${report.place.function}`,
  );

test.each(caseNames())(
  'in %s the memory checker says what is wrong there, and nothing else',
  async (name) => {
    const theCase = readCase(name);
    const target = await createTarget({ kernelParameters: theCase.kernelParameters });
    await runCase(theCase, target);
    expect(bugsOf(target.reports)).toEqual(CASES[name] ?? []);
  },
);

test.each(caseNames())(
  'in %s nothing else is said when uses of uninitialised memory are looked for',
  async (name) => {
    const theCase = readCase(name);
    const target = await createTarget({ kernelParameters: theCase.kernelParameters }, false, true);
    await runCase(theCase, target);
    expect(bugsOf(target.reports)).toEqual(CASES[name] ?? []);
  },
);

const modulesFolder = new URL('../modules/', import.meta.url);
const modules = readdirSync(modulesFolder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ko'))
  .map((path) => path.slice(0, -'.ko'.length))
  .sort();

test.each(modules)('of module %s the memory checker says what is wrong, and nothing else', async (name) => {
  const machine = await boot({ spec: openBuiltInSpec(), memoryMb: 64 });
  await machine.insmod(readFileSync(new URL(`${name}.ko`, modulesFolder)));
  await machine.advance({ forNs: 10e9 });
  for (const { name: loaded } of machine.modules()) await machine.rmmod(loaded);
  expect(bugsOf(machine.reports)).toEqual(MODULES[name] ?? []);
});
