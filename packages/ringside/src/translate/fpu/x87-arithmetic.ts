import {
  BIAS,
  combineNans,
  EXTENDED,
  type Extended,
  fromRounded,
  INDEFINITE,
  infinity,
  isDenormal,
  isInfinite,
  isNan,
  isSignaling,
  isUnsupported,
  isZero,
  ONE,
  realOf,
  zero,
} from './extended.ts';
import { bitLength, FP, type Real, ROUND, type RoundingMode, round, roundToInteger } from './rounding.ts';
import {
  angle,
  exp2m1,
  integerRoot,
  partOfPi,
  quotient,
  sineAndCosine,
  yLog2,
  yLog2p1,
} from './transcendental.ts';

/** What the control word says about results. */
export interface Environment {
  readonly mode: RoundingMode;
  /** Bits of the significand: 24, 53 or 64. */
  readonly precision: number;
  /** FP bits of exceptions that are not masked. */
  readonly unmasked: number;
}

export interface Result {
  readonly value: Extended;
  readonly flags: number;
  /** Rounded away from zero. */
  readonly up: boolean;
}

/** What the exponent of an overflow or underflow that is not masked is changed by. Source: SDM vol. 1, 8.5.4 and 8.5.5. */
const SCALE = 24576;

export function exactly(value: Extended, flags = 0): Result {
  return { value, flags, up: false };
}

export const INVALID: Result = exactly(INDEFINITE, FP.IE);

function denormalFlag(...operands: readonly Extended[]): number {
  return operands.some(isDenormal) ? FP.DE : 0;
}

/** The result when an operand is no number, or one that is not supported. */
export function special(a: Extended, b: Extended = a): Result | undefined {
  if (isUnsupported(a) || isUnsupported(b)) return INVALID;
  if (!isNan(a) && !isNan(b)) return undefined;
  return exactly(combineNans(a, b), isSignaling(a) || isSignaling(b) ? FP.IE : 0);
}

/** Rounds a result into a register. `precision`: 64 for the instructions that precision control does not reach. */
export function rounded(x: Real, env: Environment, flags = 0, precision = env.precision): Result {
  const r = round(x, { ...EXTENDED, precision }, env.mode, env.unmasked);
  let { exp } = r;
  if ((r.flags & env.unmasked & FP.OE) !== 0) {
    exp -= SCALE;
    // Only `fscale` gets further.
    if (exp + bitLength(r.sig) - 1 > EXTENDED.emax) {
      return { value: infinity(x.sign), flags: flags | r.flags | FP.PE, up: true };
    }
  } else if ((r.flags & env.unmasked & FP.UE) !== 0) {
    exp += SCALE;
    if (exp + bitLength(r.sig) - 1 < EXTENDED.emin) {
      return { value: zero(x.sign), flags: flags | r.flags | FP.PE, up: false };
    }
  }
  return { value: fromRounded({ ...r, exp }), flags: flags | r.flags, up: r.up };
}

function negated(x: Extended): Extended {
  return isNan(x) ? x : { ...x, sign: x.sign === 0 ? 1 : 0 };
}

/** The exact sum; undefined: zero. Beyond what matters the smaller number is a sticky bit. */
export function exactSum(a: Real, b: Real): Real | undefined {
  const [big, small] = a.exp + bitLength(a.sig) >= b.exp + bitLength(b.sig) ? [a, b] : [b, a];
  const gap = big.exp + bitLength(big.sig) - small.exp - bitLength(small.sig);
  if (gap > 200) {
    const sig = big.sig << 200n;
    return { sign: big.sign, sig: big.sign === small.sign ? sig + 1n : sig - 1n, exp: big.exp - 200 };
  }
  const exp = Math.min(a.exp, b.exp);
  const value = (x: Real): bigint => (x.sig << BigInt(x.exp - exp)) * (x.sign ? -1n : 1n);
  const sum = value(a) + value(b);
  if (sum === 0n) return undefined;
  return { sign: sum < 0n ? 1 : 0, sig: sum < 0n ? -sum : sum, exp };
}

/** The square root, with a sticky bit. */
export function exactRoot(x: Real): Real {
  // The exponent has to be even.
  const shift = 200 + (x.exp & 1);
  const n = x.sig << BigInt(shift);
  const root = integerRoot(n);
  const exp = (x.exp - shift) / 2;
  return root * root === n ? { sign: 0, sig: root, exp } : { sign: 0, sig: (root << 1n) | 1n, exp: exp - 1 };
}

