import { expect, test } from 'vitest';
import { decodeLogText, formatRecord } from './dmesg.ts';

const colour = (level: number, text: string) => formatRecord({ level, timeNs: 1_000_000_999, text }, true);

// Recorded from `dmesg -F FILE --color=always`, util-linux 2.38.1.
test.each([
  [6, 'hello: world text', '\x1b[32m[    1.000000] \x1b[0m\x1b[33mhello: \x1b[0mworld text\n'],
  [3, 'err: bad', '\x1b[32m[    1.000000] \x1b[0m\x1b[33merr: \x1b[0m\x1b[31mbad\x1b[0m\n'],
  [4, 'warn: x', '\x1b[32m[    1.000000] \x1b[0m\x1b[33mwarn: \x1b[0m\x1b[1mx\x1b[0m\n'],
  [2, 'crit: x', '\x1b[32m[    1.000000] \x1b[0m\x1b[33mcrit: \x1b[0m\x1b[1m\x1b[31mx\x1b[0m\n'],
  [1, 'alert x: y', '\x1b[32m[    1.000000] \x1b[0m\x1b[33malert x: \x1b[0m\x1b[7m\x1b[31my\x1b[0m\n'],
  [0, 'emerg: x', '\x1b[32m[    1.000000] \x1b[0m\x1b[33memerg: \x1b[0mx\n'],
  [6, 'no subsys here', '\x1b[32m[    1.000000] \x1b[0mno subsys here\n'],
  [
    6,
    'a.out[12]: segfault at 0 ip',
    '\x1b[32m[    1.000000] \x1b[0m\x1b[33ma.out[12]: \x1b[0m\x1b[2m\x1b[31msegfault at 0 ip\x1b[0m\n',
  ],
  [6, 'a:b c: d', '\x1b[32m[    1.000000] \x1b[0m\x1b[33ma:b c: \x1b[0md\n'],
  [4, 'esc \x1b[31m x\ty', '\x1b[32m[    1.000000] \x1b[0m\x1b[1mesc \\x1b[31m x\ty\x1b[0m\n'],
])('a line of level %i is coloured as dmesg colours it: %j', (level, text, expected) => {
  expect(colour(level, text)).toBe(expected);
});

test('without colour each line of a record has the time in front, cut off at microseconds', () => {
  expect(formatRecord({ level: 6, timeNs: 12_345_678_999_999, text: 'one\ntwo' }, false)).toBe(
    '[12345.678999] one\n[12345.678999] two\n',
  );
});

test('UTF-8 that a module logs is readable, and a byte that is none is shown as a number', () => {
  expect(decodeLogText('gr\xc3\xbc\xc3\x9fe')).toBe('grüße');
  expect(decodeLogText('a\xffb')).toBe('a\\xffb');
});
