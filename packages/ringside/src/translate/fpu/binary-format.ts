import { EXTENDED, type Extended, INTEGER_BIT } from './extended.ts';
import { bitLength, type Format, type Real, type Rounded } from './rounding.ts';

/** An interchange format of 32 or 64 bits. */
export interface BinaryFormat extends Format {
  readonly width: 32 | 64;
  readonly bias: number;
  readonly fractionBits: number;
  readonly maxExp: number;
}

export const SINGLE: BinaryFormat = {
  width: 32,
  precision: 24,
  emin: -126,
  emax: 127,
  bias: 127,
  fractionBits: 23,
  maxExp: 0xff,
};
export const DOUBLE: BinaryFormat = {
  width: 64,
  precision: 53,
  emin: -1022,
  emax: 1023,
  bias: 1023,
  fractionBits: 52,
  maxExp: 0x7ff,
};

/** A number of such a format, taken apart; `fraction` is without the integer bit. */
export interface Parts {
  readonly sign: 0 | 1;
  readonly exp: number;
  readonly fraction: bigint;
}

export function split(f: BinaryFormat, bits: bigint): Parts {
  return {
    sign: bits >> BigInt(f.width - 1) === 0n ? 0 : 1,
    exp: Number(bits >> BigInt(f.fractionBits)) & f.maxExp,
    fraction: bits & ((1n << BigInt(f.fractionBits)) - 1n),
  };
}

export function join(f: BinaryFormat, p: Parts): bigint {
  return (BigInt(p.sign) << BigInt(f.width - 1)) | (BigInt(p.exp) << BigInt(f.fractionBits)) | p.fraction;
}

export function quietBit(f: BinaryFormat): bigint {
  return 1n << BigInt(f.fractionBits - 1);
}

/** The value of a finite number other than zero. */
export function realOfParts(f: BinaryFormat, p: Parts): Real {
  const sig = p.exp === 0 ? p.fraction : p.fraction | (1n << BigInt(f.fractionBits));
  return { sign: p.sign, sig, exp: Math.max(1, p.exp) - f.bias - f.fractionBits };
}

/** The bits of a rounded result. */
export function joinRounded(f: BinaryFormat, r: Rounded): bigint {
  if (r.infinite) return join(f, { sign: r.sign, exp: f.maxExp, fraction: 0n });
  if (r.sig === 0n) return join(f, { sign: r.sign, exp: 0, fraction: 0n });
  const bits = bitLength(r.sig);
  const lead = r.exp + bits - 1;
  if (lead < f.emin) {
    return join(f, { sign: r.sign, exp: 0, fraction: r.sig << BigInt(r.exp - (f.emin - f.fractionBits)) });
  }
  const shift = f.precision - bits;
  const sig = shift >= 0 ? r.sig << BigInt(shift) : r.sig >> BigInt(-shift);
  return join(f, { sign: r.sign, exp: lead + f.bias, fraction: sig & ((1n << BigInt(f.fractionBits)) - 1n) });
}

/** As an 80-bit number, which holds every one of them; signaling NaNs stay so. */
export function widen(f: BinaryFormat, bits: bigint): Extended {
  const p = split(f, bits);
  if (p.exp === f.maxExp) {
    return { sign: p.sign, exp: 0x7fff, sig: INTEGER_BIT | (p.fraction << BigInt(63 - f.fractionBits)) };
  }
  if (p.exp === 0 && p.fraction === 0n) return { sign: p.sign, exp: 0, sig: 0n };
  const x = realOfParts(f, p);
  const length = bitLength(x.sig);
  return {
    sign: p.sign,
    exp: x.exp + length - 1 + EXTENDED.emax,
    sig: x.sig << BigInt(64 - length),
    wasDenormal: p.exp === 0,
  };
}

/** An 80-bit NaN cut to the format, quiet. */
export function narrowNan(f: BinaryFormat, x: Extended): bigint {
  const fraction = ((x.sig & (INTEGER_BIT - 1n)) >> BigInt(63 - f.fractionBits)) | quietBit(f);
  return join(f, { sign: x.sign, exp: f.maxExp, fraction });
}
