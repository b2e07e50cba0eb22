import type { OpName } from '../../wasm/index.ts';
import { c32, c64, type Expr, extend, op, select, wrap } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { extractLane, lowHalf, shuffle, shuffleLanes, vectorConst, ZERO_VECTOR } from '../vectors.ts';
import type { Lifter } from './lifter.ts';
import { enterMmx, immediateByte, isMmx, readVector, useFpu, writeVector } from './simd.ts';

type Binary = (a: Expr, b: Expr, c: LiftContext) => Expr;

/** Both forms of an operation: xmm registers, and mmx registers in the low half of vectors. */
function packed(xmm: Binary, mmx: Binary = xmm): Lifter {
  return (c) => {
    const small = isMmx(c.operand(0));
    const b = c.hold(readVector(c, 1));
    if (small) enterMmx(c);
    else useFpu(c);
    const a = c.hold(readVector(c, 0));
    writeVector(c, 0, (small ? mmx : xmm)(a, b, c));
  };
}

function same(name: OpName): Lifter {
  return packed((a, b) => op(name, a, b));
}

/** Lanes of the low halves in turn. */
function interleave(a: Expr, b: Expr, size: number, from: number): Expr {
  const count = 16 / size;
  const lanes = Array.from({ length: count }, (_, i) => from + (i >> 1) + (i & 1 ? count : 0));
  return shuffleLanes(a, b, lanes, size);
}

function unpackLow(size: number): Lifter {
  return packed((a, b) => interleave(a, b, size, 0));
}

function unpackHigh(size: number): Lifter {
  return packed(
    (a, b) => interleave(a, b, size, 8 / size),
    (a, b) => interleave(a, b, size, 4 / size),
  );
}

function pack(name: OpName): Lifter {
  return packed(
    (a, b) => op(name, a, b),
    (a, b, c) => {
      const all = c.hold(shuffleLanes(a, b, [0, 2], 8));
      return op(name, all, all);
    },
  );
}

/** The upper halves of the products of 16-bit lanes. */
function multiplyHigh(sign: 's' | 'u'): Lifter {
  return packed((a, b) =>
    shuffleLanes(
      op(`i32x4.extmul_low_i16x8_${sign}`, a, b),
      op(`i32x4.extmul_high_i16x8_${sign}`, a, b),
      [1, 3, 5, 7, 9, 11, 13, 15],
      2,
    ),
  );
}

function multiplyEven(a: Expr, b: Expr): Expr {
  const even = (x: Expr): Expr => shuffleLanes(x, x, [0, 2, 0, 2], 4);
  return op('i64x2.extmul_low_i32x4_u', even(a), even(b));
}

/** Sums of the absolute differences of each eight bytes. */
function sumOfDifferences(a: Expr, b: Expr, c: LiftContext): Expr {
  const difference = op('v128.or', op('i8x16.sub_sat_u', a, b), op('i8x16.sub_sat_u', b, a));
  const fours = op('i32x4.extadd_pairwise_i16x8_u', op('i16x8.extadd_pairwise_i8x16_u', difference));
  const held = c.hold(fours);
  return op('i64x2.add', op('v128.and', held, vectorConst(0xffff_ffffn)), op('i64x2.shr_u', held, c32(32)));
}

/** Shifts of lanes by a count for all of them: an immediate, or the low 64 bits of the operand. */
function shift(name: OpName, bits: number): Lifter {
  const arithmetic = name.endsWith('_s');
  return (c) => {
    const o = c.operand(1);
    const small = isMmx(c.operand(0));
    if (o.kind === 'imm') {
      if (small) enterMmx(c);
      else useFpu(c);
      const count = immediateByte(c, 1);
      const value = readVector(c, 0);
      if (count < bits) writeVector(c, 0, op(name, value, c32(count)));
      else writeVector(c, 0, arithmetic ? op(name, value, c32(bits - 1)) : ZERO_VECTOR);
      return;
    }
    const by = c.hold(extractLane('i64x2.extract_lane', readVector(c, 1), 0));
    if (small) enterMmx(c);
    else useFpu(c);
    const value = readVector(c, 0);
    const beyond = op('i64.gt_u', by, c64(bits - 1));
    if (arithmetic) {
      writeVector(c, 0, op(name, value, wrap(select(beyond, c64(bits - 1), by))));
    } else writeVector(c, 0, select(beyond, ZERO_VECTOR, op(name, value, wrap(by))));
  };
}

