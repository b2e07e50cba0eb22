import { OP, type OpName } from '../../wasm/index.ts';
import { type SseOperation, sseCode } from '../fpu/index.ts';
import { and32, c32, c64, type Expr, make, op, select, wrap } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import {
  anyTrue,
  bitselect,
  extractLane,
  lowHalf,
  replaceLane,
  shuffle,
  shuffleLanes,
  splat32,
  vectorConst,
  ZERO_VECTOR,
} from '../vectors.ts';
import type { Lifter } from './lifter.ts';
import { enterMmx, immediateByte, readVector, useFpu, writeVector } from './simd.ts';
import { exactly, isDenormal, isDenormalOrNan, isExtreme, type Shape } from './simd-exact.ts';

/** Arithmetic of SSE: WebAssembly's where that is enough, see simd-exact.ts. */
interface Lanes extends Shape {
  readonly shape: 'f32x4' | 'f64x2';
  readonly double: boolean;
}

const SINGLE: Lanes = { shape: 'f32x4', double: false, scalar: false };
const DOUBLE: Lanes = { shape: 'f64x2', double: true, scalar: false };

type Result = (c: LiftContext, lanes: Lanes, a: Expr, b: Expr) => Expr;

function code(operation: SseOperation, lanes: Lanes, immediate = 0): number {
  return sseCode(operation, lanes.double, lanes.scalar ? 1 : lanes.double ? 2 : 4, lanes.scalar, immediate);
}

function isNan(lanes: Lanes, x: Expr): Expr {
  return op(`${lanes.shape}.ne`, x, x);
}

function either(lanes: Lanes, of: (lanes: Lanes, x: Expr) => Expr, a: Expr, b: Expr): Expr {
  return op('i32.or', of(lanes, a), of(lanes, b));
}

function arithmetic(name: 'add' | 'sub' | 'mul' | 'div'): Result {
  // Sums cancel to zero exactly; a product or quotient may be one because it is too small.
  const zero = name === 'add' || name === 'sub';
  return (c, lanes, a, b) => {
    const result = c.hold(op(`${lanes.shape}.${name}`, a, b));
    const abnormal = op('i32.or', isExtreme(lanes, result, zero), either(lanes, isDenormal, a, b));
    return exactly(c, code(name, lanes), result, { a, b }, true, abnormal);
  };
}

const add = arithmetic('add');
const subtract = arithmetic('sub');

const squareRoot: Result = (c, lanes, a, b) => {
  const result = c.hold(op(`${lanes.shape}.sqrt`, b));
  const abnormal = op('i32.or', isExtreme(lanes, result, true), isDenormal(lanes, b));
  return exactly(c, code('sqrt', lanes), result, { a, b }, true, abnormal);
};

/** The second operand unless the first is smaller: NaN and zeros of either sign give the second. */
function extreme(name: 'min' | 'max'): Result {
  return (c, lanes, a, b) => {
    const result = c.hold(op(`${lanes.shape}.p${name}`, b, a));
    return exactly(c, code(name, lanes), result, { a, b }, false, either(lanes, isDenormalOrNan, a, b));
  };
}

/** Approximations have no exceptions and no modes; a NaN becomes a quiet one. */
function quietNan(result: Expr, x: Expr): Expr {
  const nan = op('v128.or', x, splat32(0x40_0000));
  const fresh = bitselect(splat32(0xffc0_0000), result, isNan(SINGLE, result));
  return bitselect(nan, fresh, isNan(SINGLE, x));
}

/** Deviation: the exact quotient, where processors give about 12 bits, each in its own way. */
const reciprocal: Result = (c, _lanes, _a, b) =>
  quietNan(c.hold(op('f32x4.div', splat32(0x3f80_0000), b)), b);
const reciprocalRoot: Result = (c, _lanes, _a, b) => {
  const root = c.hold(op('f32x4.sqrt', b));
  return quietNan(c.hold(op('f32x4.div', splat32(0x3f80_0000), root)), b);
};

const compare: Result = (c, lanes, a, b) => {
  const unordered = (): Expr => op('v128.or', isNan(lanes, a), isNan(lanes, b));
  const predicate = immediateByte(c, 2) & 7;
  const of = (k: number): Expr =>
    k === 0
      ? op(`${lanes.shape}.eq`, a, b)
      : k === 1
        ? op(`${lanes.shape}.lt`, a, b)
        : k === 2
          ? op(`${lanes.shape}.le`, a, b)
          : unordered();
  const result = c.hold(predicate < 4 ? of(predicate) : op('v128.not', of(predicate - 4)));
  const abnormal = either(lanes, isDenormalOrNan, a, b);
  return exactly(c, code('cmp', lanes, predicate), result, { a, b }, false, abnormal);
};

