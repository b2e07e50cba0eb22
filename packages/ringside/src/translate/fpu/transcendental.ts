import { BITS, ln2, log2OfE, pi } from './constants.ts';
import { bitLength, type Real, shiftSticky } from './rounding.ts';

/**
 * The functions of x87, to some 180 bits, to be rounded once.
 * Deviation: the processor's results are within one unit in the last place of the exact ones (SDM vol. 1, 8.3.10) and differ between models;
 * these are the exact ones, rounded. What is alike on all models is kept: sines and tangents are of the argument reduced by a
 * value of pi of 66 bits.
 */
const ONE = 1n << BigInt(BITS);
/** Below `2^-TINY` the first terms of the series are enough. */
const TINY = 110;

/** Exponent of the leading bit. */
function lead(x: Real): number {
  return x.exp + bitLength(x.sig) - 1;
}

function real(sign: 0 | 1, sig: bigint, exp: number): Real {
  return { sign, sig: sig | 1n, exp };
}

/** A fixed-point number of BITS fraction bits; not zero. */
function fromFixed(value: bigint): Real {
  return value < 0n ? real(1, -value, -BITS) : real(0, value, -BITS);
}

/** The magnitude as a fixed-point number. */
function toFixed(x: Real): bigint {
  return shiftSticky(x.sig, -(x.exp + BITS));
}

function mul(a: bigint, b: bigint): bigint {
  return (a * b) >> BigInt(BITS);
}

function div(a: bigint, b: bigint): bigint {
  return (a << BigInt(BITS)) / b;
}

/** The number times a fixed-point one: any exponent. */
function times(x: Real, factor: bigint): Real {
  const sign = factor < 0n ? 1 : 0;
  return real((x.sign ^ sign) as 0 | 1, x.sig * (sign ? -factor : factor), x.exp - BITS);
}

/** A little less (or more) than the number, in magnitude. */
function nudged(x: Real, outwards: boolean): Real {
  const sig = x.sig << 200n;
  return { sign: x.sign, sig: outwards ? sig + 1n : sig - 1n, exp: x.exp - 200 };
}

/** 2^x - 1 for |x| <= 1. */
export function exp2m1(x: Real): Real {
  if (lead(x) < -TINY) return nudged(times(x, ln2()), x.sign === 0);
  const t = mul(toFixed(x) * (x.sign ? -1n : 1n), ln2());
  let term = t;
  let sum = 0n;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    sum += term;
    term = mul(term, t) / k;
  }
  return fromFixed(sum);
}

/** atanh(z), |z| < 0.2. */
function atanh(z: bigint): bigint {
  const square = mul(z, z);
  let power = z;
  let sum = 0n;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = mul(power, square);
  }
  return sum;
}

/** y times log2(x), x > 0 and not 1. */
export function yLog2(y: Real, x: Real): Real {
  let e = lead(x);
  let m = toFixed({ sign: 0, sig: x.sig, exp: x.exp - e });
  // Near 1 from below the exponent is -1: no cancellation may be left.
  if (m * m > 2n * ONE * ONE) {
    m >>= 1n;
    e++;
  }
  const log = div(2n * atanh(div(m - ONE, m + ONE)), ln2()) + BigInt(e) * ONE;
  // Powers of two have an exact logarithm.
  if (m === ONE) {
    const product = BigInt(e) * y.sig;
    const sign = product < 0n ? 1 : 0;
    return { sign: (y.sign ^ sign) as 0 | 1, sig: sign ? -product : product, exp: y.exp };
  }
  return times(y, log);
}

/** y times log2(1 + x), |x| < 1/2, x not 0. */
export function yLog2p1(y: Real, x: Real): Real {
  if (lead(x) < -TINY) {
    const product: Real = { sign: (y.sign ^ x.sign) as 0 | 1, sig: y.sig * x.sig, exp: y.exp + x.exp };
    return nudged(times(product, log2OfE()), x.sign === 1);
  }
  const t = toFixed(x) * (x.sign ? -1n : 1n);
  return times(y, div(2n * atanh(div(t, 2n * ONE + t)), ln2()));
}

/** Pi as the processor has it: 66 bits. */
const PI_BITS = 66;
const pi66 = (): bigint => pi() >> BigInt(BITS - PI_BITS + 2);
const PI_EXP = -PI_BITS + 2;

interface Reduced {
  /** x minus `quadrant` quarter turns, between minus and plus an eighth turn; undefined: exactly zero. */
  readonly rest: Real | undefined;
  readonly quadrant: number;
}

