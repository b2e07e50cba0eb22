import { FLAG_BITS } from '../../x86/index.ts';
import { FLAG, RAX, RDX, SLOT_RFLAGS } from '../register-file.ts';
import {
  addMask,
  andMask,
  type Bits,
  type Carry,
  multiplyMask,
  NO_CARRY,
  ones,
  orMask,
  scanIsDefined,
  shiftMask,
  signExtend,
  smearUp,
  subMask,
  swapBytes,
} from './bit-rules.ts';
import type { TrackedOperands } from './operands.ts';

type Rule = (t: TrackedOperands) => void;
const { c: CF, o: OF } = FLAG_BITS;
const NO_UNKNOWN = 0;

function setFlags(t: TrackedOperands, mask: number): void {
  t.registers.flags.set(mask);
  t.registers.flagsOrigin = t.origin;
}

function compare(t: TrackedOperands, left: Bits, right: Bits, width: number): void {
  t.registers.flags.compare(left, right, width);
  t.registers.flagsOrigin = t.origin;
}

/** `xor %eax,%eax` and its like: the result does not depend on the register. */
function isSelf(t: TrackedOperands): boolean {
  const [a, b] = t.ins.operands;
  return a?.kind === 'reg' && b?.kind === 'reg' && a.reg === b.reg && a.high === b.high;
}

function carryOf(t: TrackedOperands): Carry {
  const { flags } = t.registers;
  if ((flags.mask & CF) !== 0) {
    t.origin = t.registers.flagsOrigin;
    return { least: 0n, most: 1n };
  }
  const carry = (t.regs.u32(SLOT_RFLAGS) & FLAG.CF) === 0 ? 0n : 1n;
  return { least: carry, most: carry };
}

function sum(t: TrackedOperands, carry = NO_CARRY): void {
  const target = t.get(0);
  const [a, b] = [t.bits(target), t.bits(t.get(1))];
  const { size } = target;
  const mask = addMask(a, b, size, carry);
  const carries = (v: Bits, w: Bits): boolean =>
    (v.value & ~v.mask) + (w.value & ~w.mask) + carry.least > ones(size) ===
    (v.value | v.mask) + (w.value | w.mask) + carry.most > ones(size);
  if (mask === 0n) setFlags(t, NO_UNKNOWN);
  else {
    // a defined bit that is set: the sum is not 0
    const value = (a.value + b.value + carry.least) & ~mask & ones(size);
    const known =
      (value !== 0n ? FLAG.ZF : 0) |
      (carries(a, b) ? CF : 0) |
      ((mask >> BigInt(size - 1)) & 1n ? 0 : FLAG.SF);
    setFlags(t, ~known);
  }
  t.write(target, mask);
}

function difference(t: TrackedOperands, borrow = NO_CARRY): void {
  const target = t.get(0);
  if (isSelf(t)) {
    // `sbb` of a register with itself is its borrow
    const mask = borrow.least === borrow.most ? 0n : ones(target.size);
    setFlags(t, mask === 0n ? NO_UNKNOWN : ~0);
    t.write(target, mask);
    return;
  }
  const [a, b] = [t.bits(target), t.bits(t.get(1))];
  const mask = subMask(a, b, target.size, borrow);
  if (borrow === NO_CARRY || mask === 0n) compare(t, a, b, target.size);
  else setFlags(t, ~0);
  t.write(target, mask);
}

function logic(
  t: TrackedOperands,
  rule: (a: Bits, b: Bits) => bigint,
  value: (a: bigint, b: bigint) => bigint,
  keep: boolean,
): void {
  const target = t.get(0);
  const [a, b] = [t.bits(target), t.bits(t.get(1))];
  const mask = rule(a, b);
  compare(t, { value: value(a.value, b.value), mask }, { value: 0n, mask: 0n }, target.size);
  if (keep) t.write(target, mask);
}

/** `inc` and `dec` leave the carry flag. */
function step(t: TrackedOperands, rule: typeof addMask): void {
  const target = t.get(0);
  const mask = rule(t.bits(target), { value: 1n, mask: 0n }, target.size);
  const { flags } = t.registers;
  if (mask !== 0n || !flags.isDefined) {
    flags.change(~CF, mask === 0n ? 0 : ~0);
    t.registers.flagsOrigin = mask === 0n ? t.registers.flagsOrigin : t.origin;
  }
  t.write(target, mask);
}

