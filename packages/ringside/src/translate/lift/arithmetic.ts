import { OP } from '../../wasm/index.ts';
import { VECTOR } from '../cpu.ts';
import { HELPER, SLOT_HIGH, slotOffset } from '../engine-layout.ts';
import { FLAG_A, FLAG_C, FLAG_O, FLAG_P, FLAG_S, FLAG_Z, multiplyHigh } from '../flag-state.ts';
import { BASE, OVERLAY } from '../flags.ts';
import {
  and32,
  c32,
  c64,
  callHelper,
  constant,
  type Expr,
  extend,
  FA,
  FB,
  get64,
  isConst,
  load,
  op,
  select,
  sized,
  wrap,
} from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { RAX, RBX, RCX, RDX } from '../register-file.ts';
import type { Lifter } from './lifter.ts';

/** 32-bit forms of the operators that some lifters are made with. */
const OPERATORS = {
  add: OP['i32.add'],
  sub: OP['i32.sub'],
  and: OP['i32.and'],
  or: OP['i32.or'],
  xor: OP['i32.xor'],
} as const;

/** The two operands of an instruction of the form `a = a op b`; `b` first, since both may be the same memory. */
function operands(c: LiftContext): {
  a: Expr;
  b: Expr;
  ref: ReturnType<LiftContext['modify']>['ref'];
  size: number;
} {
  const size = c.operand(0).size;
  if (c.operand(1).kind === 'mem') {
    const b = c.read(1);
    const { value, ref } = c.modify(0);
    return { a: value, b, ref, size };
  }
  const { value, ref } = c.modify(0);
  return { a: value, b: c.read(1), ref, size };
}

/** FA or FB as an operand of `size` bits. */
function flagOperand(local: number, size: number): Expr {
  return size === 64 ? get64(local) : wrap(get64(local));
}

function addOrSubtract(name: 'add' | 'sub', base: number): Lifter {
  const code = OPERATORS[name];
  return (c, ins) => {
    const { a, b, ref, size } = operands(c);
    if (!c.flagsObserved) {
      c.write(0, op(sized(code, size), a, b), ref);
      return;
    }
    const sameRegister = ins.operands[0]!.kind === 'reg' && ins.operands[0] === ins.operands[1];
    if (name === 'sub' && sameRegister && size >= 32) {
      c.flags.produce(BASE.SUB, size, constant(64, 0), constant(64, 0));
      c.write(0, constant(size === 64 ? 64 : 32, 0), ref);
      return;
    }
    c.flags.produce(base, size, a, b);
    c.write(0, op(sized(code, size), flagOperand(FA, size), isConst(b) ? b : flagOperand(FB, size)), ref);
  };
}

function logic(name: 'and' | 'or' | 'xor'): Lifter {
  const code = OPERATORS[name];
  return (c, ins) => {
    const first = ins.operands[0]!;
    const same = first.kind === 'reg' && first === ins.operands[1];
    if (name === 'xor' && same && first.size >= 32) {
      // Zeroing: does not read the register.
      if (c.flagsObserved) c.flags.produce(BASE.LOGIC, first.size, c64(0));
      c.setReg(first.reg, c64(0));
      return;
    }
    const { a, b, ref, size } = operands(c);
    const value = same ? (name === 'xor' ? op(OP['i32.xor'], a, b) : a) : op(sized(code, size), a, b);
    if (!c.flagsObserved) {
      c.write(0, value, ref);
      return;
    }
    c.flags.produce(BASE.LOGIC, size, value);
    c.write(0, flagOperand(FA, size), ref);
  };
}

function compare(c: LiftContext): void {
  const size = c.operand(0).size;
  const a = c.read(0);
  const b = c.read(1);
  c.flags.produce(BASE.SUB, size, a, b);
}

function test(c: LiftContext): void {
  const size = c.operand(0).size;
  const a = c.read(0);
  const same = c.operand(0).kind === 'reg' && c.operand(0) === c.operand(1);
  c.flags.produce(BASE.LOGIC, size, same ? a : op(sized(OP['i32.and'], size), a, c.read(1)));
}

