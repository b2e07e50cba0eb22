import { OP, type OpName } from '../../wasm/index.ts';
import { c32, c64, type Expr, make, op, select, wrap } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import {
  anyTrue,
  bitselect,
  extractLane,
  replaceLane,
  shuffle,
  shuffleLanes,
  splat32,
  vectorConst,
  ZERO_VECTOR,
} from '../vectors.ts';
import type { Lifter } from './lifter.ts';
import { enterMmx, immediateByte, readVector, useFpu, writeVector } from './simd.ts';

/**
 * Arithmetic of SSE with rounding to nearest and all exceptions masked (`ldmxcsr` takes nothing else).
 * Deviation: the exception flags of MXCSR are not set.
 *
 * WebAssembly leaves open which NaN an operation gives. x86 gives the first operand that is one, quiet, or else the
 * default NaN; `exactNan` makes that of a result, so that it is the same on every host.
 */
interface Lanes {
  readonly shape: 'f32x4' | 'f64x2';
  readonly quiet: Expr;
  readonly defaultNan: Expr;
}

const SINGLE: Lanes = { shape: 'f32x4', quiet: splat32(0x40_0000), defaultNan: splat32(0xffc0_0000) };
const DOUBLE: Lanes = {
  shape: 'f64x2',
  quiet: vectorConst(0x8_0000_0000_0000n),
  defaultNan: vectorConst(0xfff8_0000_0000_0000n),
};

type Result = (c: LiftContext, lanes: Lanes, a: Expr, b: Expr) => Expr;

function isNan(lanes: Lanes, x: Expr): Expr {
  return op(`${lanes.shape}.ne`, x, x);
}

function exactNan(c: LiftContext, lanes: Lanes, result: Expr, a: Expr, b: Expr): Expr {
  const held = c.hold(result);
  const body = c.collect(() => {
    const second = bitselect(op('v128.or', b, lanes.quiet), lanes.defaultNan, isNan(lanes, b));
    const either = bitselect(op('v128.or', a, lanes.quiet), second, isNan(lanes, a));
    c.set(held.n, bitselect(either, held, isNan(lanes, held)));
  });
  c.emit({ kind: 'if', condition: anyTrue(isNan(lanes, held)), yes: body, no: [] });
  return held;
}

function arithmetic(name: 'add' | 'sub' | 'mul' | 'div'): Result {
  return (c, lanes, a, b) => exactNan(c, lanes, op(`${lanes.shape}.${name}`, a, b), a, b);
}

const add = arithmetic('add');
const subtract = arithmetic('sub');

const squareRoot: Result = (c, lanes, _a, b) => exactNan(c, lanes, op(`${lanes.shape}.sqrt`, b), b, b);

/** The second operand unless the first is smaller: NaN and zeros of either sign give the second. */
const minimum: Result = (_c, lanes, a, b) => op(`${lanes.shape}.pmin`, b, a);
const maximum: Result = (_c, lanes, a, b) => op(`${lanes.shape}.pmax`, b, a);

/** Deviation: the exact quotient, where processors give about 12 bits, each in its own way. */
const reciprocal: Result = (c, lanes, _a, b) =>
  exactNan(c, lanes, op('f32x4.div', splat32(0x3f80_0000), b), b, b);
const reciprocalRoot: Result = (c, lanes, _a, b) => {
  const root = c.hold(op('f32x4.sqrt', b));
  return exactNan(c, lanes, op('f32x4.div', splat32(0x3f80_0000), root), b, b);
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
  return predicate < 4 ? of(predicate) : op('v128.not', of(predicate - 4));
};

/** Neighbours added or subtracted: of the first operand in the low half of the result, of the second above. */
function horizontal(of: Result): Result {
  return (c, lanes, a, b) => {
    const single = lanes === SINGLE;
    const size = single ? 4 : 8;
    const even = c.hold(shuffleLanes(a, b, single ? [0, 2, 4, 6] : [0, 2], size));
    const odd = c.hold(shuffleLanes(a, b, single ? [1, 3, 5, 7] : [1, 3], size));
    return of(c, lanes, even, odd);
  };
}

const addSubtract: Result = (c, lanes, a, b) => {
  const difference = subtract(c, lanes, a, b);
  const sum = add(c, lanes, a, b);
  return lanes === SINGLE
    ? shuffleLanes(difference, sum, [0, 5, 2, 7], 4)
    : shuffleLanes(difference, sum, [0, 3], 8);
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
  const lanes = suffix.endsWith('s') ? SINGLE : DOUBLE;
  return (c) => {
    const b = c.hold(readVector(c, 1));
    useFpu(c);
    const a = c.hold(readVector(c, 0));
    const result = of(c, lanes, a, b);
    writeVector(c, 0, suffix[0] === 'p' ? result : withLow(a, result, lanes === SINGLE ? 4 : 8));
  };
}