function shiftBytes(left: boolean): Lifter {
  return (c) => {
    useFpu(c);
    const count = Math.min(immediateByte(c, 1), 16);
    const bytes = Array.from({ length: 16 }, (_, i) => {
      const from = left ? i - count : i + count;
      return from < 0 || from > 15 ? 16 : from;
    });
    writeVector(c, 0, shuffle(readVector(c, 0), ZERO_VECTOR, bytes));
  };
}

/** Shuffles of four lanes by an immediate: `pick` gives all lanes of the result from the four numbers. */
function shuffleByImmediate(size: number, pick: (four: readonly number[]) => readonly number[]): Lifter {
  return (c) => {
    const imm = immediateByte(c, 2);
    const value = c.hold(readVector(c, 1));
    if (isMmx(c.operand(0))) enterMmx(c);
    else useFpu(c);
    const four = [imm & 3, (imm >> 2) & 3, (imm >> 4) & 3, imm >> 6];
    writeVector(c, 0, shuffleLanes(value, value, pick(four), size));
  };
}

const shuffleLowWords = shuffleByImmediate(2, (four) => [...four, 4, 5, 6, 7]);

function insertWord(c: LiftContext): void {
  const small = isMmx(c.operand(0));
  const value = c.hold(c.read(1));
  if (small) enterMmx(c);
  else useFpu(c);
  const lane = immediateByte(c, 2) & (small ? 3 : 7);
  const all = readVector(c, 0);
  const word = op('i32x4.splat', value);
  const lanes = Array.from({ length: 8 }, (_, i) => (i === lane ? 8 : i));
  writeVector(c, 0, shuffleLanes(all, word, lanes, 2));
}

/** Writes a 32-bit value into a general register, with zeros above. */
function toRegister(c: LiftContext, value: Expr): void {
  const o = c.operand(0);
  c.writeReg(o.reg, o.size, o.size === 64 ? extend(value) : value);
}

function extractWord(c: LiftContext): void {
  const small = isMmx(c.operand(1));
  if (small) enterMmx(c);
  const lane = immediateByte(c, 2) & (small ? 3 : 7);
  toRegister(c, extractLane('i16x8.extract_lane_u', readVector(c, 1), lane));
}

function signs(name: 'i8x16.bitmask' | 'i32x4.bitmask' | 'i64x2.bitmask'): Lifter {
  return (c) => {
    if (isMmx(c.operand(1))) enterMmx(c);
    toRegister(c, op(name, readVector(c, 1)));
  };
}

const andNot = packed((a, b) => op('v128.andnot', b, a));