function reduce(x: Real): Reduced {
  if (lead(x) < -1) return { rest: x, quadrant: 0 };
  // x and half of pi with a common exponent.
  const exp = Math.min(x.exp, PI_EXP - 1);
  const value = x.sig << BigInt(x.exp - exp);
  const quarter = pi66() << BigInt(PI_EXP - 1 - exp);
  let n = value / quarter;
  let rest = value - n * quarter;
  if (2n * rest > quarter) {
    rest -= quarter;
    n++;
  }
  const quadrant = Number((x.sign ? -n : n) & 3n);
  if (rest === 0n) return { rest: undefined, quadrant };
  const negative = rest < 0n !== (x.sign === 1);
  return { rest: { sign: negative ? 1 : 0, sig: rest < 0n ? -rest : rest, exp }, quadrant };
}

/** Sine and cosine of a reduced argument. */
function sineOf(x: Real): Real {
  if (lead(x) < -TINY) return nudged(x, false);
  return fromFixed(series(toFixed(x) * (x.sign ? -1n : 1n), true));
}

function cosineOf(x: Real | undefined): Real {
  if (x === undefined) return { sign: 0, sig: 1n, exp: 0 };
  if (lead(x) < -TINY) return nudged({ sign: 0, sig: 1n, exp: 0 }, false);
  return fromFixed(series(toFixed(x), false));
}

function series(t: bigint, odd: boolean): bigint {
  const square = mul(t, t);
  let term = odd ? t : ONE;
  let sum = 0n;
  for (let k = odd ? 2n : 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term;
    term = -mul(term, square) / (k * (k + 1n));
  }
  return sum;
}

function negate(x: Real | undefined): Real | undefined {
  return x === undefined ? undefined : { ...x, sign: x.sign === 0 ? 1 : 0 };
}

/** Sine and cosine; undefined: exactly zero. */
export function sineAndCosine(x: Real): { sine: Real | undefined; cosine: Real | undefined } {
  const { rest, quadrant } = reduce(x);
  const s = rest === undefined ? undefined : sineOf(rest);
  const c = cosineOf(rest);
  switch (quadrant) {
    case 0:
      return { sine: s, cosine: c };
    case 1:
      return { sine: c, cosine: negate(s) };
    case 2:
      return { sine: negate(s), cosine: negate(c) };
    default:
      return { sine: negate(c), cosine: s };
  }
}

/** a / b. */
export function quotient(a: Real, b: Real, bits = 250): Real {
  const shift = Math.max(0, bits + bitLength(b.sig) - bitLength(a.sig));
  const n = a.sig << BigInt(shift);
  const q = n / b.sig;
  const exact = q * b.sig === n;
  return {
    sign: (a.sign ^ b.sign) as 0 | 1,
    sig: exact ? q : (q << 1n) | 1n,
    exp: a.exp - b.exp - shift - (exact ? 0 : 1),
  };
}

/** The integer square root. */
export function integerRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** atan of a fixed-point number between 0 and 1: halved angles, then the series. */
function arcTangent(of: bigint): bigint {
  let t = of;
  const halvings = 6;
  for (let i = 0; i < halvings; i++) t = div(t, ONE + integerRoot((ONE + mul(t, t)) << BigInt(BITS)));
  const square = mul(t, t);
  let power = t;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += (k & 2n) !== 0n ? -(power / k) : power / k;
    power = mul(power, square);
  }
  return sum << BigInt(halvings);
}

/** The angle of the point (x, y), both not zero, by the exact pi. */
export function angle(y: Real, x: Real): Real {
  const order = lead(y) - lead(x);
  const ratio = quotient({ ...y, sign: 0 }, { ...x, sign: 0 });
  if (x.sign === 0 && order < -TINY) return { ...nudged(ratio, false), sign: y.sign };
  let fixed: bigint;
  if (order < -BITS) fixed = pi() - 1n;
  else if (order > BITS) fixed = (pi() >> 1n) + (x.sign ? 1n : -1n);
  else {
    const flat = toFixed(ratio);
    // Beyond an eighth turn the other quotient converges.
    const first =
      flat <= ONE
        ? arcTangent(flat)
        : (pi() >> 1n) - arcTangent(toFixed(quotient({ ...x, sign: 0 }, { ...y, sign: 0 })));
    fixed = x.sign ? pi() - first : first;
  }
  return { ...fromFixed(fixed), sign: y.sign };
}

/** Fixed-point constants as numbers. */
export function constantOf(fixed: bigint): Real {
  return fromFixed(fixed);
}

/** Half, quarter and three quarters of pi, for `fpatan` of zeros and infinities. */
export function partOfPi(quarters: number): Real {
  return real(0, pi() * BigInt(quarters), -BITS - 2);
}