export function add(a: Extended, b: Extended, env: Environment): Result {
  const s = special(a, b);
  if (s !== undefined) return s;
  if (isInfinite(a) && isInfinite(b)) return a.sign === b.sign ? exactly(a) : INVALID;
  const flags = denormalFlag(a, b);
  if (isInfinite(a)) return exactly(a, flags);
  if (isInfinite(b)) return exactly(b, flags);
  const cancelled = zero(env.mode === ROUND.down ? 1 : 0);
  if (isZero(a) && isZero(b)) return exactly(a.sign === b.sign ? a : cancelled);
  if (isZero(a)) return rounded(realOf(b), env, flags);
  if (isZero(b)) return rounded(realOf(a), env, flags);
  const sum = exactSum(realOf(a), realOf(b));
  return sum === undefined ? exactly(cancelled, flags) : rounded(sum, env, flags);
}

export function subtract(a: Extended, b: Extended, env: Environment): Result {
  return add(a, negated(b), env);
}

export function multiply(a: Extended, b: Extended, env: Environment): Result {
  const s = special(a, b);
  if (s !== undefined) return s;
  const sign = (a.sign ^ b.sign) as 0 | 1;
  const flags = denormalFlag(a, b);
  if (isInfinite(a) || isInfinite(b))
    return isZero(a) || isZero(b) ? INVALID : exactly(infinity(sign), flags);
  if (isZero(a) || isZero(b)) return exactly(zero(sign), flags);
  const x = realOf(a);
  const y = realOf(b);
  return rounded({ sign, sig: x.sig * y.sig, exp: x.exp + y.exp }, env, flags);
}

export function divide(a: Extended, b: Extended, env: Environment): Result {
  const s = special(a, b);
  if (s !== undefined) return s;
  const sign = (a.sign ^ b.sign) as 0 | 1;
  const flags = denormalFlag(a, b);
  if (isInfinite(a)) return isInfinite(b) ? INVALID : exactly(infinity(sign), flags);
  if (isInfinite(b)) return exactly(zero(sign), flags);
  if (isZero(b)) return isZero(a) ? INVALID : exactly(infinity(sign), FP.ZE);
  if (isZero(a)) return exactly(zero(sign), flags);
  return rounded(quotient(realOf(a), realOf(b), 140), env, flags);
}

export function squareRoot(a: Extended, env: Environment): Result {
  const s = special(a);
  if (s !== undefined) return s;
  if (isZero(a)) return exactly(a);
  if (a.sign === 1) return INVALID;
  if (isInfinite(a)) return exactly(a);
  return rounded(exactRoot(realOf(a)), env, denormalFlag(a));
}

export function roundedInteger(a: Extended, env: Environment): Result {
  const s = special(a);
  if (s !== undefined) return s;
  if (isInfinite(a) || isZero(a)) return exactly(a);
  const x = realOf(a);
  const flags = denormalFlag(a);
  if (x.exp >= 0) return exactly(a, flags);
  const { kept, inexact, up } = roundToInteger(x, env.mode);
  const value =
    kept === 0n
      ? zero(a.sign)
      : fromRounded({ sign: a.sign, sig: kept, exp: 0, infinite: false, flags: 0, up });
  return { value, flags: flags | (inexact ? FP.PE : 0), up };
}

/** The number itself, a pseudo-denormal as a normal one; tiny ones are no underflow. */
function unchanged(a: Extended, env: Environment, flags: number): Result {
  return rounded(realOf(a), { ...env, unmasked: 0 }, flags, 64);
}

export function scale(a: Extended, b: Extended, env: Environment): Result {
  const s = special(a, b);
  if (s !== undefined) return s;
  const flags = denormalFlag(a, b);
  if (isInfinite(b)) {
    if (b.sign === 0) return isZero(a) ? INVALID : exactly(infinity(a.sign), flags);
    return isInfinite(a) ? INVALID : exactly(zero(a.sign), flags);
  }
  if (isInfinite(a) || isZero(a)) return exactly(a, flags);
  if (isZero(b)) return unchanged(a, env, flags);
  const by = realOf(b);
  const magnitude = by.exp > 20 ? 0x10000n : roundToInteger(by, ROUND.zero).kept;
  const n = Number(magnitude > 0x10000n ? 0x10000n : magnitude);
  if (n === 0) return unchanged(a, env, flags);
  const x = realOf(a);
  return rounded({ ...x, exp: x.exp + (b.sign ? -n : n) }, env, flags, 64);
}

