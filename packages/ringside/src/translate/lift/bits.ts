import { OP } from '../../wasm/index.ts';
import { FLAG_C, FLAG_O, FLAG_P, FLAG_S, FLAG_Z } from '../flag-state.ts';
import { BASE, OVERLAY } from '../flags.ts';
import {
  and32,
  c32,
  c64,
  constant,
  type Expr,
  extend,
  getLocal,
  isConst,
  not32,
  op,
  select,
  sized,
  wrap,
} from '../ir.ts';
import type { LiftContext, MemoryRef } from '../lift-context.ts';
import { RAX } from '../register-file.ts';
import type { Lifter } from './lifter.ts';

/** The count of a shift: masked to 5 or 6 bits, 32-bit. */
function count(c: LiftContext, k: number, size: number): Expr {
  const mask = size === 64 ? 63 : 31;
  const o = c.operand(k);
  return o.kind === 'imm' ? c32(o.value & mask) : c.hold(and32(c.readReg(o.reg, 8), mask));
}

function wideCount(n: Expr, size: number): Expr {
  return size === 64 ? extend(n) : n;
}

const SHIFT_OP = {
  [BASE.SHL]: OP['i32.shl'],
  [BASE.SHR]: OP['i32.shr_u'],
  [BASE.SAR]: OP['i32.shr_s'],
} as const;

function shift(base: 9 | 10 | 11): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const n = count(c, 1, size);
    const { value, ref } = c.modify(0);
    if (isConst(n, 0)) {
      c.write(0, value, ref);
      return;
    }
    const from = base === BASE.SAR ? c.signed(value, size) : value;
    const result = (v: Expr): Expr => op(sized(SHIFT_OP[base], size), v, wideCount(n, size));
    if (!c.flagsObserved) {
      c.write(0, result(from), ref);
      return;
    }
    const held = c.hold(value);
    const operand = base === BASE.SAR ? c.signed(held, size) : held;
    if (isConst(n)) c.flags.produce(base, size, held, extend(n));
    else c.flags.produceUnless(not32(n), base, size, held, extend(n), c.flagsNeeded);
    c.write(0, result(operand), ref);
  };
}

/** Rotates change CF and OF only: an overlay. Bytes and words are rotated by doubling them. */
function rotate(left: boolean): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const n = count(c, 1, size);
    const { value, ref } = c.modify(0);
    if (isConst(n, 0)) {
      c.write(0, value, ref);
      return;
    }
    let result: Expr;
    if (size >= 32)
      result = op(sized(left ? OP['i32.rotl'] : OP['i32.rotr'], size), value, wideCount(n, size));
    else {
      const v = c.hold(value);
      const k = and32(n, size - 1);
      const back = and32(op(OP['i32.sub'], c32(size), k), size - 1);
      const pair = op(
        OP['i32.or'],
        op(OP['i32.shl'], v, left ? k : back),
        op(OP['i32.shr_u'], v, left ? back : k),
      );
      result = and32(pair, size === 8 ? 0xff : 0xffff);
    }
    if (!c.flagsObserved) {
      c.write(0, result, ref);
      return;
    }
    const held = c.hold(result);
    const overlay = left ? OVERLAY.ROL : OVERLAY.ROR;
    if (isConst(n)) c.flags.overlay(overlay, size, held);
    else {
      // A count of 0 leaves all flags: pack them.
      const bit = (v: Expr, at: number): Expr => {
        const s = op(sized(OP['i32.shr_u'], size), v, constant(size === 64 ? 64 : 32, at));
        return and32(size === 64 ? wrap(s) : s, 1);
      };
      const old = c.hold(c.flags.packed());
      const top = bit(held, size - 1);
      const carry = c.hold(left ? bit(held, 0) : top);
      const overflow = left ? op(OP['i32.xor'], top, carry) : op(OP['i32.xor'], top, bit(held, size - 2));
      const changed = op(
        OP['i32.or'],
        and32(old, ~(FLAG_C | FLAG_O)),
        op(OP['i32.or'], carry, op(OP['i32.shl'], overflow, c32(11))),
      );
      c.flags.producePacked(select(n, changed, old));
    }
    c.write(0, held, ref);
  };
}

