import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BASE,
  computeCommonFlags,
  computeFlags,
  flagKind,
  INLINE_A,
  INLINE_B,
  OVERLAY,
  overlayKind,
} from './flags.ts';

const COMMON = [BASE.ADD, BASE.ADC, BASE.SUB, BASE.SBB, BASE.LOGIC, BASE.INC, BASE.DEC];
const EDGES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  2n ** 63n - 1n,
  2n ** 63n,
];

const operand = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(...EDGES),
  fc.constantFrom(...EDGES).map((v) => BigInt.asUintN(64, -v)),
);

function halves(v: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, v)), Number(BigInt.asIntN(32, v >> 32n))];
}

describe('flags of the usual kinds', () => {
  test('are the same without bigints', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...COMMON),
        fc.constantFrom(8, 16, 32, 64),
        fc.constantFrom(0, OVERLAY.CARRY),
        fc.constantFrom(0, INLINE_A, INLINE_B),
        fc.integer({ min: -0x8000, max: 0x7fff }),
        operand,
        operand,
        operand,
        (base, width, overlay, inline, number, a, b, c) => {
          const kind =
            flagKind(base, width) |
            (overlay === 0 ? 0 : overlayKind(overlay, 64)) |
            (inline === 0 ? 0 : inline | (number << 16));
          const [aLow, aHigh] = halves(a);
          const [bLow, bHigh] = halves(b);
          expect(computeCommonFlags(kind, aLow, aHigh, bLow, bHigh, halves(c)[0])).toBe(
            computeFlags(kind, a, b, c, 0),
          );
        },
      ),
      { seed: 1, numRuns: 20_000 },
    );
  });

  test('are left to bigints for the others', () => {
    for (const base of [BASE.MEMORY, BASE.PACKED, BASE.SHL, BASE.SHR, BASE.SAR, BASE.IMUL, BASE.MUL]) {
      expect(computeCommonFlags(flagKind(base, 32), 1, 0, 1, 0, 0)).toBe(-1);
    }
    expect(computeCommonFlags(flagKind(BASE.ADD, 32) | overlayKind(OVERLAY.ROL, 32), 1, 0, 1, 0, 0)).toBe(-1);
  });
});
