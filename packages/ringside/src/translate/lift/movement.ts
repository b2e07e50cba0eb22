import { OP } from '../../wasm/index.ts';
import { SLOT_FKIND, slotOffset } from '../engine-layout.ts';
import { add64, c32, c64, cBig, type Expr, extend, isConst, load, op, select, wrap } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { RAX, RBP, RBX, RSP, SLOT_RFLAGS } from '../register-file.ts';
import type { Lifter } from './lifter.ts';

/** Selectors of 64-bit kernel code. Source: arch/x86/include/asm/segment.h. */
const SELECTOR_CS = 0x10;
const SELECTOR_SS = 0x18;

function move(c: LiftContext): void {
  c.write(0, c.read(1));
}

function extendMove(signed: boolean): Lifter {
  return (c) => {
    const from = c.operand(1).size;
    const to = c.operand(0).size;
    const value = c.read(1);
    if (to === 64) c.write(0, c.to64(value, from, signed));
    else c.write(0, signed ? c.signed(value, from) : value);
  };
}

function loadAddress(c: LiftContext): void {
  const size = c.operand(0).size;
  // `lea` ignores segments.
  const ea = c.address(c.ins.segment === -1 ? c.ins : { ...c.ins, segment: -1 });
  c.write(0, size === 64 ? ea : wrap(ea));
}

function exchange(c: LiftContext): void {
  // 90 is `nop`, also where an exchange of eax with itself would clear the upper half.
  if (c.ins.encoding.plusRegister && c.operand(0) === c.operand(1)) return;
  const { value, ref } = c.modify(0);
  const a = c.hold(value);
  const b = c.hold(c.read(1));
  c.write(1, a);
  c.write(0, b, ref);
}

/** Pushes a 64-bit (or with prefix 66 a 16-bit) value. */
export function push(c: LiftContext, value: Expr, bytes = 8): void {
  c.storeTo(c.stackAccess(-bytes, bytes, true), bytes, value);
  c.moveStack(-bytes);
}

/** Pops into a temporary; RSP moves. */
export function pop(c: LiftContext, bytes = 8): Expr {
  const value = c.hold(c.loadFrom(c.stackAccess(0, bytes, false), bytes));
  c.moveStack(bytes);
  return value;
}

function pushOperand(c: LiftContext): void {
  const size = c.operand(0).size;
  // The value is read before RSP moves (`push rsp` pushes the old one).
  const value = c.operand(0).kind === 'imm' ? c.immediate(c.operand(0), size) : c.hold(c.read(0));
  push(c, value, size >> 3);
}

function popOperand(c: LiftContext): void {
  const o = c.operand(0);
  const bytes = o.size >> 3;
  if (o.kind === 'reg') {
    c.writeReg(o.reg, o.size, pop(c, bytes));
    return;
  }
  // The destination's address is computed with RSP after the pop; both accesses are checked before anything moves.
  const value = c.hold(c.loadFrom(c.access(c.reg(RSP), bytes, false, 1), bytes));
  const ea = c.ins.base === RSP ? add64(c.address(), bytes) : c.address();
  const ref = c.access(ea, bytes, true);
  c.setReg(RSP, add64(c.reg(RSP), bytes));
  c.storeTo(ref, bytes, value);
}

function rflags(): Expr {
  return load(OP['i64.load'], c32(0), slotOffset(SLOT_RFLAGS));
}

/** `pushf`: the whole register, without RF and VM. */
function pushFlags(c: LiftContext): void {
  const bytes = c.ins.operandSize >> 3;
  const flags = c.hold(c.flags.packed());
  const all = op(
    OP['i64.or'],
    op(OP['i64.and'], rflags(), c64(0x3f_f72a & ~0x3_08d5)),
    op(OP['i64.or'], extend(flags), c64(2)),
  );
  push(c, bytes === 8 ? all : wrap(all), bytes);
}

/** `popf` at privilege level 0: everything that software may change. */
function popFlags(c: LiftContext): void {
  const bytes = c.ins.operandSize >> 3;
  const value = pop(c, bytes);
  const changeable = bytes === 8 ? 0x24_7fd5 : 0x7fd5;
  const fresh = op(
    OP['i64.or'],
    op(OP['i64.and'], rflags(), cBig(~BigInt(changeable))),
    op(OP['i64.and'], c.wide(value), c64(changeable)),
  );
  storeSlot(c, SLOT_RFLAGS, op(OP['i64.or'], fresh, c64(2)));
  c.emit({ kind: 'store', op: 0x36, at: c32(0), offset: slotOffset(SLOT_FKIND), value: c32(0) });
  c.flags.inMemory();
}