/** `adc` and `sbb`: the flags that are asked for later are worked out now, from the three operands. */
function withCarry(name: 'add' | 'sub', base: number): Lifter {
  const code = OPERATORS[name];
  return (c) => {
    const { a, b, ref, size } = operands(c);
    const w = size === 64 ? 64 : 32;
    const carry = c.hold(c.flags.flag(FLAG_C));
    const left = c.hold(a);
    const right = c.hold(b);
    const wideCarry = w === 64 ? extend(carry) : carry;
    const result = c.hold(op(sized(code, w), op(sized(code, w), left, right), wideCarry));
    c.flags.produceWithCarry(base, size, carry, left, right);
    const needed = c.flagsNeeded;
    if (needed !== 0) {
      const fit = (v: Expr): Expr => (size >= 32 ? v : and32(v, size === 8 ? 0xff : 0xffff));
      const negative = (v: Expr): Expr => op(sized(OP['i32.lt_s'], w), c.signed(v, size), constant(w, 0));
      const xor = (x: Expr, y: Expr): Expr => op(sized(OP['i32.xor'], w), x, y);
      const and = (x: Expr, y: Expr): Expr => op(sized(OP['i32.and'], w), x, y);
      const carryOut =
        name === 'add'
          ? op(
              OP['i32.or'],
              op(sized(OP['i32.lt_u'], w), fit(result), fit(left)),
              op(OP['i32.and'], carry, op(sized(OP['i32.eq'], w), fit(result), fit(left))),
            )
          : op(
              OP['i32.or'],
              op(sized(OP['i32.lt_u'], w), fit(left), fit(right)),
              op(OP['i32.and'], carry, op(sized(OP['i32.eq'], w), fit(left), fit(right))),
            );
      const overflow =
        name === 'add'
          ? negative(and(xor(left, result), xor(right, result)))
          : negative(and(xor(left, right), xor(left, result)));
      const low = w === 64 ? wrap(result) : result;
      const lowXor = op(
        OP['i32.xor'],
        op(OP['i32.xor'], w === 64 ? wrap(left) : left, w === 64 ? wrap(right) : right),
        low,
      );
      c.flags.setExplicit(needed, {
        [FLAG_C]: carryOut,
        [FLAG_O]: overflow,
        [FLAG_Z]: op(sized(OP['i32.eqz'], w), fit(result)),
        [FLAG_S]: negative(result),
        [FLAG_P]: op(OP['i32.eqz'], and32(op(OP['i32.popcnt'], and32(low, 0xff)), 1)),
        [FLAG_A]: and32(op(OP['i32.shr_u'], lowXor, c32(4)), 1),
      });
    }
    c.write(0, result, ref);
  };
}

/** `inc` and `dec` keep CF: it becomes an overlay. */
function step(name: 'add' | 'sub', base: number): Lifter {
  const code = OPERATORS[name];
  return (c) => {
    const { value, ref } = c.modify(0);
    const size = c.operand(0).size;
    const result = op(sized(code, size), value, constant(size === 64 ? 64 : 32, 1));
    if (!c.flagsObserved) {
      c.write(0, result, ref);
      return;
    }
    const held = c.hold(result);
    const carry = c.hold(c.flags.flag(FLAG_C));
    c.flags.produce(base, size, held);
    c.flags.overlay(OVERLAY.CARRY, size, carry);
    c.write(0, held, ref);
  };
}

function negate(c: LiftContext): void {
  const { value, ref } = c.modify(0);
  const size = c.operand(0).size;
  const w = size === 64 ? 64 : 32;
  const held = c.hold(value);
  c.flags.produce(BASE.SUB, size, c64(0), held);
  c.write(0, op(sized(OP['i32.sub'], size), constant(w, 0), held), ref);
}

function complement(c: LiftContext): void {
  const { value, ref } = c.modify(0);
  const size = c.operand(0).size;
  c.write(0, op(sized(OP['i32.xor'], size), value, constant(size === 64 ? 64 : 32, -1)), ref);
}

/** `imul` with two or three operands: keeps the low half. */
function multiplyLow(c: LiftContext): void {
  const three = c.ins.operands.length === 3;
  const size = c.operand(0).size;
  const a = c.read(three ? 1 : 0);
  const b = c.read(three ? 2 : 1);
  if (!c.flagsObserved) {
    c.write(0, op(sized(OP['i32.mul'], size), a, b));
    return;
  }
  c.flags.produce(BASE.IMUL, size, a, b);
  c.write(0, op(sized(OP['i32.mul'], size), flagOperand(FA, size), isConst(b) ? b : flagOperand(FB, size)));
}

/** `mul` and `imul` with one operand: both halves into rDX:rAX (AX for bytes). */
function multiplyWide(signed: boolean): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const b = c.hold(c.read(0));
    const a = c.hold(c.readReg(RAX, size));
    c.flags.produce(signed ? BASE.IMUL : BASE.MUL, size, a, b);
    if (size === 64) {
      const high = c.hold(multiplyHigh(c, a, b, signed));
      c.setReg(RAX, op(OP['i64.mul'], a, b));
      c.setReg(RDX, high);
      return;
    }
    const product = c.hold(op(OP['i64.mul'], c.to64(a, size, signed), c.to64(b, size, signed)));
    if (size === 8) c.writeReg(RAX, 16, wrap(product));
    else {
      c.writeReg(RAX, size, wrap(product));
      c.writeReg(RDX, size, wrap(op(OP['i64.shr_u'], product, c64(size))));
    }
  };
}

