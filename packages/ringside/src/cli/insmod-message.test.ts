import { expect, test } from 'vitest';
import { insmodAdvice } from './insmod-message.ts';

const advice = (...logged: string[]) =>
  insmodAdvice({
    path: 'a.ko',
    bytes: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46),
    errno: 22,
    logged,
    release: '6.1.0',
  });

test('too many values are told as that, and not as a bad value', () => {
  expect(advice('numbers: can only take 4 arguments', "a: `1' invalid for parameter `numbers'")).toBe(
    'numbers takes at most 4 values, separated by commas.',
  );
});

test('a bad value is told with where the types are', () => {
  expect(advice("a: `x' invalid for parameter `count'")).toMatch(
    /"x" is no value for count: "ringside modinfo -p a.ko"/,
  );
});
