import { OP } from '../../wasm/index.ts';
import { VECTOR } from '../cpu.ts';
import { HELPER } from '../engine-layout.ts';
import { and32, c32, c64, callHelper, type Expr, load, make, op } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { FPU_AREA, FPU_MXCSR, FPU_SCRATCH } from '../register-file.ts';
import { anyTrue, extractLane, loadVectorAt, splat32, vectorConst, ZERO_VECTOR } from '../vectors.ts';

/**
 * SSE arithmetic is WebAssembly's own as long as that gives what the processor would and no exception flag is new: MXCSR
 * as after reset, PE set already (the first inexact operation sets it), operands and result in the normal range. Everything
 * else is made by the host (`fpu/sse-unit.ts`), which is exact in all modes and tells all flags.
 */
const CONTROL = 0xffc0;
const PRECISION = 0x20;
const USUAL = 0x1f80;

/** How many lanes of which format. */
export interface Shape {
  readonly double: boolean;
  /** The lowest lane alone. */
  readonly scalar: boolean;
}

/** Whether MXCSR asks for more than WebAssembly does. `inexact`: whether the operation can be. */
function unusual(inexact: boolean): Expr {
  const mxcsr = load('i32.load', c32(0), FPU_AREA + FPU_MXCSR);
  return inexact
    ? op('i32.ne', and32(mxcsr, CONTROL | PRECISION), c32(USUAL | PRECISION))
    : op('i32.ne', and32(mxcsr, CONTROL), c32(USUAL));
}

function lowest(shape: Shape, x: Expr): Expr {
  return shape.double ? extractLane('i64x2.extract_lane', x, 0) : extractLane('i32x4.extract_lane', x, 0);
}

const SMALLEST = { single: splat32(0x0080_0000), double: vectorConst(0x10n << 48n) };
const INFINITE = { single: splat32(0x7f80_0000), double: vectorConst(0x7ff0n << 48n) };

const UNSIGNED = { single: splat32(0x7fff_ffff), double: vectorConst((1n << 63n) - 1n) };

function magnitudeOf(shape: Shape, x: Expr): Expr {
  return op('v128.and', x, shape.double ? UNSIGNED.double : UNSIGNED.single);
}

/** A denormal. */
export function isDenormal(shape: Shape, x: Expr): Expr {
  if (shape.scalar) {
    // Without its sign, less one: zero goes to the far end.
    const low = lowest(shape, x);
    return shape.double
      ? op('i64.lt_u', op('i64.sub', op('i64.shl', low, c64(1)), c64(1)), c64(2 ** 53 - 1))
      : op('i32.lt_u', op('i32.sub', op('i32.shl', low, c32(1)), c32(1)), c32(2 ** 24 - 1));
  }
  const f = shape.double ? 'f64x2' : 'f32x4';
  const small = op(`${f}.lt`, magnitudeOf(shape, x), shape.double ? SMALLEST.double : SMALLEST.single);
  return anyTrue(op('v128.and', small, op(`${f}.ne`, x, ZERO_VECTOR)));
}

/** A denormal or a NaN. */
export function isDenormalOrNan(shape: Shape, x: Expr): Expr {
  return op('i32.or', isDenormal(shape, x), isNan(shape, x));
}

function isNan(shape: Shape, x: Expr): Expr {
  if (shape.scalar) {
    const low = lowest(shape, x);
    return shape.double
      ? op(
          'i64.gt_u',
          op('i64.shl', low, c64(1)),
          make(OP['i64.const'], 64, undefined, undefined, 0, undefined, -(1n << 53n)),
        )
      : op('i32.gt_u', op('i32.shl', low, c32(1)), c32(0xff00_0000));
  }
  return anyTrue(op(shape.double ? 'f64x2.ne' : 'f32x4.ne', x, x));
}

/** Not strictly above the smallest normal number, or infinite, or no number. `zero`: zeros are fine. */
export function isExtreme(shape: Shape, x: Expr, zero: boolean): Expr {
  if (shape.scalar) {
    const low = lowest(shape, x);
    if (shape.double) {
      const twice = op('i64.shl', low, c64(1));
      const bad = op(
        'i64.ge_u',
        op('i64.sub', twice, c64(2 ** 53 + 2)),
        make(OP['i64.const'], 64, undefined, undefined, 0, undefined, -(2n ** 54n) - 2n),
      );
      return zero ? op('i32.and', bad, op('i64.ne', twice, c64(0))) : bad;
    }
    const twice = op('i32.shl', low, c32(1));
    const bad = op('i32.ge_u', op('i32.sub', twice, c32(2 ** 24 + 2)), c32(-(2 ** 25) - 2));
    return zero ? op('i32.and', bad, op('i32.ne', twice, c32(0))) : bad;
  }
  const f = shape.double ? 'f64x2' : 'f32x4';
  const magnitude = magnitudeOf(shape, x);
  const above = op(`${f}.lt`, shape.double ? SMALLEST.double : SMALLEST.single, magnitude);
  const below = op(`${f}.lt`, magnitude, shape.double ? INFINITE.double : INFINITE.single);
  const fine = op('v128.and', above, below);
  const all = zero ? op('v128.or', fine, op(`${f}.eq`, x, ZERO_VECTOR)) : fine;
  return anyTrue(op('v128.not', all));
}

/** Where operands are put for the host: the first one, which the result replaces, and the second. */
function put(c: LiftContext, offset: number, value: Expr): void {
  const name = value.width === 128 ? 'v128.store' : value.width === 64 ? 'i64.store' : 'i32.store';
  c.emit({ kind: 'store', op: OP[name], at: c32(0), offset: FPU_SCRATCH + offset, value });
}

/**
 * `result` (in a local), made again by the host when MXCSR asks for it or `abnormal` holds. `code`: see fpu/sse-operations.ts.
 */
export function exactly(
  c: LiftContext,
  code: number,
  result: Expr,
  operands: { readonly a?: Expr; readonly b: Expr },
  inexact: boolean,
  abnormal?: Expr,
): Expr {
  const condition = abnormal === undefined ? unusual(inexact) : op('i32.or', unusual(inexact), abnormal);
  const body = c.collect(() => {
    if (operands.a !== undefined) put(c, 0, operands.a);
    put(c, 16, operands.b);
    c.exception(VECTOR.XM, callHelper(HELPER.sse, 32, c32(code)));
    const made =
      result.width === 128
        ? loadVectorAt(c32(0), FPU_SCRATCH)
        : load(result.width === 64 ? 'i64.load' : 'i32.load', c32(0), FPU_SCRATCH);
    c.set(result.n, made);
  });
  c.emit({ kind: 'if', condition, yes: body, no: [] });
  return result;
}