function divide(signed: boolean): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const d = c.hold(c.read(0));
    if (size === 64) {
      c.exception(VECTOR.DE, op(OP['i64.eqz'], d));
      const high = c.hold(c.reg(RDX));
      const low = c.hold(c.reg(RAX));
      if (signed) divideSigned64(c, high, low, d);
      else divideUnsigned64(c, high, low, d);
      return;
    }
    c.exception(VECTOR.DE, op(OP['i32.eqz'], d));
    if (size === 8) {
      const n = c.hold(signed ? c.signed(c.readReg(RAX, 16), 16) : c.readReg(RAX, 16));
      const by = c.hold(signed ? c.signed(d, 8) : d);
      const q = c.hold(op(signed ? OP['i32.div_s'] : OP['i32.div_u'], n, by));
      c.exception(
        VECTOR.DE,
        signed ? op(OP['i32.ne'], op(OP['i32.extend8_s'], q), q) : op(OP['i32.gt_u'], q, c32(0xff)),
      );
      const r = op(signed ? OP['i32.rem_s'] : OP['i32.rem_u'], n, by);
      c.writeReg(RAX, 16, op(OP['i32.or'], and32(q, 0xff), op(OP['i32.shl'], and32(r, 0xff), c32(8))));
      return;
    }
    const part = (r: number): Expr => extend(c.readReg(r, size));
    const joined = op(OP['i64.or'], op(OP['i64.shl'], part(RDX), c64(size)), part(RAX));
    const n = c.hold(signed && size === 16 ? op(OP['i64.extend32_s'], joined) : joined);
    const by = c.hold(c.to64(d, size, signed));
    if (signed && size === 32) {
      // The one quotient that WebAssembly traps on.
      const lowest = op(OP['i64.eq'], n, op(OP['i64.shl'], c64(1), c64(63)));
      c.exception(VECTOR.DE, op(OP['i32.and'], lowest, op(OP['i64.eq'], by, c64(-1))));
    }
    const q = c.hold(op(signed ? OP['i64.div_s'] : OP['i64.div_u'], n, by));
    const narrow = signed ? op(size === 32 ? 'i64.extend32_s' : 'i64.extend16_s', q) : undefined;
    c.exception(
      VECTOR.DE,
      narrow === undefined
        ? op(OP['i64.ne'], op(OP['i64.shr_u'], q, c64(size)), c64(0))
        : op(OP['i64.ne'], narrow, q),
    );
    const r = c.hold(wrap(op(signed ? OP['i64.rem_s'] : OP['i64.rem_u'], n, by)));
    c.writeReg(RAX, size, wrap(q));
    c.writeReg(RDX, size, r);
  };
}

function divideUnsigned64(c: LiftContext, high: Expr, low: Expr, d: Expr): void {
  c.exception(VECTOR.DE, op(OP['i64.ge_u'], high, d));
  const q = c.temps.take(64);
  const r = c.temps.take(64);
  c.emit({
    kind: 'if',
    condition: op(OP['i64.eqz'], high),
    yes: [
      { kind: 'set', local: q, value: op(OP['i64.div_u'], low, d) },
      { kind: 'set', local: r, value: op(OP['i64.rem_u'], low, d) },
    ],
    no: [
      { kind: 'set', local: q, value: callHelper(HELPER.divide, 64, high, low, d) },
      { kind: 'set', local: r, value: load(OP['i64.load'], c32(0), slotOffset(SLOT_HIGH)) },
    ],
  });
  c.setReg(RAX, get64(q));
  c.setReg(RDX, get64(r));
}

function divideSigned64(c: LiftContext, high: Expr, low: Expr, d: Expr): void {
  const q = c.temps.take(64);
  const r = c.temps.take(64);
  const plain = op(
    OP['i32.and'],
    op(OP['i64.eq'], high, op(OP['i64.shr_s'], low, c64(63))),
    op(OP['i64.ne'], d, c64(-1)),
  );
  const overflow = c.collect(() => {
    c.set(q, callHelper(HELPER.divideSigned, 64, high, low, d));
    c.set(r, load(OP['i64.load'], c32(0), slotOffset(SLOT_HIGH)));
    // An overflow is told by a remainder that no division leaves: the divisor itself.
    c.exception(VECTOR.DE, op(OP['i64.eq'], get64(r), d));
  });
  c.emit({
    kind: 'if',
    condition: plain,
    yes: [
      { kind: 'set', local: q, value: op(OP['i64.div_s'], low, d) },
      { kind: 'set', local: r, value: op(OP['i64.rem_s'], low, d) },
    ],
    no: overflow,
  });
  c.setReg(RAX, get64(q));
  c.setReg(RDX, get64(r));
}

