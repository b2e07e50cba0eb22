import { OP } from '../../wasm/index.ts';
import type { Operand } from '../../x86/index.ts';
import { needsAlignment } from '../accesses.ts';
import { VECTOR } from '../cpu.ts';
import { slotOffset } from '../engine-layout.ts';
import { and32, c32, type Expr, extend, make, op, wrap } from '../ir.ts';
import type { LiftContext, MemoryRef } from '../lift-context.ts';
import { FPU_AREA, FPU_FSW, FPU_FTW, SLOT_FPU_USED } from '../register-file.ts';
import { extractLane, fromLow, loadVectorAt, mmxOffset, replaceLane, xmmOffset } from '../vectors.ts';

/** Marks the context as one whose vector registers belong to its state. */
export function useFpu(c: LiftContext): void {
  if (c.usesFpu) return;
  c.usesFpu = true;
  c.emit({
    kind: 'store',
    op: OP['i32.store'],
    at: c32(0),
    offset: slotOffset(SLOT_FPU_USED),
    value: c32(1),
  });
}

/** The summary of exceptions that are not masked, in the status word. */
const EXCEPTION_SUMMARY = 0x80;

/**
 * Raises what an earlier instruction of x87 left behind.
 * Deviation: also with CR0.NE clear, where processors would send an interrupt of the chipset.
 */
export function waitForFpu(c: LiftContext): void {
  const status = make(OP['i32.load16_u'], 32, c32(0), undefined, FPU_AREA + FPU_FSW);
  c.exception(VECTOR.MF, op('i32.ne', and32(status, EXCEPTION_SUMMARY), c32(0)));
}

/** What every MMX instruction but `emms` does to x87: the top is register 0, all registers are valid. */
export function enterMmx(c: LiftContext): void {
  waitForFpu(c);
  useFpu(c);
  const status = make(OP['i32.load16_u'], 32, c32(0), undefined, FPU_AREA + FPU_FSW);
  c.emit({
    kind: 'store',
    op: OP['i32.store16'],
    at: c32(0),
    offset: FPU_AREA + FPU_FSW,
    value: and32(status, 0xc7ff),
  });
  c.emit({ kind: 'store', op: OP['i32.store8'], at: c32(0), offset: FPU_AREA + FPU_FTW, value: c32(0xff) });
}

export function getXmm(reg: number): Expr {
  return loadVectorAt(c32(0), xmmOffset(reg));
}

export function setXmm(c: LiftContext, reg: number, value: Expr): void {
  c.emit({ kind: 'store', op: OP['v128.store'], at: c32(0), offset: xmmOffset(reg), value });
}

/** An mmx register, zero-extended to a vector. */
function getMmx(reg: number): Expr {
  return make(OP['v128.load64_zero'], 128, c32(0), undefined, mmxOffset(reg));
}

function setMmx(c: LiftContext, reg: number, value: Expr): void {
  const low = extractLane('i64x2.extract_lane', value, 0);
  c.emit({ kind: 'store', op: OP['i64.store'], at: c32(0), offset: mmxOffset(reg), value: low });
  c.emit({
    kind: 'store',
    op: OP['i32.store16'],
    at: c32(0),
    offset: mmxOffset(reg) + 8,
    value: c32(0xffff),
  });
}

/** The memory operand, checked; 16 bytes have to be aligned unless the instruction is one that says otherwise. */
export function vectorRef(c: LiftContext, bytes: number, write: boolean): MemoryRef {
  const ea = c.hold(c.address());
  if (needsAlignment(c.ins, bytes)) {
    c.exception(VECTOR.GP, op('i32.ne', and32(wrap(ea), 15), c32(0)));
  }
  return c.access(ea, bytes, write);
}

/** `bytes` bytes of memory in a vector, zeros above. */
export function loadVector(c: LiftContext, ref: MemoryRef, bytes: number): Expr {
  if (!ref.hosted && bytes === 16) return c.hold(loadVectorAt(ref.at, ref.offset));
  if (bytes === 16) {
    const low = fromLow(c.loadFrom(ref, 8));
    return c.hold(replaceLane('i64x2.replace_lane', low, 1, c.loadFrom(ref, 8, 8)));
  }
  const value = c.loadFrom(ref, bytes);
  return c.hold(fromLow(value.width === 64 ? value : extend(value)));
}

export function storeVector(c: LiftContext, ref: MemoryRef, bytes: number, value: Expr): void {
  if (bytes === 16 && !ref.hosted) {
    c.emit({ kind: 'store', op: OP['v128.store'], at: ref.at, offset: ref.offset, value });
    return;
  }
  if (bytes === 4) {
    c.storeTo(ref, 4, extractLane('i32x4.extract_lane', value, 0));
    return;
  }
  const held = c.hold(value);
  c.storeTo(ref, 8, extractLane('i64x2.extract_lane', held, 0));
  if (bytes === 16) c.storeTo(ref, 8, extractLane('i64x2.extract_lane', held, 1), 8);
}

/** A vector operand as it is: of memory only its own size, zeros above. */
export function readVector(c: LiftContext, k: number): Expr {
  const o = c.operand(k);
  if (o.kind === 'xmm') return getXmm(o.reg);
  if (o.kind === 'mmx') return getMmx(o.reg);
  return loadVector(c, vectorRef(c, o.size >> 3, false), o.size >> 3);
}

export function writeVector(c: LiftContext, k: number, value: Expr): void {
  const o = c.operand(k);
  if (o.kind === 'xmm') setXmm(c, o.reg, value);
  else if (o.kind === 'mmx') setMmx(c, o.reg, value);
  else storeVector(c, vectorRef(c, o.size >> 3, true), o.size >> 3, value);
}

/** Whether the instruction works on mmx registers. */
export function isMmx(o: Operand): boolean {
  return o.kind === 'mmx';
}

export function immediateByte(c: LiftContext, k: number): number {
  return c.operand(k).value & 0xff;
}