export const SIMD_INTEGER_LIFTERS: Readonly<Record<string, Lifter>> = {
  paddb: same('i8x16.add'),
  paddw: same('i16x8.add'),
  paddd: same('i32x4.add'),
  paddq: same('i64x2.add'),
  psubb: same('i8x16.sub'),
  psubw: same('i16x8.sub'),
  psubd: same('i32x4.sub'),
  psubq: same('i64x2.sub'),
  paddsb: same('i8x16.add_sat_s'),
  paddsw: same('i16x8.add_sat_s'),
  paddusb: same('i8x16.add_sat_u'),
  paddusw: same('i16x8.add_sat_u'),
  psubsb: same('i8x16.sub_sat_s'),
  psubsw: same('i16x8.sub_sat_s'),
  psubusb: same('i8x16.sub_sat_u'),
  psubusw: same('i16x8.sub_sat_u'),
  pminub: same('i8x16.min_u'),
  pmaxub: same('i8x16.max_u'),
  pminsw: same('i16x8.min_s'),
  pmaxsw: same('i16x8.max_s'),
  pavgb: same('i8x16.avgr_u'),
  pavgw: same('i16x8.avgr_u'),
  pcmpeqb: same('i8x16.eq'),
  pcmpeqw: same('i16x8.eq'),
  pcmpeqd: same('i32x4.eq'),
  pcmpgtb: same('i8x16.gt_s'),
  pcmpgtw: same('i16x8.gt_s'),
  pcmpgtd: same('i32x4.gt_s'),
  pand: same('v128.and'),
  por: same('v128.or'),
  pxor: same('v128.xor'),
  pandn: andNot,
  andps: same('v128.and'),
  andpd: same('v128.and'),
  orps: same('v128.or'),
  orpd: same('v128.or'),
  xorps: same('v128.xor'),
  xorpd: same('v128.xor'),
  andnps: andNot,
  andnpd: andNot,
  pmullw: same('i16x8.mul'),
  pmulhw: multiplyHigh('s'),
  pmulhuw: multiplyHigh('u'),
  pmuludq: packed(multiplyEven),
  pmaddwd: same('i32x4.dot_i16x8_s'),
  psadbw: packed(sumOfDifferences),
  packsswb: pack('i8x16.narrow_i16x8_s'),
  packuswb: pack('i8x16.narrow_i16x8_u'),
  packssdw: pack('i16x8.narrow_i32x4_s'),
  punpcklbw: unpackLow(1),
  punpcklwd: unpackLow(2),
  punpckldq: unpackLow(4),
  punpcklqdq: unpackLow(8),
  punpckhbw: unpackHigh(1),
  punpckhwd: unpackHigh(2),
  punpckhdq: unpackHigh(4),
  punpckhqdq: unpackHigh(8),
  unpcklps: unpackLow(4),
  unpcklpd: unpackLow(8),
  unpckhps: unpackHigh(4),
  unpckhpd: unpackHigh(8),
  psllw: shift('i16x8.shl', 16),
  pslld: shift('i32x4.shl', 32),
  psllq: shift('i64x2.shl', 64),
  psrlw: shift('i16x8.shr_u', 16),
  psrld: shift('i32x4.shr_u', 32),
  psrlq: shift('i64x2.shr_u', 64),
  psraw: shift('i16x8.shr_s', 16),
  psrad: shift('i32x4.shr_s', 32),
  pslldq: shiftBytes(true),
  psrldq: shiftBytes(false),
  pshufd: shuffleByImmediate(4, (four) => four),
  pshuflw: shuffleLowWords,
  pshufw: shuffleLowWords,
  pshufhw: shuffleByImmediate(2, (four) => [0, 1, 2, 3, ...four.map((lane) => lane + 4)]),
  shufps: (c) => {
    const imm = immediateByte(c, 2);
    const b = c.hold(readVector(c, 1));
    useFpu(c);
    const lanes = [imm & 3, (imm >> 2) & 3, 4 + ((imm >> 4) & 3), 4 + (imm >> 6)];
    writeVector(c, 0, shuffleLanes(readVector(c, 0), b, lanes, 4));
  },
  shufpd: (c) => {
    const imm = immediateByte(c, 2);
    const b = c.hold(readVector(c, 1));
    useFpu(c);
    writeVector(c, 0, shuffleLanes(readVector(c, 0), b, [imm & 1, 2 + ((imm >> 1) & 1)], 8));
  },
  pinsrw: insertWord,
  pextrw: extractWord,
  pmovmskb: signs('i8x16.bitmask'),
  movmskps: signs('i32x4.bitmask'),
  movmskpd: signs('i64x2.bitmask'),
  movq2dq: (c) => {
    enterMmx(c);
    writeVector(c, 0, lowHalf(readVector(c, 1)));
  },
  movdq2q: (c) => {
    enterMmx(c);
    writeVector(c, 0, readVector(c, 1));
  },
};
