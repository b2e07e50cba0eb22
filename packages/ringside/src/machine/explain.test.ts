import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openBuiltInSpec } from '../node/index.ts';
import { boot, explainCrash, type Machine, recordText } from './index.ts';

const spec = openBuiltInSpec();

async function booted(): Promise<{ machine: Machine; explained: string[] }> {
  const explained: string[] = [];
  const machine = await boot({ spec, onCrash: (crash) => explained.push(...explainCrash(crash)) });
  return { machine, explained };
}

const file = (name: string) => readFileSync(new URL(`../../../../modules/${name}.ko`, import.meta.url));

test('a forgotten unregistering names the caller, the function that is gone, its module and who has the pointer', async () => {
  const { machine, explained } = await booted();
  await machine.insmod(file('hooks/hook-a'));
  await machine.insmod(file('hooks/hook-b-forgets'));
  await machine.rmmod('hook_b_forgets');
  await machine.advance({ forNs: 30e9 });
  expect(explained).toEqual([
    expect.stringMatching(
      /^The work function tick\(\) of module hook_a called on_tick\(\) of module hook_b_forgets, which has been unloaded \(f{8}\w{8}\), and its worker was killed\.$/,
    ),
    expect.stringMatching(/^Called from modules\/hooks\/hook-a\.c:\d+ in tick\(\)$/),
    'The pointer to it is still in hook of module hook_a.',
    'The exit function of hook_b_forgets must take back every pointer to its functions that it has registered anywhere.',
  ]);
  expect(machine.log.map((record) => recordText(record)).join('\n')).toContain(' ? tick+');
});

test('a call of init code from exit is told as that, and what the module stays', async () => {
  const { machine, explained } = await booted();
  await machine.insmod(file('exit-calls-init/exit-noinline'));
  await machine.rmmod('exit_noinline');
  expect(explained[0]).toMatch(
    /in the exit of module exit_noinline, called report\(\) .* init memory, which is gone/,
  );
  expect(explained.at(-1)).toMatch(/^Module exit_noinline stays Unloading/);
});

test.each([
  [
    'oops/null-write',
    /the member at offset 0x18 of a NULL pointer in fill_box/,
    'null-write.c:26 in fill_box()',
  ],
  ['oops/wild-jump', /jumped to fffff00012345678, where there is nothing/, 'wild-jump.c:11 in start()'],
  ['oops/rodata-write', /wrote to \w+ in start\+.*, which is read-only/, 'constant in .rodata'],
  ['oops/stack-overflow', /used up its kernel stack .*: recurse\(\) called itself/, 'It panicked'],
  ['oops/work-oops', /^The work function work_fn\(\) of module work_oops wrote to a NULL/, 'work-oops.c:13'],
  ['oops/timer-oops', /^A timer, while swapper\/0 \(PID 0\) was on the CPU, wrote/, 'It panicked'],
  [
    'warn/warn',
    /^A WARN\(\) in check\+.* insmod \(PID 2\), in the init of module warn, went on\.$/,
    'warn.c:10',
  ],
])('%s is explained with its cause and its place', async (name, cause, further) => {
  const { machine, explained } = await booted();
  await machine.insmod(file(name));
  await machine.advance({});
  expect(explained[0]).toMatch(cause);
  expect(explained.join('\n')).toContain(further);
});

test('a static call of the kernel is no memory error', async () => {
  const { machine } = await booted();
  expect(await machine.insmod(file('time/might-sleep'))).toEqual({ kind: 'returned', value: 0 });
  expect(machine.reports).toEqual([]);
});
