import {
  type BinaryFormat,
  join,
  joinRounded,
  type Parts,
  quietBit,
  realOfParts,
  split,
} from './binary-format.ts';
import { FP, type Real, ROUND, type RoundingMode, round, roundToInteger } from './rounding.ts';
import { quotient } from './transcendental.ts';
import { exactRoot, exactSum } from './x87-arithmetic.ts';

/** What MXCSR says. */
export interface SseEnvironment {
  readonly mode: RoundingMode;
  readonly unmasked: number;
  readonly flushToZero: boolean;
  readonly denormalsAreZeros: boolean;
}

/** The bits of one lane, and its exceptions. */
export interface Lane {
  readonly bits: bigint;
  readonly flags: number;
}

interface Operand extends Parts {
  readonly bits: bigint;
  readonly nan: boolean;
  readonly signaling: boolean;
  readonly infinite: boolean;
  readonly zero: boolean;
  readonly denormal: boolean;
}

function operand(f: BinaryFormat, bits: bigint, env: SseEnvironment): Operand {
  let p = split(f, bits);
  let denormal = p.exp === 0 && p.fraction !== 0n;
  if (denormal && env.denormalsAreZeros) {
    p = { ...p, fraction: 0n };
    denormal = false;
  }
  const nan = p.exp === f.maxExp && p.fraction !== 0n;
  return {
    ...p,
    bits: join(f, p),
    nan,
    signaling: nan && (p.fraction & quietBit(f)) === 0n,
    infinite: p.exp === f.maxExp && p.fraction === 0n,
    zero: p.exp === 0 && p.fraction === 0n,
    denormal,
  };
}

function defaultNan(f: BinaryFormat): bigint {
  return join(f, { sign: 1, exp: f.maxExp, fraction: quietBit(f) });
}

function special(f: BinaryFormat, sign: 0 | 1, infinite: boolean): bigint {
  return join(f, { sign, exp: infinite ? f.maxExp : 0, fraction: 0n });
}

function finish(f: BinaryFormat, x: Real, env: SseEnvironment, flags: number): Lane {
  const r = round(x, f, env.mode, env.unmasked);
  const all = flags | r.flags;
  if ((r.flags & env.unmasked & (FP.OE | FP.UE)) !== 0) return { bits: 0n, flags: all };
  if (env.flushToZero && (env.unmasked & FP.UE) === 0) {
    // Tiny, also where the result is exact.
    const free = round(x, f, env.mode, FP.UE);
    if ((free.flags & FP.UE) !== 0) return { bits: special(f, x.sign, false), flags: all | FP.UE | FP.PE };
  }
  return { bits: joinRounded(f, r), flags: all };
}

export type SseArithmetic = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';

/** Of `sqrt` only the second operand counts. */
export function calculateLane(
  f: BinaryFormat,
  operation: SseArithmetic,
  first: bigint,
  second: bigint,
  env: SseEnvironment,
): Lane {
  const y = operand(f, second, env);
  const x = operation === 'sqrt' ? y : operand(f, first, env);
  if (x.nan || y.nan) {
    const flags = x.signaling || y.signaling ? FP.IE : 0;
    return { bits: (x.nan ? x.bits : y.bits) | quietBit(f), flags };
  }
  const invalid: Lane = { bits: defaultNan(f), flags: FP.IE };
  const flags = x.denormal || y.denormal ? FP.DE : 0;
  const real = (p: Operand): Real => realOfParts(f, p);
  switch (operation) {
    case 'sqrt':
      if (y.zero) return { bits: y.bits, flags };
      if (y.sign === 1) return invalid;
      if (y.infinite) return { bits: y.bits, flags };
      return finish(f, exactRoot(real(y)), env, flags);
    case 'mul': {
      const sign = (x.sign ^ y.sign) as 0 | 1;
      if (x.infinite || y.infinite)
        return x.zero || y.zero ? invalid : { bits: special(f, sign, true), flags };
      if (x.zero || y.zero) return { bits: special(f, sign, false), flags };
      const a = real(x);
      const b = real(y);
      return finish(f, { sign, sig: a.sig * b.sig, exp: a.exp + b.exp }, env, flags);
    }
    case 'div': {
      const sign = (x.sign ^ y.sign) as 0 | 1;
      if (x.infinite) return y.infinite ? invalid : { bits: special(f, sign, true), flags };
      if (y.infinite) return { bits: special(f, sign, false), flags };
      if (y.zero) return x.zero ? invalid : { bits: special(f, sign, true), flags: FP.ZE };
      if (x.zero) return { bits: special(f, sign, false), flags };
      return finish(f, quotient(real(x), real(y), 140), env, flags);
    }
    default: {
      const signY = (operation === 'sub' ? y.sign ^ 1 : y.sign) as 0 | 1;
      if (x.infinite || y.infinite) {
        if (x.infinite && y.infinite && x.sign !== signY) return invalid;
        return { bits: special(f, x.infinite ? x.sign : signY, true), flags };
      }
      const cancelled = special(f, env.mode === ROUND.down ? 1 : 0, false);
      if (x.zero && y.zero) return { bits: x.sign === signY ? x.bits : cancelled, flags };
      if (x.zero) return finish(f, { ...real(y), sign: signY }, env, flags);
      if (y.zero) return finish(f, real(x), env, flags);
      const sum = exactSum(real(x), { ...real(y), sign: signY });
      return sum === undefined ? { bits: cancelled, flags } : finish(f, sum, env, flags);
    }
  }
}

