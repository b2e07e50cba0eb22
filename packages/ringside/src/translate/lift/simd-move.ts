import { OP } from '../../wasm/index.ts';
import { VECTOR } from '../cpu.ts';
import { and32, c32, c64, type Expr, extend, get32, load, make, op, wrap } from '../ir.ts';
import type { LiftContext, MemoryRef } from '../lift-context.ts';
import { FPU_AREA, FPU_BYTES, FPU_FSW, FPU_FTW, FPU_MXCSR, FPU_ST, FPU_XMM, RDI } from '../register-file.ts';
import {
  extractLane,
  fromLow,
  loadVectorAt,
  lowHalf,
  mmxOffset,
  replaceLane,
  shuffleLanes,
  xmmOffset,
} from '../vectors.ts';
import type { Lifter } from './lifter.ts';
import {
  enterMmx,
  getXmm,
  isMmx,
  loadVector,
  readVector,
  setXmm,
  storeVector,
  useFpu,
  waitForFpu,
  writeVector,
} from './simd.ts';

/** Whole registers, in either direction. */
function moveAll(c: LiftContext): void {
  const value = c.hold(readVector(c, 1));
  if (c.ins.encoding.family === 'mmx') enterMmx(c);
  else useFpu(c);
  writeVector(c, 0, value);
}

/** `movss`, `movsd`: between registers the low lane alone, from memory with zeros above. */
function moveScalar(size: 4 | 8): Lifter {
  return (c) => {
    const to = c.operand(0);
    const value = c.hold(readVector(c, 1));
    useFpu(c);
    if (to.kind === 'mem') {
      storeVector(c, c.access(c.address(), size, true), size, value);
    } else if (c.operand(1).kind === 'mem') setXmm(c, to.reg, value);
    else if (size === 8) setXmm(c, to.reg, shuffleLanes(value, getXmm(to.reg), [0, 3], 8));
    else setXmm(c, to.reg, shuffleLanes(value, getXmm(to.reg), [0, 5, 6, 7], 4));
  };
}

/** `movlps`, `movhps`: one half, from or to memory. */
function moveHalf(half: 0 | 1): Lifter {
  return (c) => {
    const to = c.operand(0);
    if (to.kind === 'mem') {
      const value = extractLane('i64x2.extract_lane', getXmm(c.operand(1).reg), half);
      c.storeTo(c.access(c.address(), 8, true), 8, value);
      return;
    }
    const value = c.hold(c.read(1));
    useFpu(c);
    setXmm(c, to.reg, replaceLane('i64x2.replace_lane', getXmm(to.reg), half, value));
  };
}

/** The first operand's lanes picked from itself (0 and up) and the second. */
function pick(lanes: readonly number[], size: number): Lifter {
  return (c) => {
    const b = c.hold(readVector(c, 1));
    useFpu(c);
    setXmm(c, c.operand(0).reg, shuffleLanes(readVector(c, 0), b, lanes, size));
  };
}

/** `movd`, and with REX.W `movq`, between general and vector registers. */
function moveGeneral(c: LiftContext): void {
  const to = c.operand(0);
  if (to.kind === 'xmm' || to.kind === 'mmx') {
    const value = c.hold(c.read(1));
    if (isMmx(to)) enterMmx(c);
    else useFpu(c);
    writeVector(c, 0, fromLow(value.width === 64 ? value : extend(value)));
    return;
  }
  if (isMmx(c.operand(1))) enterMmx(c);
  const from = readVector(c, 1);
  const value =
    to.size === 64 ? extractLane('i64x2.extract_lane', from, 0) : extractLane('i32x4.extract_lane', from, 0);
  c.write(0, c.hold(value));
}

function moveQuad(c: LiftContext): void {
  const to = c.operand(0);
  if (c.ins.encoding.family === 'mmx') {
    moveAll(c);
    return;
  }
  const value = c.hold(readVector(c, 1));
  useFpu(c);
  if (to.kind === 'xmm') setXmm(c, to.reg, lowHalf(value));
  else writeVector(c, 0, value);
}

/** Stores the bytes whose byte in the mask is negative. */
function maskedMove(c: LiftContext): void {
  const small = isMmx(c.operand(0));
  if (small) enterMmx(c);
  const from = small ? mmxOffset(c.operand(0).reg) : xmmOffset(c.operand(0).reg);
  const mask = c.hold(op('i8x16.bitmask', readVector(c, 1)));
  const base = c.ins.address32 ? extend(wrap(c.reg(RDI))) : c.reg(RDI);
  const start = c.hold(c.ins.segment === -1 ? base : op('i64.add', c.segmentBase(c.ins.segment), base));
  const i = c.temps.take(32);
  c.set(i, c32(0));
  const body = c.collect(() => {
    const store = c.collect(() => {
      const ref = c.access(op('i64.add', start, extend(get32(i))), 1, true);
      c.storeTo(ref, 1, make(OP['i32.load8_u'], 32, get32(i), undefined, from));
    });
    c.emit({ kind: 'if', condition: and32(op('i32.shr_u', mask, get32(i)), 1), yes: store, no: [] });
    c.set(i, op('i32.add', get32(i), c32(1)));
  });
  c.emit({ kind: 'loop', body, again: op('i32.lt_u', get32(i), c32(small ? 8 : 16)) });
}