/** Neighbours added or subtracted: of the first operand in the low half of the result, of the second above. */
function horizontal(of: Result): Result {
  return (c, lanes, a, b) => {
    const single = !lanes.double;
    const size = single ? 4 : 8;
    const even = c.hold(shuffleLanes(a, b, single ? [0, 2, 4, 6] : [0, 2], size));
    const odd = c.hold(shuffleLanes(a, b, single ? [1, 3, 5, 7] : [1, 3], size));
    return of(c, lanes, even, odd);
  };
}

const addSubtract: Result = (c, lanes, a, b) => {
  const difference = op(`${lanes.shape}.sub`, a, b);
  const sum = op(`${lanes.shape}.add`, a, b);
  const result = c.hold(
    lanes.double ? shuffleLanes(difference, sum, [0, 3], 8) : shuffleLanes(difference, sum, [0, 5, 2, 7], 4),
  );
  const abnormal = op('i32.or', isExtreme(lanes, result, true), either(lanes, isDenormal, a, b));
  return exactly(c, code('addsub', lanes), result, { a, b }, true, abnormal);
};

/** The low lane of one vector with the rest of another. */
function withLow(rest: Expr, low: Expr, size: number): Expr {
  return shuffle(
    rest,
    low,
    Array.from({ length: 16 }, (_, i) => (i < size ? 16 + i : i)),
  );
}

/** All lanes (`ps`, `pd`) or the lowest alone (`ss`, `sd`). */
function lifter(of: Result, suffix: 'ps' | 'pd' | 'ss' | 'sd'): Lifter {
  const lanes: Lanes = { ...(suffix.endsWith('s') ? SINGLE : DOUBLE), scalar: suffix[0] === 's' };
  return (c) => {
    const b = c.hold(readVector(c, 1));
    useFpu(c);
    const a = c.hold(readVector(c, 0));
    const result = of(c, lanes, a, b);
    writeVector(c, 0, lanes.scalar ? withLow(a, result, lanes.double ? 8 : 4) : result);
  };
}

function family(name: string, of: Result, suffixes = 'ps pd ss sd'): [string, Lifter][] {
  return suffixes
    .split(' ')
    .map((suffix) => [`${name}${suffix}`, lifter(of, suffix as 'ps' | 'pd' | 'ss' | 'sd')]);
}

// ---- conversions

type Conversion = (c: LiftContext, x: Expr, scalar: boolean) => Expr;

/** Packed conversions work on the low half of the wider format. */
function lanesOf(scalar: boolean, packed = 2): number {
  return scalar ? 1 : packed;
}

const widen: Conversion = (c, x, scalar) => {
  const result = c.hold(op('f64x2.promote_low_f32x4', x));
  // The lanes above do not count: zeros for the check.
  const low = scalar ? x : c.hold(lowHalf(x));
  const abnormal = isDenormalOrNan({ double: false, scalar }, low);
  return exactly(c, sseCode('widen', true, lanesOf(scalar), scalar), result, { b: x }, false, abnormal);
};

/** Two doubles as singles in the low half, zeros above. */
const narrow: Conversion = (c, x, scalar) => {
  const result = c.hold(op('f32x4.demote_f64x2_zero', x));
  const abnormal = op(
    'i32.or',
    isExtreme({ double: false, scalar }, result, true),
    isExtreme({ double: true, scalar }, x, true),
  );
  // A number too small becomes a zero that looks exact.
  const lost = op('i32.ne', zeros(result, false, scalar), zeros(x, true, scalar));
  return exactly(
    c,
    sseCode('narrow', true, lanesOf(scalar), scalar),
    result,
    { b: x },
    true,
    op('i32.or', abnormal, lost),
  );
};

/** A bit for each lane, of the two lowest, that is zero. */
function zeros(x: Expr, double: boolean, scalar: boolean): Expr {
  const mask = double
    ? op('i64x2.bitmask', op('f64x2.eq', x, ZERO_VECTOR))
    : op('i32x4.bitmask', op('f32x4.eq', x, ZERO_VECTOR));
  return and32(mask, scalar ? 1 : 3);
}

const INDEFINITE = splat32(0x8000_0000);