function storeSlot(c: LiftContext, slot: number, value: Expr): void {
  c.emit({ kind: 'store', op: 0x37, at: c32(0), offset: slotOffset(slot), value });
}

function leave(c: LiftContext): void {
  const bytes = c.ins.operandSize >> 3;
  const ref = c.access(c.reg(RBP), bytes, false, 1);
  const value = c.hold(c.loadFrom(ref, bytes));
  c.setReg(RSP, add64(c.reg(RBP), bytes));
  c.writeReg(RBP, c.ins.operandSize, value);
}

/** `enter`: with a nesting level it copies that many frame pointers. Registers change when all accesses are made. */
function enter(c: LiftContext): void {
  const size = c.ins.operandSize;
  const bytes = size >> 3;
  const level = c.operand(1).value & 31;
  const sp = c.hold(c.reg(RSP));
  const bp = c.hold(c.reg(RBP));
  const narrow = (value: Expr): Expr => (size === 64 ? value : wrap(value));
  const put = (slot: number, value: Expr): void => {
    c.storeTo(c.access(add64(sp, -bytes * slot), bytes, true, 1), bytes, value);
  };
  const frame = add64(sp, -bytes);
  put(1, narrow(bp));
  for (let i = 1; i < level; i++) {
    put(i + 1, c.hold(c.loadFrom(c.access(add64(bp, -bytes * i), bytes, false, 1), bytes)));
  }
  if (level > 0) put(level + 1, narrow(frame));
  c.setReg(RSP, add64(sp, -bytes * (level > 0 ? level + 1 : 1) - (c.operand(0).value & 0xffff)));
  c.writeReg(RBP, size, narrow(frame));
}

function conditionalMove(cc: string): Lifter {
  return (c) => {
    const o = c.operand(0);
    const value = c.hold(c.read(1));
    const condition = c.hold(c.flags.condition(cc));
    if (isConst(condition)) c.write(0, isConst(condition, 0) ? c.readReg(o.reg, o.size) : value);
    else c.write(0, select(condition, value, c.readReg(o.reg, o.size)));
  };
}

function setOnCondition(cc: string): Lifter {
  return (c) => {
    const condition = c.hold(c.flags.condition(cc));
    c.write(0, condition);
  };
}

export const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');

export const MOVEMENT_LIFTERS: Readonly<Record<string, Lifter>> = {
  mov: move,
  movnti: move,
  movzx: extendMove(false),
  movsx: extendMove(true),
  movsxd: extendMove(true),
  lea: loadAddress,
  xchg: exchange,
  push: pushOperand,
  pop: popOperand,
  pushf: pushFlags,
  popf: popFlags,
  push_fs: (c) => push(c, c.ins.operandSize === 16 ? c32(0) : c64(0), c.ins.operandSize >> 3),
  push_gs: (c) => push(c, c.ins.operandSize === 16 ? c32(0) : c64(0), c.ins.operandSize >> 3),
  leave,
  enter,
  xlat: (c) => {
    const at = op(OP['i64.add'], c.reg(RBX), extend(c.readReg(RAX, 8)));
    const linear = c.ins.address32 ? extend(wrap(at)) : at;
    const ea = c.ins.segment === -1 ? linear : op(OP['i64.add'], c.segmentBase(c.ins.segment), linear);
    c.writeReg(RAX, 8, c.hold(c.loadFrom(c.access(ea, 1, false), 1)));
  },
  mov_from_seg: (c) => {
    const segment = c.operand(1).reg;
    const value = segment === 1 ? SELECTOR_CS : segment === 2 ? SELECTOR_SS : 0;
    const o = c.operand(0);
    if (o.kind === 'mem') c.storeTo(c.access(c.address(), 2, true), 2, c32(value));
    else c.writeReg(o.reg, o.size, o.size === 64 ? c64(value) : c32(value));
  },
  ...Object.fromEntries(CONDITIONS.map((cc) => [`cmov${cc}`, conditionalMove(cc)])),
  ...Object.fromEntries(CONDITIONS.map((cc) => [`set${cc}`, setOnCondition(cc)])),
};