function fpu32(offset: number): Expr {
  return load('i32.load', c32(0), FPU_AREA + offset);
}

/** Reserved bits of MXCSR raise #GP. */
function checkMxcsr(c: LiftContext, value: Expr): void {
  c.exception(VECTOR.GP, op('i32.ne', op('i32.shr_u', value, c32(16)), c32(0)));
}

/** The area of `fxsave`: aligned, checked as a whole. */
function saveArea(c: LiftContext, write: boolean): MemoryRef {
  const ea = c.hold(c.address());
  c.exception(VECTOR.GP, op('i32.ne', and32(wrap(ea), 15), c32(0)));
  if (c.mode === 'checked') {
    for (let at = 0; at < 512; at += 32) c.check(c.hold(op('i64.add', ea, c64(at))), 32, write, at === 0);
    return { at: c.hold(wrap(ea)), offset: 0, hosted: false };
  }
  return c.access(ea, 16, write);
}

function at(ref: MemoryRef, offset: number): MemoryRef {
  if (!ref.hosted) return { ...ref, offset: ref.offset + offset };
  return { ...ref, at: op('i64.add', ref.at, c64(offset)) };
}

/** Where x87 register ST(i) is: registers turn with the top of the stack. */
function stackRegister(c: LiftContext, i: number): Expr {
  const top = op('i32.shr_u', make(OP['i32.load16_u'], 32, c32(0), undefined, FPU_AREA + FPU_FSW), c32(11));
  return c.hold(op('i32.shl', and32(op('i32.add', top, c32(i)), 7), c32(4)));
}

function saveFpu(c: LiftContext): void {
  const ref = saveArea(c, true);
  for (let offset = 0; offset < FPU_BYTES; offset += 16) {
    const from =
      offset >= FPU_ST && offset < FPU_XMM
        ? loadVectorAt(stackRegister(c, (offset - FPU_ST) >> 4), FPU_AREA + FPU_ST)
        : loadVectorAt(c32(0), FPU_AREA + offset);
    storeVector(c, at(ref, offset), 16, from);
  }
}

function restoreFpu(c: LiftContext): void {
  const ref = saveArea(c, false);
  const mxcsr = c.hold(c.loadFrom(at(ref, FPU_MXCSR), 4));
  checkMxcsr(c, mxcsr);
  useFpu(c);
  const store16 = (offset: number): void => {
    const value = c.loadFrom(at(ref, offset), 2);
    c.emit({ kind: 'store', op: OP['i32.store16'], at: c32(0), offset: FPU_AREA + offset, value });
  };
  store16(0);
  store16(FPU_FSW);
  store16(FPU_FTW);
  c.emit({ kind: 'store', op: OP['i32.store'], at: c32(0), offset: FPU_AREA + FPU_MXCSR, value: mxcsr });
  for (let offset = FPU_ST; offset < FPU_BYTES; offset += 16) {
    const value = loadVector(c, at(ref, offset), 16);
    const stack = offset < FPU_XMM;
    c.emit({
      kind: 'store',
      op: OP['v128.store'],
      at: stack ? stackRegister(c, (offset - FPU_ST) >> 4) : c32(0),
      offset: FPU_AREA + (stack ? FPU_ST : offset),
      value,
    });
  }
}

export const SIMD_MOVE_LIFTERS: Readonly<Record<string, Lifter>> = {
  ...Object.fromEntries(
    'movups movupd movaps movapd movdqa movdqu movntps movntpd movntdq movntq lddqu'
      .split(' ')
      .map((name) => [name, moveAll]),
  ),
  movss: moveScalar(4),
  movsd: moveScalar(8),
  movlps: moveHalf(0),
  movlpd: moveHalf(0),
  movhps: moveHalf(1),
  movhpd: moveHalf(1),
  movhlps: pick([3, 1], 8),
  movlhps: pick([0, 2], 8),
  movsldup: pick([4, 4, 6, 6], 4),
  movshdup: pick([5, 5, 7, 7], 4),
  movddup: pick([2, 2], 8),
  movd: moveGeneral,
  movq: moveQuad,
  maskmovdqu: maskedMove,
  maskmovq: maskedMove,
  emms: (c) => {
    waitForFpu(c);
    useFpu(c);
    c.emit({ kind: 'store', op: OP['i32.store8'], at: c32(0), offset: FPU_AREA + FPU_FTW, value: c32(0) });
  },
  ldmxcsr: (c) => {
    const value = c.hold(c.read(0));
    checkMxcsr(c, value);
    useFpu(c);
    c.emit({ kind: 'store', op: OP['i32.store'], at: c32(0), offset: FPU_AREA + FPU_MXCSR, value });
  },
  stmxcsr: (c) => c.write(0, c.hold(fpu32(FPU_MXCSR))),
  fxsave: saveFpu,
  fxrstor: restoreFpu,
};