/** `rcl` and `rcr`: a rotate of width + 1 bits, one bit at a time (they are rare). */
function rotateThroughCarry(left: boolean): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const w = size === 64 ? 64 : 32;
    const n = c.hold(count(c, 1, size));
    const { value, ref } = c.modify(0);
    const old = c.hold(c.flags.packed());
    const v = c.temps.take(w);
    const carry = c.temps.take(w);
    const left32 = c.temps.take(32);
    const get = (local: number): Expr => getLocal(local, w);
    c.set(v, value);
    c.set(carry, w === 64 ? extend(and32(old, 1)) : and32(old, 1));
    const times = size < 32 ? op(OP['i32.rem_u'], n, c32(size + 1)) : n;
    c.set(left32, times);
    const next = c.temps.take(w);
    const one = constant(w, 1);
    const topShift = constant(w, size - 1);
    const body = c.collect(() => {
      if (left) {
        c.set(next, op(sized(OP['i32.and'], w), op(sized(OP['i32.shr_u'], w), get(v), topShift), one));
        c.set(v, op(sized(OP['i32.or'], w), op(sized(OP['i32.shl'], w), get(v), one), get(carry)));
      } else {
        c.set(next, op(sized(OP['i32.and'], w), get(v), one));
        c.set(
          v,
          op(
            sized(OP['i32.or'], w),
            op(sized(OP['i32.shr_u'], w), get(v), one),
            op(sized(OP['i32.shl'], w), get(carry), topShift),
          ),
        );
      }
      if (size < 32) c.set(v, and32(get(v), size === 8 ? 0xff : 0xffff));
      c.set(carry, get(next));
      c.set(left32, op(OP['i32.sub'], getLocal(left32, 32), c32(1)));
    });
    c.emit({
      kind: 'if',
      condition: getLocal(left32, 32),
      yes: [{ kind: 'loop', body, again: getLocal(left32, 32) }],
      no: [],
    });
    const carry32 = w === 64 ? wrap(get(carry)) : get(carry);
    const bit = (at: number): Expr => {
      const s = op(sized(OP['i32.shr_u'], w), get(v), constant(w, at));
      return and32(w === 64 ? wrap(s) : s, 1);
    };
    const overflow = left
      ? op(OP['i32.xor'], bit(size - 1), carry32)
      : op(OP['i32.xor'], bit(size - 1), bit(size - 2));
    const changed = op(
      OP['i32.or'],
      and32(old, ~(FLAG_C | FLAG_O)),
      op(OP['i32.or'], carry32, op(OP['i32.shl'], overflow, c32(11))),
    );
    c.flags.producePacked(select(n, changed, old));
    c.write(0, get(v), ref);
  };
}

/** `shld` and `shrd`. */
function doubleShift(left: boolean): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const w = size === 64 ? 64 : 32;
    const n = c.hold(count(c, 2, size));
    const { value, ref } = c.modify(0);
    const a = c.hold(value);
    const b = c.hold(c.read(1));
    const k = w === 64 ? extend(n) : n;
    const rest = op(sized(OP['i32.sub'], w), constant(w, size), k);
    let shifted: Expr;
    if (size === 16) {
      // As a 48-bit value a:b:a, since counts up to 31 are made (the result above 16 is what CPUs give).
      const wide = c.hold(
        left
          ? op(
              OP['i64.or'],
              op(OP['i64.shl'], extend(a), c64(32)),
              op(OP['i64.or'], op(OP['i64.shl'], extend(b), c64(16)), extend(a)),
            )
          : op(
              OP['i64.or'],
              op(OP['i64.shl'], extend(a), c64(32)),
              op(OP['i64.or'], op(OP['i64.shl'], extend(b), c64(16)), extend(a)),
            ),
      );
      shifted = left
        ? and32(wrap(op(OP['i64.shr_u'], op(OP['i64.shl'], wide, extend(n)), c64(32))), 0xffff)
        : and32(wrap(op(OP['i64.shr_u'], wide, extend(n))), 0xffff);
    } else {
      shifted = left
        ? op(
            sized(OP['i32.or'], w),
            op(sized(OP['i32.shl'], w), a, k),
            op(sized(OP['i32.shr_u'], w), b, rest),
          )
        : op(
            sized(OP['i32.or'], w),
            op(sized(OP['i32.shr_u'], w), a, k),
            op(sized(OP['i32.shl'], w), b, rest),
          );
    }
    // Most counts are constants: then nothing hangs on whether it is 0.
    const moves = isConst(n) && n.n !== 0;
    const result = c.hold(moves ? shifted : select(n, shifted, a));
    if (c.flagsObserved) {
      const old = moves ? n : c.hold(c.flags.packed());
      const one = constant(w, 1);
      const bit = (v: Expr): Expr => and32(w === 64 ? wrap(v) : v, 1);
      const carry = left
        ? bit(op(sized(OP['i32.shr_u'], w), a, op(sized(OP['i32.sub'], w), constant(w, size), k)))
        : bit(op(sized(OP['i32.shr_u'], w), a, op(sized(OP['i32.sub'], w), k, one)));
      const sign = (v: Expr): Expr => bit(op(sized(OP['i32.shr_u'], w), v, constant(w, size - 1)));
      const fresh = op(
        OP['i32.or'],
        op(OP['i32.or'], carry, resultBits(result, size)),
        op(OP['i32.shl'], op(OP['i32.xor'], sign(result), sign(a)), c32(11)),
      );
      c.flags.producePacked(moves ? fresh : select(n, fresh, old));
    }
    c.write(0, result, ref);
  };
}

