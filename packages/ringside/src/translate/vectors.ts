import { OP, type OpName } from '../wasm/index.ts';
import { type Expr, make, op, type Width } from './ir.ts';
import { FPU_AREA, FPU_ST, FPU_XMM } from './register-file.ts';

/** Expressions over vectors of 16 bytes. */
export type Bytes16 = readonly number[];

function packed(bytes: Bytes16): bigint {
  return bytes.reduceRight((all, byte) => (all << 8n) | BigInt(byte & 0xff), 0n);
}

export function vectorConst(low: bigint, high = low): Expr {
  const bytes = (BigInt.asUintN(64, high) << 64n) | BigInt.asUintN(64, low);
  return make(OP['v128.const'], 128, undefined, undefined, 0, undefined, bytes);
}

export const ZERO_VECTOR = vectorConst(0n);

/** A 32-bit pattern in all four lanes. */
export function splat32(bits: number): Expr {
  const lane = BigInt(bits >>> 0);
  return vectorConst(lane | (lane << 32n));
}

/** Byte `i` of the result is byte `bytes[i]` of `a` (0 to 15) and `b` (16 to 31). */
export function shuffle(a: Expr, b: Expr, bytes: Bytes16): Expr {
  return make(OP['i8x16.shuffle'], 128, a, b, 0, undefined, packed(bytes));
}

/** A shuffle of lanes of `size` bytes. */
export function shuffleLanes(a: Expr, b: Expr, lanes: readonly number[], size: number): Expr {
  return shuffle(
    a,
    b,
    lanes.flatMap((lane) => Array.from({ length: size }, (_, i) => lane * size + i)),
  );
}

/** `yes` where the mask has ones, else `no`. */
export function bitselect(yes: Expr, no: Expr, mask: Expr): Expr {
  return make(OP['v128.bitselect'], 128, yes, no, 0, mask);
}

export function extractLane(
  name: Extract<OpName, `${string}.extract_lane${string}`>,
  a: Expr,
  lane: number,
): Expr {
  const width: Width = name.startsWith('i64') || name.startsWith('f64') ? 64 : 32;
  return make(OP[name], width, a, undefined, lane);
}

export function replaceLane(
  name: Extract<OpName, `${string}.replace_lane`>,
  a: Expr,
  lane: number,
  value: Expr,
): Expr {
  return make(OP[name], 128, a, value, lane);
}

export function loadVectorAt(at: Expr, offset: number): Expr {
  return make(OP['v128.load'], 128, at, undefined, offset);
}

/** Where an xmm register is in the register file. */
export function xmmOffset(reg: number): number {
  return FPU_AREA + FPU_XMM + 16 * reg;
}

/** Where an mmx register is: the significand of the x87 register with its number. */
export function mmxOffset(reg: number): number {
  return FPU_AREA + FPU_ST + 16 * reg;
}

export function lowHalf(a: Expr): Expr {
  return shuffleLanes(a, ZERO_VECTOR, [0, 2], 8);
}

/** A 64-bit value in the low half, zeros above. */
export function fromLow(value: Expr): Expr {
  return replaceLane('i64x2.replace_lane', ZERO_VECTOR, 0, value);
}

export function anyTrue(a: Expr): Expr {
  return op('v128.any_true', a);
}