function orderOf(f: BinaryFormat, x: Operand, y: Operand): number {
  const value = (p: Operand): bigint => {
    const magnitude = (BigInt(p.exp) << BigInt(f.fractionBits)) | p.fraction;
    return p.sign ? -magnitude : magnitude;
  };
  const a = value(x);
  const b = value(y);
  return a < b ? -1 : a > b ? 1 : 0;
}

export function extremeLane(
  f: BinaryFormat,
  operation: 'min' | 'max',
  first: bigint,
  second: bigint,
  env: SseEnvironment,
): Lane {
  const x = operand(f, first, env);
  const y = operand(f, second, env);
  if (x.nan || y.nan) return { bits: y.bits, flags: FP.IE };
  const order = orderOf(f, x, y);
  const keeps = operation === 'min' ? order < 0 : order > 0;
  return { bits: keeps ? x.bits : y.bits, flags: x.denormal || y.denormal ? FP.DE : 0 };
}

/** -1, 0, 1, or undefined: unordered. `quietly`: quiet NaNs are no exception. */
export function compareLane(
  f: BinaryFormat,
  first: bigint,
  second: bigint,
  env: SseEnvironment,
  quietly: boolean,
): { order: number | undefined; flags: number } {
  const x = operand(f, first, env);
  const y = operand(f, second, env);
  if (x.nan || y.nan) {
    return { order: undefined, flags: !quietly || x.signaling || y.signaling ? FP.IE : 0 };
  }
  return { order: orderOf(f, x, y), flags: x.denormal || y.denormal ? FP.DE : 0 };
}

/** From one format to the other. */
export function convertLane(from: BinaryFormat, to: BinaryFormat, bits: bigint, env: SseEnvironment): Lane {
  const x = operand(from, bits, env);
  if (x.nan) {
    const shift = to.fractionBits - from.fractionBits;
    const fraction = shift > 0 ? x.fraction << BigInt(shift) : x.fraction >> BigInt(-shift);
    const nan = join(to, { sign: x.sign, exp: to.maxExp, fraction: fraction | quietBit(to) });
    return { bits: nan, flags: x.signaling ? FP.IE : 0 };
  }
  if (x.infinite || x.zero) return { bits: special(to, x.sign, x.infinite), flags: 0 };
  return finish(to, realOfParts(from, x), env, x.denormal ? FP.DE : 0);
}

export function integerToLane(f: BinaryFormat, value: bigint, env: SseEnvironment): Lane {
  if (value === 0n) return { bits: 0n, flags: 0 };
  const sign = value < 0n ? 1 : 0;
  return finish(f, { sign, sig: value < 0n ? -value : value, exp: 0 }, env, 0);
}

/** What does not fit is the indefinite integer. */
export function laneToInteger(
  f: BinaryFormat,
  bits: bigint,
  size: 32 | 64,
  mode: RoundingMode,
  env: SseEnvironment,
): Lane {
  const x = operand(f, bits, env);
  const indefinite: Lane = { bits: 1n << BigInt(size - 1), flags: FP.IE };
  if (x.nan || x.infinite) return indefinite;
  if (x.zero) return { bits: 0n, flags: 0 };
  if (x.exp - f.bias > 64) return indefinite;
  const { kept, inexact } = roundToInteger(realOfParts(f, x), mode);
  const value = x.sign ? -kept : kept;
  if (BigInt.asIntN(size, value) !== value) return indefinite;
  return { bits: BigInt.asUintN(size, value), flags: inexact ? FP.PE : 0 };
}