/** Exponent and significand apart. */
export function extract(a: Extended): { exponent: Extended; significand: Extended; flags: number } {
  const s = special(a);
  if (s !== undefined) return { exponent: s.value, significand: s.value, flags: s.flags };
  if (isZero(a)) return { exponent: infinity(1), significand: a, flags: FP.ZE };
  if (isInfinite(a)) return { exponent: infinity(0), significand: a, flags: 0 };
  const x = realOf(a);
  const bits = bitLength(x.sig);
  const lead = x.exp + bits - 1;
  const exponent =
    lead === 0
      ? zero(0)
      : fromRounded({
          sign: lead < 0 ? 1 : 0,
          sig: BigInt(Math.abs(lead)),
          exp: 0,
          infinite: false,
          flags: 0,
          up: false,
        });
  const significand: Extended = { sign: a.sign, exp: BIAS, sig: x.sig << BigInt(64 - bits) };
  return { exponent, significand, flags: denormalFlag(a) };
}

/** The remainder, or a step towards it; `quotient`: its last three bits, -1 when the reduction is not complete. */
export function remainder(
  a: Extended,
  b: Extended,
  env: Environment,
  nearest: boolean,
): Result & { readonly quotient: number | undefined } {
  const s = special(a, b);
  if (s !== undefined) return { ...s, quotient: undefined };
  if (isInfinite(a) || isZero(b)) return { ...INVALID, quotient: undefined };
  const flags = denormalFlag(a, b);
  if (isZero(a)) return { ...exactly(a, flags), quotient: 0 };
  if (isInfinite(b)) return { ...unchanged(a, env, flags), quotient: 0 };
  const x = realOf(a);
  const y = realOf(b);
  const distance = x.exp + bitLength(x.sig) - y.exp - bitLength(y.sig);
  const partial = distance >= 64;
  const drop = partial ? distance - ((distance & 31) | 32) : 0;
  const exp = Math.min(x.exp, y.exp + drop);
  const n = x.sig << BigInt(x.exp - exp);
  const d = y.sig << BigInt(y.exp + drop - exp);
  let q = n / d;
  let rest = n - q * d;
  if (nearest && !partial && (2n * rest > d || (2n * rest === d && (q & 1n) === 1n))) {
    q++;
    rest -= d;
  }
  const quotientBits = partial ? -1 : Number(q & 7n);
  if (rest === 0n) return { ...exactly(zero(a.sign), flags), quotient: quotientBits };
  const sign = rest < 0n ? ((a.sign ^ 1) as 0 | 1) : a.sign;
  const value: Real = { sign, sig: rest < 0n ? -rest : rest, exp };
  return { ...rounded(value, env, flags, 64), quotient: quotientBits };
}

/** -1, 0, 1, or undefined when one is no number. Both are supported formats. */
export function order(a: Extended, b: Extended): -1 | 0 | 1 | undefined {
  if (isNan(a) || isNan(b)) return undefined;
  if (isZero(a) && isZero(b)) return 0;
  if (a.sign !== b.sign) return a.sign === 1 ? -1 : 1;
  const exponent = (x: Extended): number => (x.exp === 0 ? (isZero(x) ? 0 : 1) : x.exp);
  const byExponent = Math.sign(exponent(a) - exponent(b));
  const magnitude = byExponent !== 0 ? byExponent : a.sig < b.sig ? -1 : a.sig > b.sig ? 1 : 0;
  return (a.sign === 1 ? -magnitude || 0 : magnitude) as -1 | 0 | 1;
}

// ---- transcendental functions: always of full precision

export function powerOfTwoLessOne(a: Extended, env: Environment): Result {
  const s = special(a);
  if (s !== undefined) return s;
  if (isZero(a)) return exactly(a);
  if (isInfinite(a)) return exactly(a.sign ? { ...ONE, sign: 1 } : a);
  const flags = denormalFlag(a);
  // Beyond 1 the result is not defined: processors leave the operand as it is, or give something of the same size.
  if (a.exp > BIAS || (a.exp === BIAS && a.sig > INTEGER)) return exactly(a, flags | FP.PE);
  if (a.exp === BIAS) {
    return exactly(a.sign ? { sign: 1, exp: BIAS - 1, sig: INTEGER } : ONE, flags | FP.PE);
  }
  return rounded(exp2m1(realOf(a)), env, flags | FP.PE, 64);
}

const INTEGER = 1n << 63n;