/** Singles to integers; what does not fit becomes the indefinite integer. */
function singlesToIntegers(round: boolean, lanes: number): Conversion {
  return (c, x) => {
    const value = round ? c.hold(op('f32x4.nearest', x)) : x;
    const bad = op('v128.or', op('f32x4.ge', value, splat32(0x4f00_0000)), isNan(SINGLE, value));
    const whole = c.hold(bitselect(INDEFINITE, op('i32x4.trunc_sat_f32x4_s', value), bad));
    const result = lanes === 2 ? c.hold(lowHalf(whole)) : whole;
    const abnormal = anyTrue(op('i32x4.eq', result, INDEFINITE));
    const operation = round ? 'toInteger32' : 'truncate32';
    // What the upper half holds stays zero.
    const a = ZERO_VECTOR;
    return exactly(c, sseCode(operation, false, lanes, false), result, { a, b: x }, true, abnormal);
  };
}

const LOW_OF_EACH = [0, 2, 4, 6];

/** Doubles to integers in the low half, zeros above. */
function doublesToIntegers(round: boolean): Conversion {
  return (c, x) => {
    const value = c.hold(round ? op('f64x2.nearest', x) : x);
    const limit = vectorConst(0x41e0_0000_0000_0000n);
    const bad = op('v128.or', op('f64x2.ge', value, limit), isNan(DOUBLE, value));
    const result = c.hold(
      bitselect(
        vectorConst(0x8000_0000_8000_0000n, 0n),
        op('i32x4.trunc_sat_f64x2_s_zero', value),
        shuffleLanes(bad, ZERO_VECTOR, LOW_OF_EACH, 4),
      ),
    );
    const abnormal = anyTrue(op('i32x4.eq', result, INDEFINITE));
    const operation = round ? 'toInteger32' : 'truncate32';
    return exactly(c, sseCode(operation, true, 2, false), result, { b: x }, true, abnormal);
  };
}

/** Integers to singles: inexact beyond 24 bits. */
function integersToSingles(lanes: number): Conversion {
  return (c, x) => {
    const result = c.hold(op('f32x4.convert_i32x4_s', x));
    return exactly(c, sseCode('fromInteger32', false, lanes, false), result, { a: ZERO_VECTOR, b: x }, true);
  };
}

const integersToDoubles: Conversion = (_c, x) => op('f64x2.convert_low_i32x4_s', x);

function conversion(of: Conversion): Lifter {
  return (c) => {
    const x = c.hold(readVector(c, 1));
    if (c.operand(0).kind === 'mmx' || c.operand(1).kind === 'mmx') enterMmx(c);
    else useFpu(c);
    writeVector(c, 0, of(c, x, false));
  };
}

function scalarConversion(of: Conversion, size: number): Lifter {
  return (c) => {
    const x = c.hold(readVector(c, 1));
    useFpu(c);
    const result = c.hold(of(c, x, true));
    writeVector(c, 0, withLow(readVector(c, 0), result, size));
  };
}

/** `cvtsi2ss` and its like: a general register or memory. */
function fromInteger(shape: 'f32x4' | 'f64x2'): Lifter {
  return (c) => {
    const size = c.operand(1).size;
    const double = shape === 'f64x2';
    const value = c.hold(c.read(1));
    useFpu(c);
    const name: OpName = double
      ? size === 64
        ? 'f64.convert_i64_s'
        : 'f64.convert_i32_s'
      : size === 64
        ? 'f32.convert_i64_s'
        : 'f32.convert_i32_s';
    const made = replaceLane(`${shape}.replace_lane`, readVector(c, 0), 0, op(name, value));
    if (double && size !== 64) {
      writeVector(c, 0, made);
      return;
    }
    const result = c.hold(made);
    const operation = size === 64 ? 'fromInteger64' : 'fromInteger32';
    const a = readVector(c, 0);
    writeVector(c, 0, exactly(c, sseCode(operation, double, 1, true), result, { a, b: value }, true));
  };
}

/** A scalar to a general register; what does not fit becomes the indefinite integer. */
function toInteger(shape: 'f32x4' | 'f64x2', round: boolean): Lifter {
  return (c) => {
    const x = c.hold(readVector(c, 1));
    useFpu(c);
    const rounded = round ? c.hold(op(`${shape}.nearest`, x)) : x;
    const raw = extractLane(`${shape}.extract_lane`, rounded, 0);
    const wide = shape === 'f32x4' ? make(OP['f64.promote_f32'], 64, raw) : raw;
    const whole = c.hold(op('i64.trunc_sat_f64_s', wide));
    const o = c.operand(0);
    const double = shape === 'f64x2';
    let result: Expr;
    let abnormal: Expr;
    if (o.size === 64) {
      const fits = make(
        OP['f64.lt'],
        32,
        make(OP['f64.abs'], 64, wide),
        extractLane('f64x2.extract_lane', vectorConst(0x43e0_0000_0000_0000n), 0),
      );
      result = c.hold(select(fits, whole, c64(-(2 ** 63))));
      abnormal = op('i64.eq', result, c64(-(2 ** 63)));
    } else {
      const ordered = make(OP['f64.eq'], 32, wide, wide);
      const fits = op('i32.and', op('i64.eq', op('i64.extend32_s', whole), whole), ordered);
      result = c.hold(select(fits, wrap(whole), c32(-(2 ** 31))));
      abnormal = op('i32.eq', result, c32(-(2 ** 31)));
    }
    const operation = `${round ? 'toInteger' : 'truncate'}${o.size === 64 ? 64 : 32}` as const;
    c.writeReg(
      o.reg,
      o.size,
      exactly(c, sseCode(operation, double, 1, true), result, { b: x }, true, abnormal),
    );
  };
}