function shift(t: TrackedOperands): void {
  const { name } = t.ins;
  const target = t.get(0);
  const { size } = target;
  const by = t.ins.operands[1];
  const count = by === undefined ? { value: 1n, mask: 0n } : t.bits(by);
  const limit = size === 64 ? 63n : 31n;
  const value = t.bits(target);
  const n = by?.kind === 'imm' || by?.kind === 'reg' ? Number(count.value & limit) : 1;
  if (value.mask === 0n && (count.mask & limit) === 0n) {
    if (n !== 0) flagsOfShift(t, 0n);
    t.write(target, 0n);
    return;
  }
  let mask: bigint;
  if ((count.mask & limit) !== 0n) mask = value.value === 0n && value.mask === 0n ? 0n : ones(size);
  else if (n === 0) return;
  else mask = name === 'rcl' || name === 'rcr' ? ones(size) : shiftMask(name, value.mask, n, size);
  if (name === 'shl' || name === 'shr' || name === 'sar') {
    const result = name === 'shl' ? value.value << BigInt(n) : value.value >> BigInt(n);
    if ((count.mask & limit) !== 0n) setFlags(t, ~0);
    else {
      // the last bit that is shifted out
      const at = name === 'shl' ? size - n : n - 1;
      const carry = at >= 0 && ((value.mask >> BigInt(at)) & 1n) !== 0n;
      if (mask === 0n) setFlags(t, carry ? CF | OF : NO_UNKNOWN);
      else if (carry) setFlags(t, ~0 & ~((result & ~mask & ones(size)) === 0n ? 0 : FLAG.ZF));
      else compare(t, { value: result & ones(size), mask }, { value: 0n, mask: 0n }, size);
    }
  } else flagsOfShift(t, mask);
  t.write(target, mask);
}

/** Rotates change CF and OF alone. */
function flagsOfShift(t: TrackedOperands, mask: bigint): void {
  const rotates = t.ins.name[0] === 'r';
  if (!rotates) setFlags(t, mask === 0n ? NO_UNKNOWN : ~0);
  else if (mask !== 0n || !t.registers.flags.isDefined) {
    t.registers.flags.change(CF | OF, mask === 0n ? 0 : ~0);
    if (mask !== 0n) t.registers.flagsOrigin = t.origin;
  }
}

function doubleShift(t: TrackedOperands): void {
  const target = t.get(0);
  const { size } = target;
  const [a, b] = [t.mask(target), t.mask(t.get(1))];
  const count = t.bits(t.get(2));
  const n = Number(count.value & (size === 64 ? 63n : 31n));
  const whole = t.ins.name === 'shld' ? (a << BigInt(size)) | b : (b << BigInt(size)) | a;
  let mask = (t.ins.name === 'shld' ? (whole << BigInt(n)) >> BigInt(size) : whole >> BigInt(n)) & ones(size);
  if (count.mask !== 0n) mask = ones(size);
  setFlags(t, mask === 0n ? NO_UNKNOWN : ~0);
  t.write(target, mask);
}

/** One operand: into rDX:rAX, or AX. */
function multiplyWide(t: TrackedOperands): void {
  const { size } = t.get(0);
  const [a, b] = [t.registerBits(RAX, size), t.bits(t.get(0))];
  const mask = multiplyMask(a, b, 2 * size);
  setFlags(t, mask === 0n ? NO_UNKNOWN : ~0);
  writeWide(t, size, mask & ones(size), mask >> BigInt(size));
}

function writeWide(t: TrackedOperands, size: number, low: bigint, high: bigint): void {
  const register = (reg: number, width: number, part: bigint): void =>
    t.registers.write(
      { kind: 'reg', size: width, reg, high: false, value: 0, big: undefined },
      part,
      t.origin,
    );
  if (size === 8) register(RAX, 16, low | (high << 8n));
  else {
    register(RAX, size, low);
    register(RDX, size, high);
  }
}

function multiply(t: TrackedOperands): void {
  const { operands } = t.ins;
  const [a, b] = [t.bits(operands.at(-2)!), t.bits(operands.at(-1)!)];
  const mask = multiplyMask(a, b, t.get(0).size);
  setFlags(t, mask === 0n ? NO_UNKNOWN : ~0);
  t.write(t.get(0), mask);
}

function divide(t: TrackedOperands): void {
  const { size } = t.get(0);
  if (t.mask(t.get(0)) !== 0n) t.use('divisor');
  const dividend =
    t.registerMask(RAX, size === 8 ? 16 : size) | (size === 8 ? 0n : t.registerMask(RDX, size));
  const mask = dividend === 0n ? 0n : ones(size);
  setFlags(t, NO_UNKNOWN);
  writeWide(t, size, mask, mask);
}

function bitTest(t: TrackedOperands): void {
  const target = t.get(0);
  const index = t.bits(t.get(1));
  const size = target.size === 0 ? t.ins.operandSize : target.size;
  const place = index.value & BigInt(size - 1);
  const mask = t.mask(target);
  const unknown = index.mask !== 0n || ((mask >> place) & 1n) !== 0n;
  const { flags } = t.registers;
  if (unknown || !flags.isDefined) {
    flags.change(CF, unknown ? ~0 : 0);
    if (unknown) t.registers.flagsOrigin = t.origin;
  }
  if (t.ins.name !== 'bt' && index.mask === 0n) {
    t.write(target, t.ins.name === 'btc' ? mask : mask & ~(1n << place));
  }
}