/** y log2(x). */
export function logarithm(x: Extended, y: Extended, env: Environment): Result {
  const s = special(x, y);
  if (s !== undefined) return s;
  const flags = denormalFlag(x, y);
  if (isZero(x)) {
    if (isZero(y)) return INVALID;
    const sign = (y.sign ^ 1) as 0 | 1;
    return isInfinite(y) ? exactly(infinity(sign), flags) : exactly(infinity(sign), FP.ZE);
  }
  if (x.sign === 1) return INVALID;
  const one = x.exp === BIAS && x.sig === INTEGER;
  const above = x.exp >= BIAS;
  if (isInfinite(x)) {
    return isZero(y) ? INVALID : exactly(infinity(y.sign), flags);
  }
  if (isInfinite(y)) return one ? INVALID : exactly(infinity((above ? y.sign : y.sign ^ 1) as 0 | 1), flags);
  const sign = (above ? y.sign : y.sign ^ 1) as 0 | 1;
  if (one || isZero(y)) return exactly(zero(sign), flags);
  const result = rounded(yLog2(realOf(y), realOf(x)), env, flags | FP.PE, 64);
  // Told even of an exact result.
  return isDenormal(result.value) ? { ...result, flags: result.flags | FP.UE } : result;
}

/** y log2(x + 1). */
export function logarithmOfSum(x: Extended, y: Extended, env: Environment): Result {
  const s = special(x, y);
  if (s !== undefined) return s;
  const flags = denormalFlag(x, y);
  const sign = (x.sign ^ y.sign) as 0 | 1;
  if (isInfinite(x)) return x.sign || isZero(y) ? INVALID : exactly(infinity(y.sign), flags);
  if (isInfinite(y)) return isZero(x) ? INVALID : exactly(infinity(sign), flags);
  if (isZero(x) || isZero(y)) return exactly(zero(sign), flags);
  // Beyond this the result is not defined, as long as x + 1 has a logarithm.
  const below = x.sign === 1 && order({ ...x, sign: 0 }, ONE)! >= 0;
  if (below) return exactly(x, flags | FP.PE);
  const small = x.exp < BIAS - 1;
  const result = small
    ? yLog2p1(realOf(y), realOf(x))
    : yLog2(realOf(y), exactSum(realOf(x), { sign: 0, sig: 1n, exp: 0 })!);
  return rounded(result, env, flags | FP.PE, 64);
}

/** The angle of the point (x, y). */
export function arcTangent(x: Extended, y: Extended, env: Environment): Result {
  const s = special(x, y);
  if (s !== undefined) return s;
  const flags = denormalFlag(x, y);
  const part = (quarters: number): Result =>
    rounded({ ...partOfPi(quarters), sign: y.sign }, env, flags | FP.PE, 64);
  if (isInfinite(y)) return isInfinite(x) ? part(x.sign ? 3 : 1) : part(2);
  if (isInfinite(x) || isZero(y)) {
    if (isZero(y) || isInfinite(x)) return x.sign ? part(4) : exactly(zero(y.sign), flags);
  }
  if (isZero(x)) return part(2);
  return rounded(angle(realOf(y), realOf(x)), env, flags | FP.PE, 64);
}

/** Sine and cosine; undefined: the argument is 2^63 or more. */
export function sineCosine(a: Extended, env: Environment): { sine: Result; cosine: Result } | undefined {
  const s = special(a) ?? (isInfinite(a) ? INVALID : undefined);
  if (s !== undefined) return { sine: s, cosine: s };
  if (isZero(a)) return { sine: exactly(a), cosine: exactly(ONE) };
  if (a.exp >= BIAS + 63) return undefined;
  const flags = denormalFlag(a) | FP.PE;
  const both = sineAndCosine(realOf(a));
  const finish = (x: Real | undefined): Result =>
    x === undefined ? exactly(zero(0), flags) : rounded(x, env, flags, 64);
  return { sine: finish(both.sine), cosine: finish(both.cosine) };
}

export function tangent(a: Extended, env: Environment): Result | undefined {
  const s = special(a) ?? (isInfinite(a) ? INVALID : undefined);
  if (s !== undefined) return s;
  if (isZero(a)) return exactly(a);
  if (a.exp >= BIAS + 63) return undefined;
  const flags = denormalFlag(a) | FP.PE;
  const x = realOf(a);
  // Between the number and its neighbour further out.
  if (a.exp < BIAS - 110)
    return rounded({ ...x, sig: (x.sig << 200n) + 1n, exp: x.exp - 200 }, env, flags, 64);
  const { sine, cosine } = sineAndCosine(x);
  if (sine === undefined) return exactly(zero(0), flags);
  if (cosine === undefined) return exactly(infinity(sine.sign), flags);
  return rounded(quotient(sine, cosine), env, flags, 64);
}