/** `ucomis`, `comis`: unordered sets ZF, PF and CF. */
function compareScalars(shape: 'f32x4' | 'f64x2', operation: 'comis' | 'ucomis'): Lifter {
  const equal: OpName = shape === 'f32x4' ? 'f32.eq' : 'f64.eq';
  const less: OpName = shape === 'f32x4' ? 'f32.lt' : 'f64.lt';
  const lanes: Shape = { double: shape === 'f64x2', scalar: true };
  return (c) => {
    const y = c.hold(readVector(c, 1));
    useFpu(c);
    const x = c.hold(readVector(c, 0));
    const a = extractLane(`${shape}.extract_lane`, x, 0);
    const b = extractLane(`${shape}.extract_lane`, y, 0);
    const result = c.hold(op('i32.or', op('i32.shl', op(equal, a, b), c32(6)), op(less, a, b)));
    const abnormal = op('i32.or', isDenormalOrNan(lanes, x), isDenormalOrNan(lanes, y));
    const bits = exactly(
      c,
      sseCode(operation, lanes.double, 1, true),
      result,
      { a: x, b: y },
      false,
      abnormal,
    );
    c.flags.producePacked(bits);
  };
}

export const SIMD_FLOAT_LIFTERS: Readonly<Record<string, Lifter>> = {
  ...Object.fromEntries([
    ...family('add', add),
    ...family('sub', subtract),
    ...family('mul', arithmetic('mul')),
    ...family('div', arithmetic('div')),
    ...family('min', extreme('min')),
    ...family('max', extreme('max')),
    ...family('sqrt', squareRoot),
    ...family('cmp', compare),
    ...family('rcp', reciprocal, 'ps ss'),
    ...family('rsqrt', reciprocalRoot, 'ps ss'),
    ...family('hadd', horizontal(add), 'ps pd'),
    ...family('hsub', horizontal(subtract), 'ps pd'),
    ...family('addsub', addSubtract, 'ps pd'),
  ]),
  cvtps2pd: conversion(widen),
  cvtpd2ps: conversion(narrow),
  cvtss2sd: scalarConversion(widen, 8),
  cvtsd2ss: scalarConversion(narrow, 4),
  cvtdq2ps: conversion(integersToSingles(4)),
  cvtdq2pd: conversion(integersToDoubles),
  cvtps2dq: conversion(singlesToIntegers(true, 4)),
  cvttps2dq: conversion(singlesToIntegers(false, 4)),
  cvtpd2dq: conversion(doublesToIntegers(true)),
  cvttpd2dq: conversion(doublesToIntegers(false)),
  cvtps2pi: conversion(singlesToIntegers(true, 2)),
  cvttps2pi: conversion(singlesToIntegers(false, 2)),
  cvtpd2pi: conversion(doublesToIntegers(true)),
  cvttpd2pi: conversion(doublesToIntegers(false)),
  cvtpi2pd: conversion(integersToDoubles),
  cvtpi2ps: (c) => {
    const x = c.hold(readVector(c, 1));
    enterMmx(c);
    const low = integersToSingles(2)(c, x, false);
    writeVector(c, 0, withLow(readVector(c, 0), low, 8));
  },
  cvtsi2ss: fromInteger('f32x4'),
  cvtsi2sd: fromInteger('f64x2'),
  cvtss2si: toInteger('f32x4', true),
  cvttss2si: toInteger('f32x4', false),
  cvtsd2si: toInteger('f64x2', true),
  cvttsd2si: toInteger('f64x2', false),
  ucomiss: compareScalars('f32x4', 'ucomis'),
  comiss: compareScalars('f32x4', 'comis'),
  ucomisd: compareScalars('f64x2', 'ucomis'),
  comisd: compareScalars('f64x2', 'comis'),
};