function family(name: string, of: Result, suffixes = 'ps pd ss sd'): [string, Lifter][] {
  return suffixes
    .split(' ')
    .map((suffix) => [`${name}${suffix}`, lifter(of, suffix as 'ps' | 'pd' | 'ss' | 'sd')]);
}

// ---- conversions

/** The NaNs among the two low single lanes as doubles. */
function widenNans(x: Expr): Expr {
  const bits = op('i64x2.extmul_low_i32x4_u', x, splat32(1));
  const sign = op('i64x2.shl', op('v128.and', bits, vectorConst(0x8000_0000n)), c32(32));
  const rest = op('i64x2.shl', op('v128.and', bits, vectorConst(0x7f_ffffn)), c32(29));
  return op('v128.or', vectorConst(0x7ff8_0000_0000_0000n), op('v128.or', sign, rest));
}

function promote(c: LiftContext, x: Expr): Expr {
  const result = c.hold(op('f64x2.promote_low_f32x4', x));
  return bitselect(widenNans(x), result, isNan(DOUBLE, result));
}

const LOW_OF_EACH = [0, 2, 4, 6];

/** Two doubles as singles in the low half, zeros above. */
function demote(c: LiftContext, x: Expr): Expr {
  const result = c.hold(op('f32x4.demote_f64x2_zero', x));
  const sign = op('v128.and', op('i64x2.shr_u', x, c32(32)), vectorConst(0x8000_0000n));
  const rest = op('v128.and', op('i64x2.shr_u', x, c32(29)), vectorConst(0x3f_ffffn));
  const nan = op('v128.or', vectorConst(0x7fc0_0000n), op('v128.or', sign, rest));
  return bitselect(shuffleLanes(nan, ZERO_VECTOR, LOW_OF_EACH, 4), result, isNan(SINGLE, result));
}

/** Singles to integers; what does not fit becomes the indefinite integer. */
function singlesToIntegers(c: LiftContext, x: Expr, round: boolean): Expr {
  const value = round ? c.hold(op('f32x4.nearest', x)) : x;
  const bad = op('v128.or', op('f32x4.ge', value, splat32(0x4f00_0000)), isNan(SINGLE, value));
  return bitselect(splat32(0x8000_0000), op('i32x4.trunc_sat_f32x4_s', value), bad);
}

/** Doubles to integers in the low half, zeros above. */
function doublesToIntegers(c: LiftContext, x: Expr, round: boolean): Expr {
  const value = c.hold(round ? op('f64x2.nearest', x) : x);
  const limit = vectorConst(0x41e0_0000_0000_0000n);
  const bad = op('v128.or', op('f64x2.ge', value, limit), isNan(DOUBLE, value));
  return bitselect(
    vectorConst(0x8000_0000_8000_0000n, 0n),
    op('i32x4.trunc_sat_f64x2_s_zero', value),
    shuffleLanes(bad, ZERO_VECTOR, LOW_OF_EACH, 4),
  );
}

type Conversion = (c: LiftContext, x: Expr) => Expr;

function conversion(of: Conversion): Lifter {
  return (c) => {
    const x = c.hold(readVector(c, 1));
    if (c.operand(0).kind === 'mmx' || c.operand(1).kind === 'mmx') enterMmx(c);
    else useFpu(c);
    writeVector(c, 0, of(c, x));
  };
}

function scalarConversion(of: Conversion, size: number): Lifter {
  return (c) => {
    const x = c.hold(readVector(c, 1));
    useFpu(c);
    const result = c.hold(of(c, x));
    writeVector(c, 0, withLow(readVector(c, 0), result, size));
  };
}

/** `cvtsi2ss` and its like: a general register or memory. */
function fromInteger(shape: 'f32x4' | 'f64x2'): Lifter {
  return (c) => {
    const size = c.operand(1).size;
    const value = c.hold(c.read(1));
    useFpu(c);
    const name: OpName =
      shape === 'f32x4'
        ? size === 64
          ? 'f32.convert_i64_s'
          : 'f32.convert_i32_s'
        : size === 64
          ? 'f64.convert_i64_s'
          : 'f64.convert_i32_s';
    writeVector(c, 0, replaceLane(`${shape}.replace_lane`, readVector(c, 0), 0, op(name, value)));
  };
}