function exchangeAdd(c: LiftContext): void {
  const { value, ref } = c.modify(0);
  const size = c.operand(0).size;
  const old = c.hold(value);
  const added = c.hold(c.read(1));
  c.flags.produce(BASE.ADD, size, old, added);
  const sum = c.hold(op(sized(OP['i32.add'], size), old, added));
  // The source register first: when both are the same register, the sum stays.
  c.write(1, old);
  c.write(0, sum, ref);
}

function compareExchange(c: LiftContext): void {
  const { value, ref } = c.modify(0);
  const size = c.operand(0).size;
  const old = c.hold(value);
  const source = c.hold(c.read(1));
  const accumulator = c.hold(c.readReg(RAX, size));
  c.flags.produce(BASE.SUB, size, accumulator, old);
  const equal = c.hold(op(sized(OP['i32.eq'], size), old, accumulator));
  // As the CPU does, memory is written in both cases; a register that is not exchanged keeps its upper half.
  const o = c.operand(0);
  if (o.kind === 'reg' && size === 32) c.setReg(o.reg, select(equal, extend(source), c.reg(o.reg)));
  else c.write(0, select(equal, source, old), ref);
  if (size === 32) {
    c.setReg(RAX, select(equal, c.reg(RAX), extend(old)));
  } else c.writeReg(RAX, size, select(equal, c.readReg(RAX, size), old));
}

/** `cmpxchg8b` and `cmpxchg16b`. */
function compareExchangeWide(bytes: 4 | 8): Lifter {
  return (c) => {
    const ea = c.hold(c.address());
    if (bytes === 8) c.exception(VECTOR.GP, op(OP['i32.ne'], and32(wrap(ea), 15), c32(0)));
    const ref = c.access(ea, 2 * bytes, true);
    const low = c.hold(c.loadFrom(ref, bytes));
    const high = c.hold(c.loadFrom(ref, bytes, bytes));
    const size = bytes * 8;
    const eq = sized(OP['i32.eq'], size);
    const equal = c.hold(
      op(OP['i32.and'], op(eq, low, c.readReg(RAX, size)), op(eq, high, c.readReg(RDX, size))),
    );
    const old = c.flags.packed();
    c.flags.producePacked(op(OP['i32.or'], and32(old, ~FLAG_Z), op(OP['i32.shl'], equal, c32(6))));
    c.storeTo(ref, bytes, select(equal, c.readReg(RBX, size), low));
    c.storeTo(ref, bytes, select(equal, c.readReg(RCX, size), high), bytes);
    c.setReg(RAX, select(equal, c.reg(RAX), c.wide(low)));
    c.setReg(RDX, select(equal, c.reg(RDX), c.wide(high)));
  };
}

export const ARITHMETIC_LIFTERS: Readonly<Record<string, Lifter>> = {
  add: addOrSubtract('add', BASE.ADD),
  sub: addOrSubtract('sub', BASE.SUB),
  adc: withCarry('add', BASE.ADD),
  sbb: withCarry('sub', BASE.SUB),
  and: logic('and'),
  or: logic('or'),
  xor: logic('xor'),
  cmp: compare,
  test,
  inc: step('add', BASE.INC),
  dec: step('sub', BASE.DEC),
  neg: negate,
  not: complement,
  mul: multiplyWide(false),
  imul1: multiplyWide(true),
  imul2: multiplyLow,
  imul3: multiplyLow,
  div: divide(false),
  idiv: divide(true),
  xadd: exchangeAdd,
  cmpxchg: compareExchange,
  cmpxchg8b: compareExchangeWide(4),
  cmpxchg16b: compareExchangeWide(8),
  cbw: (c, ins) => {
    if (ins.operandSize === 64) c.setReg(RAX, op(OP['i64.extend32_s'], c.reg(RAX)));
    else if (ins.operandSize === 32) c.writeReg(RAX, 32, op(OP['i32.extend16_s'], wrap(c.reg(RAX))));
    else c.writeReg(RAX, 16, op(OP['i32.extend8_s'], wrap(c.reg(RAX))));
  },
  cwd: (c, ins) => {
    if (ins.operandSize === 64) c.setReg(RDX, op(OP['i64.shr_s'], c.reg(RAX), c64(63)));
    else if (ins.operandSize === 32) c.writeReg(RDX, 32, op(OP['i32.shr_s'], wrap(c.reg(RAX)), c32(31)));
    else c.writeReg(RDX, 16, op(OP['i32.shr_s'], op(OP['i32.extend16_s'], wrap(c.reg(RAX))), c32(15)));
  },
};
