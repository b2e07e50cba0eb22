import type { Random } from './cases.ts';

/** Floating-point operands at the edges, for the proof of x87 and of MXCSR against the processor. */
const INTEGER = 1n << 63n;
const SIGNIFICANDS = [
  INTEGER,
  INTEGER | 1n,
  INTEGER | (1n << 62n),
  0xffff_ffff_ffff_ffffn,
  0xffff_ff00_0000_0000n,
  0xffff_ff80_0000_0000n,
  0xffff_ffff_ffff_f800n,
  0xffff_ffff_ffff_fc00n,
  0x8000_0080_0000_0000n,
  0x8000_0000_0000_0400n,
  0x8000_0000_0000_0800n,
  0xc000_0000_0000_0001n,
  0xb504_f333_f9de_6484n,
  0xc90f_daa2_2168_c235n,
];
const EXPONENTS = [
  0x3fff, 0x3ffe, 0x4000, 0x4001, 0x3ffd, 0x403e, 0x403d, 0x403f, 0x401e, 0x400e, 0x3fbf, 0x3f7f, 0x3f80,
  0x3f6a, 0x3f69, 0x3f68, 0x3c01, 0x3c00, 0x3bcd, 0x3bcc, 0x407e, 0x407f, 0x43fe, 0x43ff, 1, 2, 3, 64, 65,
  0x7ffe, 0x7ffd, 0x7fbe, 0x1fff, 0x2000, 0x5fff, 0x5ffe, 0x4022, 0x4037,
];

function big(random: Random): bigint {
  return (BigInt(random.next(2 ** 32)) << 32n) | BigInt(random.next(2 ** 32));
}

/** 80 bits. */
export function extendedBits(random: Random, near?: bigint): bigint {
  const sign = BigInt(random.next(2)) << 79n;
  const make = (exp: number, sig: bigint): bigint => sign | (BigInt(exp) << 64n) | sig;
  if (near !== undefined && random.next(4) === 0) {
    const exp = Math.min(0x7ffe, Math.max(1, Number((near >> 64n) & 0x7fffn) + random.next(7) - 3));
    return make(exp, random.next(2) === 0 ? near & 0xffff_ffff_ffff_ffffn : big(random) | INTEGER);
  }
  switch (random.next(16)) {
    case 0:
      return make(0, 0n);
    case 1:
      return make(0x7fff, INTEGER);
    case 2:
      return make(0x7fff, INTEGER | (1n << 62n) | (big(random) >> BigInt(2 + random.next(62))));
    case 3:
      return make(0x7fff, INTEGER | 1n | (big(random) >> 2n));
    case 4:
      return make(0, random.next(2) === 0 ? big(random) >> BigInt(1 + random.next(60)) : 1n);
    case 5:
      // A pseudo-denormal.
      return make(0, INTEGER | big(random));
    case 6:
      // An unnormal, a pseudo-infinity, a pseudo-NaN.
      return make(
        [0x3fff, 0x7fff, 0x7fff, 1][random.next(4)]!,
        [0n, 1n, 1n << 62n, big(random) >> 1n][random.next(4)]!,
      );
    case 7:
    case 8:
      // A whole number.
      return make(
        0x3fff + random.next(66),
        ((INTEGER >> BigInt(random.next(20))) | INTEGER) + (BigInt(random.next(8)) << 50n),
      );
    case 9:
    case 10:
      return make(0x3fff + random.next(140) - 70, big(random) | INTEGER);
    default: {
      const exp = EXPONENTS[random.next(EXPONENTS.length)]!;
      const sig =
        random.next(2) === 0 ? big(random) | INTEGER : SIGNIFICANDS[random.next(SIGNIFICANDS.length)]!;
      return make(exp, sig);
    }
  }
}

const FRACTIONS: Readonly<Record<number, readonly bigint[]>> = {
  32: [0n, 1n, 2n, 0x40_0000n, 0x7f_ffffn, 0x3f_ffffn, 0x55_5555n],
  64: [0n, 1n, 2n, 1n << 51n, (1n << 52n) - 1n, (1n << 51n) - 1n, 0x5_5555_5555_5555n],
};

/** A single (32) or double (64). */
export function binaryBits(random: Random, width: 32 | 64): bigint {
  const fractionBits = width === 32 ? 23n : 52n;
  const maxExp = width === 32 ? 255 : 2047;
  const bias = maxExp >> 1;
  const sign = BigInt(random.next(2)) << BigInt(width - 1);
  const list = FRACTIONS[width]!;
  const fraction =
    random.next(2) === 0 ? list[random.next(list.length)]! : big(random) & ((1n << fractionBits) - 1n);
  const pick = random.next(16);
  const exp =
    pick === 0
      ? 0
      : pick === 1
        ? maxExp
        : pick === 2
          ? maxExp - 1
          : pick === 3
            ? 1
            : pick < 6
              ? random.next(maxExp + 1)
              : pick === 6
                ? bias >> 1
                : pick === 7
                  ? bias + (bias >> 1)
                  : Math.min(maxExp, Math.max(0, bias + random.next(80) - 40));
  return sign | (BigInt(exp) << fractionBits) | ((pick === 8 ? 0n : fraction) & (pick === 9 ? 0n : -1n));
}
