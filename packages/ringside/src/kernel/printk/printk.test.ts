import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KERN, LOGLEVEL } from '../../abi/index.ts';
import { asAddr } from '../../bytes/index.ts';
import { DIRECT_MAP, GuestMemory, PROT_RW } from '../../memory/index.ts';
import { formatTime, kmsgText, Printk, ratelimit, recordText } from './index.ts';

/** Texts given to printk("%s") on the real kernel, and what the log made of them; see modules/printf. */
const recording: {
  messages: string[];
  kmsg: { priority: number; seq: number; flag: string; text: string }[];
  raw: string[];
} = JSON.parse(readFileSync(new URL('./fixtures/messages.json', import.meta.url), 'latin1'));

function logOf(messages: readonly string[]): Printk {
  const log = new Printk({ clock: { nowNs: 7_123_456_789 }, callerId: () => 42 });
  for (const message of messages) log.emit(message);
  return log;
}

describe('what the real kernel recorded', () => {
  const log = logOf(['PKBEGIN\n', ...recording.messages, '\x016PKEND\n']);

  test('is in /dev/kmsg record for record', () => {
    const records = [...log.records()].map((record) => {
      const [, priority, seq, flag, text] = /^(\d+),(\d+),7123456,(.);(.*)\n$/.exec(kmsgText(record))!;
      return { priority: Number(priority), seq: Number(seq), flag, text };
    });
    expect(records).toEqual(recording.kmsg);
  });

  test('is in dmesg line for line, long messages cut at the same place', () => {
    const lines = log.dmesg(0, { priority: true }).split('\n').slice(0, -1);
    expect(lines.map((line) => line.replace(/\[ *\d+\.\d+\]/, '[time]'))).toEqual(recording.raw);
  });
});

describe('a message without newline', () => {
  test('is seen only when the next one comes', () => {
    const log = logOf([`${KERN.KERN_INFO}half`]);
    expect(log.dmesg()).toBe('');
    expect(log.openText).toBe('half');
    log.printk(KERN.KERN_INFO, 'next\n');
    expect(log.dmesg(0, { time: false })).toBe('half\nnext\n');
  });

  test('is not continued by another caller', () => {
    let pid = 1;
    const log = new Printk({ clock: { nowNs: 0 }, callerId: () => pid });
    log.printk(KERN.KERN_INFO, 'one');
    pid = 2;
    log.printk(KERN.KERN_CONT, ' two\n');
    expect([...log.records()].map(({ text, cont }) => [text, cont])).toEqual([
      ['one', false],
      [' two', true],
    ]);
  });
});

test('listeners are told once, when a record is finished', () => {
  const log = new Printk({ clock: { nowNs: 1_000_000_000 } });
  const seen: string[] = [];
  const stop = log.subscribe((record) => seen.push(recordText(record)));
  log.printk(KERN.KERN_INFO, 'a');
  expect(seen).toEqual([]);
  log.printk(KERN.KERN_CONT, 'b\n');
  expect(seen).toEqual(['[    1.000000] ab\n']);
  stop();
  log.printk(KERN.KERN_INFO, 'c\n');
  expect(seen).toHaveLength(1);
});

test('the oldest records make room and sequence numbers go on', () => {
  const log = new Printk({ clock: { nowNs: 0 }, logBufferBytes: 1024 });
  for (let i = 0; i < 100; i++) log.printk(KERN.KERN_INFO, `message ${i} ${'x'.repeat(80)}\n`);
  expect(log.nextSeq).toBe(100);
  expect(log.firstSeq).toBeGreaterThan(80);
  expect([...log.records()].map(({ seq }) => seq)).toEqual(
    Array.from({ length: 100 - log.firstSeq }, (_, i) => log.firstSeq + i),
  );
  expect([...log.records(99)].map(({ text }) => text.slice(0, 10))).toEqual(['message 99']);
});

test('a facility other than the kernel keeps its text as it is', () => {
  const log = new Printk({ clock: { nowNs: 0 } });
  log.emit('\x013text\n', { facility: 1, level: 5 });
  expect(log.dmesg(0, { priority: true, time: false })).toBe('<13>\x013text\n');
});

test('a deferred message has the level of its text', () => {
  const log = new Printk({ clock: { nowNs: 0 } });
  log.emit('\x012text\n', { level: LOGLEVEL.LOGLEVEL_SCHED });
  log.emit('\x012text\n', { level: 6 });
  expect([...log.records()].map(({ level }) => level)).toEqual([2, 6]);
});

test('time has five places before the point and six behind it', () => {
  expect([0, 1_234_567_890, 99_999_999_999_999, 123_456_000_000_999].map(formatTime)).toEqual([
    '[    0.000000]',
    '[    1.234567]',
    '[99999.999999]',
    '[123456.000000]',
  ]);
});

test('a rate limit lets a burst through and then tells how many it held back', () => {
  const memory = new GuestMemory();
  memory.map(DIRECT_MAP.start, 4096, PROT_RW);
  const offsets: Record<string, number> = {
    lock: 0,
    interval: 4,
    burst: 8,
    printed: 12,
    missed: 16,
    begin: 24,
    flags: 32,
  };
  const log = new Printk({ clock: { nowNs: 0 } });
  let jiffies = 2n ** 64n - 3n;
  const services = {
    memory,
    types: { struct: () => ({ size: 40, offsetOf: (path: string) => offsets[path]! }) },
    printk: log,
    jiffies: () => BigInt.asUintN(64, jiffies),
  };
  memory.writeU32(asAddr(DIRECT_MAP.start + 4), 10);
  memory.writeU32(asAddr(DIRECT_MAP.start + 8), 2);
  const results = Array.from({ length: 5 }, () => ratelimit(services, DIRECT_MAP.start, 'my_func'));
  expect(results).toEqual([true, true, false, false, false]);
  jiffies += 11n;
  expect(ratelimit(services, DIRECT_MAP.start, 'my_func')).toBe(true);
  expect(log.dmesg(0, { priority: true, time: false })).toBe('<4>my_func: 3 callbacks suppressed\n');
});