/** ZF, SF and PF of a result, in their places. */
function resultBits(result: Expr, size: number): Expr {
  const w = size === 64 ? 64 : 32;
  const zero = op(OP['i32.shl'], op(sized(OP['i32.eqz'], w), result), c32(6));
  const top = op(sized(OP['i32.shr_u'], w), result, constant(w, size - 1));
  const sign = op(OP['i32.shl'], and32(w === 64 ? wrap(top) : top, 1), c32(7));
  const low = and32(w === 64 ? wrap(result) : result, 0xff);
  const parity = op(OP['i32.shl'], not32(and32(op(OP['i32.popcnt'], low), 1)), c32(2));
  return op(OP['i32.or'], op(OP['i32.or'], zero, sign), parity);
}

type BitChange = 'test' | 'set' | 'reset' | 'complement';

function bitOperation(change: BitChange): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const w = size === 64 ? 64 : 32;
    const index = c.operand(1);
    let ref: MemoryRef | undefined;
    let value: Expr;
    let position: Expr;
    const write = change !== 'test';
    if (index.kind === 'imm') {
      position = constant(w, index.value & (size - 1));
      if (write) ({ value, ref } = c.modify(0));
      else value = c.read(0);
    } else {
      const raw = c.hold(c.readReg(index.reg, size));
      position = op(sized(OP['i32.and'], w), raw, constant(w, size - 1));
      if (c.operand(0).kind === 'mem') {
        // A bit string: the register selects the word, also below the address.
        const signedIndex = c.to64(raw, size, true);
        const shiftBy = size === 64 ? 6 : size === 32 ? 5 : 4;
        const word = op(OP['i64.shl'], op(OP['i64.shr_s'], signedIndex, c64(shiftBy)), c64(shiftBy - 3));
        let ea = op(OP['i64.add'], c.address(), word);
        if (c.ins.address32) ea = extend(wrap(ea));
        ref = c.access(ea, size >> 3, write);
        value = c.hold(c.loadFrom(ref, size >> 3));
      } else ({ value, ref } = c.modify(0));
    }
    const at = c.hold(position);
    const held = c.hold(value);
    const shifted = op(sized(OP['i32.shr_u'], w), held, at);
    const bit = c.hold(and32(w === 64 ? wrap(shifted) : shifted, 1));
    if (change !== 'test') {
      const mask = op(sized(OP['i32.shl'], w), constant(w, 1), at);
      const result =
        change === 'set'
          ? op(sized(OP['i32.or'], w), held, mask)
          : change === 'complement'
            ? op(sized(OP['i32.xor'], w), held, mask)
            : op(sized(OP['i32.and'], w), held, op(sized(OP['i32.xor'], w), mask, constant(w, -1)));
      c.write(0, result, ref);
    }
    if (c.flagsObserved) c.flags.overlay(OVERLAY.CARRY, 64, bit);
  };
}

function scan(name: 'ctz' | 'clz', onZero: 'keep' | 'width'): Lifter {
  return (c) => {
    const size = c.operand(0).size;
    const w = size === 64 ? 64 : 32;
    const source = c.hold(c.read(1));
    let found: Expr = op(sized(name === 'ctz' ? OP['i32.ctz'] : OP['i32.clz'], w), source);
    if (onZero === 'keep') {
      // bsf, bsr: the destination stays when there is no bit.
      if (name === 'clz') found = op(sized(OP['i32.sub'], w), constant(w, w - 1), found);
      if (c.flagsObserved) c.flags.produce(BASE.LOGIC, size, source);
      const dest = c.operand(0).reg;
      const nonzero = op(sized(OP['i32.ne'], w), source, constant(w, 0));
      if (size === 16) c.writeReg(dest, 16, select(nonzero, found, c.readReg(dest, 16)));
      else if (size === 32) c.setReg(dest, select(nonzero, extend(found), c.reg(dest)));
      else c.setReg(dest, select(nonzero, found, c.reg(dest)));
      return;
    }
    if (size === 16) {
      found =
        name === 'ctz'
          ? op(OP['i32.ctz'], op(OP['i32.or'], source, c32(0x1_0000)))
          : op(OP['i32.sub'], op(OP['i32.clz'], source), c32(16));
    }
    const result = c.hold(found);
    c.flags.producePacked(
      op(
        OP['i32.or'],
        op(sized(OP['i32.eqz'], w), source),
        op(OP['i32.shl'], op(sized(OP['i32.eqz'], w), result), c32(6)),
      ),
    );
    c.write(0, result);
  };
}

