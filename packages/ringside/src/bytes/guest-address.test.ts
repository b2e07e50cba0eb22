import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addrFromParts,
  addrFromU64,
  addrHigh,
  addrLow,
  addrToU64,
  asAddr,
  hex64,
  isCanonical,
} from './guest-address.ts';

describe('GuestAddr', () => {
  test('every 64-bit pattern survives the way to a number and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(addrToU64(addrFromU64(value))).toBe(value);
        const parts = addrFromParts(Number(value >> 32n), Number(value & 0xffff_ffffn));
        expect(addrToU64(parts)).toBe(value);
        expect(addrHigh(parts)).toBe(Number(BigInt.asIntN(32, value >> 32n)));
        expect(addrLow(parts)).toBe(Number(value & 0xffff_ffffn));
      }),
      { seed: 1 },
    );
  });

  test('kernel addresses are negative numbers and keep exact arithmetic', () => {
    const text = addrFromU64(0xffff_ffff_c000_0000n);
    expect(text).toBe(-0x4000_0000);
    expect(hex64(text + 0x123)).toBe('ffffffffc0000123');
    expect(addrLow(text)).toBe(0xc000_0000);
  });

  test('a poison pointer is not canonical and keeps field offsets', () => {
    const poison = addrFromU64(0xdead_0000_0000_0100n);
    expect(isCanonical(poison)).toBe(false);
    expect(hex64(asAddr(poison + 8))).toBe('dead000000000108');
    expect(hex64(asAddr(poison - 0x100))).toBe('dead000000000000');
  });
});
