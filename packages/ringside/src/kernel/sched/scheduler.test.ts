import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asAddr } from '../../bytes/index.ts';
import { inTask, native, smallMachine } from '../kernel.fixture.ts';
import { call } from './routine.ts';

const hello = new Uint8Array(readFileSync(new URL('../../../../../modules/hello/hello.ko', import.meta.url)));

test('sleeping with preemption disabled is told as the kernel does, and goes on', async () => {
  const { machine, log } = await smallMachine();
  let after = false;
  await inTask(machine, function* () {
    const lock = machine.kernel.kmalloc.alloc(8, true);
    yield* native(machine, '_raw_spin_lock', lock);
    yield* native(machine, 'msleep', 10);
    after = true;
  });
  expect(after).toBe(true);
  expect(log.join('\n')).toMatch(/^BUG: scheduling while atomic: test\/\d+\/0x00000002$/m);
});

test('tasks that are gone give their memory back', async () => {
  const { machine } = await smallMachine();
  const first = await machine.insmod(hello);
  expect(first).toEqual({ kind: 'returned', value: 0 });
  await machine.rmmod('hello');
  const before = machine.kernel.pages.freePages;
  for (let i = 0; i < 300; i++) {
    await machine.insmod(hello);
    await machine.rmmod('hello');
  }
  expect(machine.modules()).toEqual([]);
  // what is left is the quarantine's
  expect(before - machine.kernel.pages.freePages).toBeLessThan(1024);
  expect(machine.kernel.sched.tasks.size).toBeLessThan(10);
});

test('a stack pointer that leads nowhere ends the task, not the host', async () => {
  const { machine, log } = await smallMachine();
  const task = await inTask(machine, function* () {
    yield* call(asAddr(0x1234));
  });
  expect(task.exitCode).not.toBe(0);
  expect(log.join('\n')).toContain('Oops: 0010 [#1]');
});
