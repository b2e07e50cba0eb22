import { expect, test } from 'vitest';
import {
  addMask,
  andMask,
  type Bits,
  multiplyMask,
  orMask,
  scanIsDefined,
  shiftMask,
  subMask,
} from './bit-rules.ts';
import { FlagDefinedness } from './flag-definedness.ts';

const WIDTH = 3;
const SIZE = 1 << WIDTH;

/** All values of three bits of which some are undefined; the value's undefined bits are 0. */
function* partlyDefined(): Generator<Bits> {
  for (let mask = 0; mask < SIZE; mask++) {
    for (let value = 0; value < SIZE; value++) {
      if ((value & mask) === 0) yield { value: BigInt(value), mask: BigInt(mask) };
    }
  }
}

/** Every number that the bits may be. */
function numbersOf({ value, mask }: Bits): number[] {
  return Array.from({ length: SIZE }, (_, i) => i).filter(
    (i) => (i & ~Number(mask)) === Number(value) && i < SIZE,
  );
}

/** The bits of a result that are not the same whatever the undefined bits are. */
function differing(a: Bits, b: Bits, operation: (x: number, y: number) => number): bigint {
  const results = numbersOf(a).flatMap((x) => numbersOf(b).map((y) => operation(x, y) & (SIZE - 1)));
  return BigInt(results.reduce((bits, result) => bits | (result ^ results[0]!), 0));
}

const pairs = [...partlyDefined()].flatMap((a) => [...partlyDefined()].map((b) => [a, b] as const));

test.each([
  ['a sum', (a: Bits, b: Bits) => addMask(a, b, WIDTH), (x: number, y: number) => x + y],
  ['a difference', (a: Bits, b: Bits) => subMask(a, b, WIDTH), (x: number, y: number) => x - y],
  ['and', andMask, (x: number, y: number) => x & y],
  ['or', orMask, (x: number, y: number) => x | y],
] as const)('%s is undefined in exactly the bits that may differ', (_, rule, operation) => {
  for (const [a, b] of pairs) expect([a, b, rule(a, b)]).toEqual([a, b, differing(a, b, operation)]);
});

test('the defined bits of a product never differ', () => {
  for (const [a, b] of pairs) {
    const really = differing(a, b, (x, y) => x * y);
    expect([a, b, really & ~multiplyMask(a, b, WIDTH)]).toEqual([a, b, 0n]);
  }
});

test('a carry that may or may not be there makes undefined what it can reach', () => {
  const zero = { value: 0n, mask: 0n };
  const carry = { least: 0n, most: 1n };
  expect(addMask({ value: 0b011n, mask: 0n }, zero, WIDTH, carry)).toBe(0b111n);
  expect(addMask({ value: 0b010n, mask: 0n }, zero, WIDTH, carry)).toBe(0b001n);
  expect(subMask({ value: 0b100n, mask: 0n }, zero, WIDTH, carry)).toBe(0b111n);
});

test('shifts and rotates move undefined bits with the others', () => {
  expect(shiftMask('shl', 0b1001n, 1, 4)).toBe(0b0010n);
  expect(shiftMask('shr', 0b1001n, 1, 4)).toBe(0b0100n);
  expect(shiftMask('sar', 0b1000n, 2, 4)).toBe(0b1110n);
  expect(shiftMask('rol', 0b1000n, 1, 4)).toBe(0b0001n);
  expect(shiftMask('ror', 0b0001n, 1, 4)).toBe(0b1000n);
  expect(shiftMask('ror', 0b0110n, 4, 4)).toBe(0b0110n);
});

test('a scan is defined when it meets a set bit before any undefined one', () => {
  expect(scanIsDefined({ value: 0b0010n, mask: 0b0100n }, 4, false)).toBe(true);
  expect(scanIsDefined({ value: 0b0010n, mask: 0b0100n }, 4, true)).toBe(false);
  expect(scanIsDefined({ value: 0n, mask: 0n }, 4, false)).toBe(true);
});

const signed = (x: number): number => (x & (SIZE >> 1) ? x - SIZE : x);
const CONDITIONS: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  e: (x, y) => x === y,
  b: (x, y) => x < y,
  be: (x, y) => x <= y,
  l: (x, y) => signed(x) < signed(y),
  le: (x, y) => signed(x) <= signed(y),
};
const NEGATIONS: Readonly<Record<string, string>> = { e: 'ne', b: 'ae', be: 'a', l: 'ge', le: 'g' };

test.each(Object.keys(CONDITIONS))(
  'condition %s after cmp is undefined exactly when it may differ',
  (name) => {
    const flags = new FlagDefinedness();
    for (const [a, b] of pairs) {
      flags.compare(a, b, WIDTH);
      const results = numbersOf(a).flatMap((x) => numbersOf(b).map((y) => CONDITIONS[name]!(x, y)));
      const differs = new Set(results).size > 1;
      expect([a, b, flags.dependsOn(name)]).toEqual([a, b, differs]);
      expect(flags.dependsOn(NEGATIONS[name]!)).toBe(differs);
    }
  },
);

test('single flags after cmp are never called defined when they may differ', () => {
  const flags = new FlagDefinedness();
  for (const [a, b] of pairs) {
    flags.compare(a, b, WIDTH);
    const sign = differing(a, b, (x, y) => x - y) >> BigInt(WIDTH - 1);
    const overflow = differing(a, b, (x, y) => (signed(x) - signed(y) === signed((x - y) & 7) ? 0 : 1));
    if (sign !== 0n) expect(flags.dependsOn('s')).toBe(true);
    if (overflow !== 0n) expect(flags.dependsOn('o')).toBe(true);
  }
});
