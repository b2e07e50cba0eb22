import { OP } from '../../wasm/index.ts';
import { slotOffset } from '../engine-layout.ts';
import { BASE } from '../flags.ts';
import { and32, c32, c64, type Expr, extend, get32, load, op, select, wrap } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { FLAG, RAX, RCX, RDI, RSI, SLOT_RFLAGS } from '../register-file.ts';
import type { Lifter } from './lifter.ts';

/**
 * One element: `lods`, `stos`, `movs`, `cmps`, `scas`. All checks come before anything changes, so that a fault in the
 * middle of a `rep` leaves RSI, RDI and RCX as after the last whole element.
 */
function element(c: LiftContext, name: string, bytes: number, advance: Expr): void {
  const size = bytes * 8;
  const pointer = (r: number): Expr => (c.ins.address32 ? extend(wrap(c.reg(r))) : c.reg(r));
  const source = (): Expr =>
    c.ins.segment === -1 ? pointer(RSI) : op(OP['i64.add'], c.segmentBase(c.ins.segment), pointer(RSI));
  const next = (r: number): void => {
    const moved = op(OP['i64.add'], c.reg(r), advance);
    c.setReg(r, c.ins.address32 ? extend(wrap(moved)) : moved);
  };
  switch (name) {
    case 'movs': {
      const from = c.access(source(), bytes, false, 2);
      const to = c.access(pointer(RDI), bytes, true, 3);
      c.storeTo(to, bytes, c.loadFrom(from, bytes));
      next(RSI);
      next(RDI);
      break;
    }
    case 'stos': {
      const to = c.access(pointer(RDI), bytes, true, 3);
      c.storeTo(to, bytes, bytes === 8 ? c.reg(RAX) : wrap(c.reg(RAX)));
      next(RDI);
      break;
    }
    case 'lods': {
      const value = c.hold(c.loadFrom(c.access(source(), bytes, false, 2), bytes));
      c.writeReg(RAX, size, value);
      next(RSI);
      break;
    }
    case 'cmps': {
      // When both are bad, processors report the destination's fault.
      const b = c.hold(c.loadFrom(c.access(pointer(RDI), bytes, false, 3), bytes));
      const a = c.hold(c.loadFrom(c.access(source(), bytes, false, 2), bytes));
      c.flags.produce(BASE.SUB, size, a, b);
      next(RSI);
      next(RDI);
      break;
    }
    default: {
      const b = c.hold(c.loadFrom(c.access(pointer(RDI), bytes, false, 3), bytes));
      c.flags.produce(BASE.SUB, size, c.readReg(RAX, size), b);
      next(RDI);
    }
  }
}

/** DF is always in the register file. */
function direction(c: LiftContext, bytes: number): Expr {
  const flags = load(OP['i32.load'], c32(0), slotOffset(SLOT_RFLAGS));
  return c.hold(select(and32(flags, FLAG.DF), c64(-bytes), c64(bytes)));
}

/** One round of a `rep`, for a step by the host: RIP stays while there are more. */
function hostedRound(c: LiftContext, name: string, bytes: number, advance: Expr, counter: () => Expr): void {
  const compares = name === 'cmps' || name === 'scas';
  c.flags.pack();
  const more = c.temps.take(32);
  c.set(more, c32(0));
  const round = c.collect(() => {
    c.defs |= (1 << RCX) | (1 << RSI) | (1 << RDI) | (1 << RAX);
    element(c, name, bytes, advance);
    c.setReg(RCX, op(OP['i64.sub'], counter(), c64(1)));
    if (compares) c.flags.pack();
    let again: Expr = op(OP['i64.ne'], c.reg(RCX), c64(0));
    if (compares) {
      const zero = and32(op(OP['i32.shr_u'], wrap(c.flags.packedLocal()), c32(6)), 1);
      again = op(OP['i32.and'], again, c.ins.rep ? zero : op(OP['i32.eqz'], zero));
    }
    c.set(more, again);
  });
  c.emit({ kind: 'if', condition: op(OP['i64.ne'], counter(), c64(0)), yes: round, no: [] });
  c.exit('continue', get32(more));
}

function stringOperation(name: string): Lifter {
  return (c, ins) => {
    const bytes = ins.encoding.operands[0]!.kind === 'b' ? 1 : ins.operandSize >> 3;
    const advance = direction(c, bytes);
    const compares = name === 'cmps' || name === 'scas';
    if (!ins.rep && !ins.repne) {
      element(c, name, bytes, advance);
      return;
    }
    // Registers that the loop writes count as read: it may not run at all.
    for (const r of [RAX, RCX, RSI, RDI]) c.reg(r);
    const counter = (): Expr => (ins.address32 ? extend(wrap(c.reg(RCX))) : c.reg(RCX));
    if (c.mode === 'hosted') {
      hostedRound(c, name, bytes, advance, counter);
      return;
    }
    if (compares) c.flags.pack();
    const before = c.flags.kind;
    const body = c.collect(() => {
      // Written from the second round on: an exit in any round must keep them.
      c.defs |= (1 << RCX) | (1 << RSI) | (1 << RDI) | (name === 'lods' ? 1 << RAX : 0);
      element(c, name, bytes, advance);
      c.setReg(RCX, op(OP['i64.sub'], counter(), c64(1)));
      if (compares) c.flags.pack();
    });
    if (c.flags.kind !== before) c.flags.kind = before;
    let again: Expr = op(OP['i64.ne'], c.reg(RCX), c64(0));
    if (compares) {
      const zero = and32(op(OP['i32.shr_u'], wrap(c.flags.packedLocal()), c32(6)), 1);
      again = op(OP['i32.and'], again, ins.rep ? zero : op(OP['i32.eqz'], zero));
    }
    c.emit({
      kind: 'if',
      condition: op(OP['i64.ne'], counter(), c64(0)),
      yes: [{ kind: 'loop', body, again }],
      no: [],
    });
  };
}

export const STRING_LIFTERS: Readonly<Record<string, Lifter>> = Object.fromEntries(
  ['movs', 'stos', 'lods', 'cmps', 'scas'].map((name) => [name, stringOperation(name)]),
);
