import { bitLength, type Real, type Rounded } from './rounding.ts';

/** A number of the x87: sign, biased exponent, and a significand with its integer bit. Source: SDM vol. 1, 4.2.2 and 8.2. */
export interface Extended {
  readonly sign: 0 | 1;
  readonly exp: number;
  readonly sig: bigint;
  /** It was a denormal in memory, in a narrower format. */
  readonly wasDenormal?: boolean;
}

export const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;
export const BIAS = 16383;
const MAX_EXP = 0x7fff;
/** Exponent of the lowest bit of denormals. */
const LOWEST = -16445;

export const EXTENDED = { precision: 64, emin: -16382, emax: 16383 } as const;

export const INDEFINITE: Extended = { sign: 1, exp: MAX_EXP, sig: INTEGER_BIT | QUIET_BIT };
export const ONE: Extended = { sign: 0, exp: BIAS, sig: INTEGER_BIT };

export function zero(sign: 0 | 1): Extended {
  return { sign, exp: 0, sig: 0n };
}

export function infinity(sign: 0 | 1): Extended {
  return { sign, exp: MAX_EXP, sig: INTEGER_BIT };
}

export function isZero(x: Extended): boolean {
  return x.exp === 0 && x.sig === 0n;
}

export function isInfinite(x: Extended): boolean {
  return x.exp === MAX_EXP && x.sig === INTEGER_BIT;
}

export function isNan(x: Extended): boolean {
  return x.exp === MAX_EXP && x.sig > INTEGER_BIT;
}

export function isSignaling(x: Extended): boolean {
  return isNan(x) && (x.sig & QUIET_BIT) === 0n;
}

/** Denormals and those with the integer bit set although the exponent is 0. */
export function isDenormal(x: Extended): boolean {
  return (x.exp === 0 && x.sig !== 0n) || x.wasDenormal === true;
}

/** Unnormals, pseudo-infinities and pseudo-NaNs: operands no longer taken. */
export function isUnsupported(x: Extended): boolean {
  return x.exp !== 0 && x.sig < INTEGER_BIT;
}

export function quiet(x: Extended): Extended {
  return { ...x, sig: x.sig | QUIET_BIT };
}

/**
 * The NaN that an operation with at least one NaN gives: a quiet one before a signaling one, else the larger significand,
 * else the positive one. Source: SDM vol. 1, table 4-7.
 */
export function combineNans(a: Extended, b: Extended): Extended {
  if (!isNan(a)) return quiet(b);
  if (!isNan(b)) return quiet(a);
  if (isSignaling(a) !== isSignaling(b)) return isSignaling(a) ? b : a;
  const x = quiet(a);
  const y = quiet(b);
  if (x.sig !== y.sig) return x.sig > y.sig ? x : y;
  return x.sign === 0 ? x : y;
}

/** The value of a finite number other than zero. */
export function realOf(x: Extended): Real {
  return { sign: x.sign, sig: x.sig, exp: Math.max(1, x.exp) - BIAS - 63 };
}

/** A rounded result; its exponent has to be in range. */
export function fromRounded(r: Rounded): Extended {
  if (r.infinite) return infinity(r.sign);
  if (r.sig === 0n) return zero(r.sign);
  const bits = bitLength(r.sig);
  const lead = r.exp + bits - 1;
  if (lead < EXTENDED.emin) return { sign: r.sign, exp: 0, sig: r.sig << BigInt(r.exp - LOWEST) };
  const shift = 64 - bits;
  const sig = shift >= 0 ? r.sig << BigInt(shift) : r.sig >> BigInt(-shift);
  return { sign: r.sign, exp: lead + BIAS, sig };
}

/** An integer of at most 64 bits. */
export function fromInteger(value: bigint): Extended {
  if (value === 0n) return zero(0);
  const sign = value < 0n ? 1 : 0;
  const sig = value < 0n ? -value : value;
  return fromRounded({ sign, sig, exp: 0, infinite: false, flags: 0, up: false });
}

export function readExtended(view: DataView, at: number): Extended {
  const top = view.getUint16(at + 8, true);
  return { sign: top >= 0x8000 ? 1 : 0, exp: top & MAX_EXP, sig: view.getBigUint64(at, true) };
}

export function writeExtended(view: DataView, at: number, x: Extended): void {
  view.setBigUint64(at, x.sig, true);
  view.setUint16(at + 8, x.exp | (x.sign << 15), true);
}