/** A scalar to a general register; what does not fit becomes the indefinite integer. */
function toInteger(shape: 'f32x4' | 'f64x2', round: boolean): Lifter {
  return (c) => {
    let x = c.hold(readVector(c, 1));
    if (round) x = c.hold(op(`${shape}.nearest`, x));
    const raw = extractLane(`${shape}.extract_lane`, x, 0);
    const wide = shape === 'f32x4' ? make(OP['f64.promote_f32'], 64, raw) : raw;
    const whole = c.hold(op('i64.trunc_sat_f64_s', wide));
    const o = c.operand(0);
    if (o.size === 64) {
      const fits = make(
        OP['f64.lt'],
        32,
        make(OP['f64.abs'], 64, wide),
        extractLane('f64x2.extract_lane', vectorConst(0x43e0_0000_0000_0000n), 0),
      );
      c.writeReg(o.reg, 64, select(fits, whole, c64(-(2 ** 63))));
      return;
    }
    const ordered = make(OP['f64.eq'], 32, wide, wide);
    const fits = op('i32.and', op('i64.eq', op('i64.extend32_s', whole), whole), ordered);
    c.writeReg(o.reg, 32, select(fits, wrap(whole), c32(-(2 ** 31))));
  };
}

/** `ucomis`, `comis`: unordered sets ZF, PF and CF. */
function compareScalars(shape: 'f32x4' | 'f64x2'): Lifter {
  const equal: OpName = shape === 'f32x4' ? 'f32.eq' : 'f64.eq';
  const less: OpName = shape === 'f32x4' ? 'f32.lt' : 'f64.lt';
  return (c) => {
    const y = c.hold(readVector(c, 1));
    const x = c.hold(readVector(c, 0));
    const a = extractLane(`${shape}.extract_lane`, x, 0);
    const b = extractLane(`${shape}.extract_lane`, y, 0);
    const ordered = op('i32.and', op(equal, a, a), op(equal, b, b));
    const bits = op('i32.or', op('i32.shl', op(equal, a, b), c32(6)), op(less, a, b));
    c.flags.producePacked(c.hold(select(ordered, bits, c32(0x45))));
  };
}

export const SIMD_FLOAT_LIFTERS: Readonly<Record<string, Lifter>> = {
  ...Object.fromEntries([
    ...family('add', add),
    ...family('sub', subtract),
    ...family('mul', arithmetic('mul')),
    ...family('div', arithmetic('div')),
    ...family('min', minimum),
    ...family('max', maximum),
    ...family('sqrt', squareRoot),
    ...family('cmp', compare),
    ...family('rcp', reciprocal, 'ps ss'),
    ...family('rsqrt', reciprocalRoot, 'ps ss'),
    ...family('hadd', horizontal(add), 'ps pd'),
    ...family('hsub', horizontal(subtract), 'ps pd'),
    ...family('addsub', addSubtract, 'ps pd'),
  ]),
  cvtps2pd: conversion(promote),
  cvtpd2ps: conversion(demote),
  cvtss2sd: scalarConversion(promote, 8),
  cvtsd2ss: scalarConversion(demote, 4),
  cvtdq2ps: conversion((_c, x) => op('f32x4.convert_i32x4_s', x)),
  cvtdq2pd: conversion((_c, x) => op('f64x2.convert_low_i32x4_s', x)),
  cvtps2dq: conversion((c, x) => singlesToIntegers(c, x, true)),
  cvttps2dq: conversion((c, x) => singlesToIntegers(c, x, false)),
  cvtpd2dq: conversion((c, x) => doublesToIntegers(c, x, true)),
  cvttpd2dq: conversion((c, x) => doublesToIntegers(c, x, false)),
  cvtps2pi: conversion((c, x) => singlesToIntegers(c, x, true)),
  cvttps2pi: conversion((c, x) => singlesToIntegers(c, x, false)),
  cvtpd2pi: conversion((c, x) => doublesToIntegers(c, x, true)),
  cvttpd2pi: conversion((c, x) => doublesToIntegers(c, x, false)),
  cvtpi2pd: conversion((_c, x) => op('f64x2.convert_low_i32x4_s', x)),
  cvtpi2ps: (c) => {
    const x = c.hold(readVector(c, 1));
    enterMmx(c);
    const low = c.hold(op('f32x4.convert_i32x4_s', x));
    writeVector(c, 0, withLow(readVector(c, 0), low, 8));
  },
  cvtsi2ss: fromInteger('f32x4'),
  cvtsi2sd: fromInteger('f64x2'),
  cvtss2si: toInteger('f32x4', true),
  cvttss2si: toInteger('f32x4', false),
  cvtsd2si: toInteger('f64x2', true),
  cvttsd2si: toInteger('f64x2', false),
  ucomiss: compareScalars('f32x4'),
  comiss: compareScalars('f32x4'),
  ucomisd: compareScalars('f64x2'),
  comisd: compareScalars('f64x2'),
};