function scan(t: TrackedOperands): void {
  const source = t.bits(t.get(1));
  const fromTop = t.ins.name === 'bsr' || t.ins.name === 'lzcnt';
  const defined =
    source.mask === 0n || (t.ins.name !== 'popcnt' && scanIsDefined(source, t.get(1).size, fromTop));
  const zeroKnown = source.mask === 0n || (source.value & ~source.mask) !== 0n;
  setFlags(t, zeroKnown && defined ? NO_UNKNOWN : ~0);
  t.write(t.get(0), defined ? 0n : ones(t.get(0).size));
}

function exchangeAdd(t: TrackedOperands): void {
  const [target, source] = [t.get(0), t.get(1)];
  const [a, b] = [t.bits(target), t.bits(source)];
  const mask = addMask(a, b, target.size);
  setFlags(t, mask === 0n ? NO_UNKNOWN : ~0);
  t.write(target, mask);
  t.write(source, a.mask);
}

function compareExchange(t: TrackedOperands): void {
  const [target, source] = [t.get(0), t.get(1)];
  const { size } = target;
  const [expected, found] = [t.registerBits(RAX, size), t.bits(target)];
  compare(t, expected, found, size);
  const replacement = t.mask(source);
  const accumulator = { ...source, kind: 'reg', reg: RAX, high: false, size } as const;
  if (t.registers.flags.dependsOn('e')) {
    t.write(target, found.mask | replacement);
    t.write(accumulator, found.mask | expected.mask);
  } else if (expected.value === found.value) t.write(target, replacement);
  else t.write(accumulator, found.mask);
}

function wideCompareExchange(t: TrackedOperands): void {
  const size = t.ins.name === 'cmpxchg8b' ? 8 : 16;
  const found = t.memoryMask(t.at, size);
  setFlags(t, found === 0n ? NO_UNKNOWN : ~0);
  if (found === 0n) t.store(t.at, size, 0n);
  writeWide(t, size * 4, found & ones(size * 4), found >> BigInt(size * 4));
}

/** `cbw`, `cwde`, `cdqe`; `cwd`, `cdq`, `cqo`. */
function widen(t: TrackedOperands): void {
  const size = t.ins.operandSize;
  const into = (reg: number, mask: bigint): void =>
    t.registers.write({ kind: 'reg', size, reg, high: false, value: 0, big: undefined }, mask, t.origin);
  if (t.ins.name === 'cbw') into(RAX, signExtend(t.registerMask(RAX, size / 2), size / 2, size));
  else into(RDX, (t.registerMask(RAX, size) >> BigInt(size - 1)) & 1n ? ones(size) : 0n);
}

function negate(t: TrackedOperands): void {
  const target = t.get(0);
  const zero = { value: 0n, mask: 0n };
  const bits = t.bits(target);
  compare(t, zero, bits, target.size);
  t.write(target, subMask(zero, bits, target.size));
}

const xorMask = (a: Bits, b: Bits): bigint => a.mask | b.mask;

export const ARITHMETIC_RULES: Readonly<Record<string, Rule>> = {
  add: (t) => sum(t),
  adc: (t) => sum(t, carryOf(t)),
  sub: (t) => difference(t),
  sbb: (t) => difference(t, carryOf(t)),
  cmp: (t) => {
    if (isSelf(t)) setFlags(t, NO_UNKNOWN);
    else compare(t, t.bits(t.get(0)), t.bits(t.get(1)), t.get(0).size);
  },
  and: (t) => logic(t, andMask, (a, b) => a & b, true),
  test: (t) => logic(t, andMask, (a, b) => a & b, false),
  or: (t) => logic(t, orMask, (a, b) => a | b, true),
  xor: (t) => {
    if (!isSelf(t)) return logic(t, xorMask, (a, b) => a ^ b, true);
    setFlags(t, NO_UNKNOWN);
    t.write(t.get(0), 0n);
  },
  not: (t) => t.write(t.get(0), t.mask(t.get(0))),
  neg: negate,
  inc: (t) => step(t, addMask),
  dec: (t) => step(t, subMask),
  shl: shift,
  shr: shift,
  sar: shift,
  rol: shift,
  ror: shift,
  rcl: shift,
  rcr: shift,
  shld: doubleShift,
  shrd: doubleShift,
  mul: multiplyWide,
  imul1: multiplyWide,
  imul2: multiply,
  imul3: multiply,
  div: divide,
  idiv: divide,
  bt: bitTest,
  bts: bitTest,
  btr: bitTest,
  btc: bitTest,
  bsf: scan,
  bsr: scan,
  tzcnt: scan,
  lzcnt: scan,
  popcnt: scan,
  bswap: (t) => t.write(t.get(0), swapBytes(t.mask(t.get(0)), t.get(0).size)),
  xadd: exchangeAdd,
  cmpxchg: compareExchange,
  cmpxchg8b: wideCompareExchange,
  cmpxchg16b: wideCompareExchange,
  cbw: widen,
  cwd: widen,
  crc32: (t) => t.write(t.get(0), (t.mask(t.get(0)) | t.mask(t.get(1))) === 0n ? 0n : smearUp(1n, 32)),
};
