import { expect, test } from 'vitest';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { inTask, native, smallMachine } from '../kernel.fixture.ts';

test('a sleep of n ticks lasts as long as a timer of the wheel takes', async () => {
  const { machine } = await smallMachine();
  const { jiffies } = machine.kernel;
  const slept: number[] = [];
  await inTask(machine, function* () {
    for (const ms of [1, 20, 500, 5000]) {
      const start = jiffies.now;
      yield* native(machine, 'msleep', ms);
      slept.push(jiffies.now - start);
    }
  });
  // timeout + 1 ticks, one more on the finest level, up to the next multiple of 8 or 64 on the others
  expect(slept.slice(0, 2)).toEqual([3, 7]);
  expect(slept[2]).toBeGreaterThan(126);
  expect(slept[2]).toBeLessThanOrEqual(134);
  expect(slept[3]).toBeGreaterThan(1251);
  expect(slept[3]).toBeLessThanOrEqual(1251 + 64);
});

test('times beyond 2^47 nanoseconds are given in full', async () => {
  const { machine } = await smallMachine();
  machine.kernel.clock.spend(2 ** 48);
  await inTask(machine, function* () {
    expect(yield* native(machine, 'ktime_get')).not.toBe(0);
  });
  expect(machine.panicked).toBe(false);
});

test('100,000 timers are set, moved and taken out in a moment', async () => {
  const { machine } = await smallMachine();
  const { timers, kmalloc, memory, jiffies } = machine.kernel;
  const all: GuestAddr[] = [];
  for (let i = 0; i < 100_000; i++) {
    const timer = kmalloc.alloc(64, true);
    if (timer === 0) break;
    timers.init(timer, asAddr(1), 0);
    all.push(timer);
  }
  const now = BigInt(jiffies.now);
  for (const [i, timer] of all.entries()) expect(timers.modify(timer, now + 100n + BigInt(i))).toBe(false);
  for (const [i, timer] of all.entries()) timers.modify(timer, now + 100_000n - BigInt(i));
  for (const timer of all) expect(timers.remove(timer)).toBe(true);
  expect(memory.readU64(all[0]!)).toBe(0n);
  expect(all.length).toBeGreaterThan(50_000);
});