function swapBytes(c: LiftContext, value: Expr, size: number): Expr {
  const v = c.hold(value);
  if (size === 16)
    return op(
      OP['i32.or'],
      op(OP['i32.shl'], and32(v, 0xff), c32(8)),
      op(OP['i32.shr_u'], and32(v, 0xffff), c32(8)),
    );
  if (size === 32) {
    return op(
      OP['i32.or'],
      and32(op(OP['i32.rotl'], v, c32(8)), 0x00ff00ff),
      and32(op(OP['i32.rotr'], v, c32(8)), 0xff00ff00 | 0),
    );
  }
  const low = extend(swapBytes(c, wrap(v), 32));
  const high = extend(swapBytes(c, wrap(op(OP['i64.shr_u'], v, c64(32))), 32));
  return op(OP['i64.or'], op(OP['i64.shl'], low, c64(32)), high);
}

function crc32c(c: LiftContext): void {
  const bytes = c.operand(1).size >> 3;
  const source = c.hold(c.to64(c.read(1), c.operand(1).size, false));
  const crc = c.temps.take(32);
  c.set(crc, c.readReg(c.operand(0).reg, 32));
  for (let i = 0; i < bytes; i++) {
    c.set(
      crc,
      op(OP['i32.xor'], getLocal(crc, 32), and32(wrap(op(OP['i64.shr_u'], source, c64(8 * i))), 0xff)),
    );
    for (let k = 0; k < 8; k++) {
      const low = and32(getLocal(crc, 32), 1);
      c.set(
        crc,
        op(
          OP['i32.xor'],
          op(OP['i32.shr_u'], getLocal(crc, 32), c32(1)),
          and32(op(OP['i32.sub'], c32(0), low), 0x82f63b78 | 0),
        ),
      );
    }
  }
  c.setReg(c.operand(0).reg, extend(getLocal(crc, 32)));
}

export const BIT_LIFTERS: Readonly<Record<string, Lifter>> = {
  shl: shift(BASE.SHL),
  shr: shift(BASE.SHR),
  sar: shift(BASE.SAR),
  rol: rotate(true),
  ror: rotate(false),
  rcl: rotateThroughCarry(true),
  rcr: rotateThroughCarry(false),
  shld: doubleShift(true),
  shrd: doubleShift(false),
  bt: bitOperation('test'),
  bts: bitOperation('set'),
  btr: bitOperation('reset'),
  btc: bitOperation('complement'),
  bsf: scan('ctz', 'keep'),
  bsr: scan('clz', 'keep'),
  tzcnt: scan('ctz', 'width'),
  lzcnt: scan('clz', 'width'),
  popcnt: (c) => {
    const size = c.operand(0).size;
    const result = c.hold(op(sized(OP['i32.popcnt'], size), c.read(1)));
    c.flags.producePacked(op(OP['i32.shl'], op(sized(OP['i32.eqz'], size), result), c32(6)));
    c.write(0, result);
  },
  bswap: (c) => {
    const o = c.operand(0);
    // Undefined with prefix 66; processors clear the low half.
    if (c.ins.operandSize === 16) c.writeReg(o.reg, 16, c32(0));
    else c.writeReg(o.reg, o.size, swapBytes(c, c.readReg(o.reg, o.size), o.size));
  },
  movbe: (c) => {
    const size = c.operand(0).size;
    c.write(0, swapBytes(c, c.read(1), size));
  },
  crc32: crc32c,
  clc: (c) => c.flags.overlay(OVERLAY.CARRY, 64, c64(0)),
  stc: (c) => c.flags.overlay(OVERLAY.CARRY, 64, c64(1)),
  cmc: (c) => {
    const carry = c.hold(c.flags.flag(FLAG_C));
    c.flags.overlay(OVERLAY.CARRY, 64, not32(carry));
  },
  sahf: (c) => {
    const keep = c.hold(op(OP['i32.shl'], c.flags.flag(FLAG_O), c32(11)));
    const ah = c.readReg(RAX, 8, true);
    c.flags.producePacked(op(OP['i32.or'], keep, and32(ah, FLAG_C | FLAG_P | 0x10 | FLAG_Z | FLAG_S)));
  },
  lahf: (c) => {
    const flags = op(OP['i32.or'], and32(c.flags.packed(), 0xd5), c32(2));
    c.writeReg(RAX, 8, c.hold(flags), true);
  },
};
