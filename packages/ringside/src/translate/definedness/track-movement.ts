import { asAddr } from '../../bytes/index.ts';
import { FLAG_BITS, FS, NO_REGISTER, type Operand } from '../../x86/index.ts';
import {
  FLAG,
  RAX,
  RBP,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
  SLOT_FS_BASE,
  SLOT_GS_BASE,
  SLOT_RFLAGS,
} from '../register-file.ts';
import { addMask, ones, signExtend, swapBytes } from './bit-rules.ts';
import type { TrackedOperands } from './operands.ts';

type Rule = (t: TrackedOperands) => void;

const offset = (address: bigint): number => Number(BigInt.asUintN(32, address));

function move(t: TrackedOperands): void {
  t.write(t.get(0), t.mask(t.get(1)));
}

function exchange(t: TrackedOperands): void {
  const [a, b] = [t.get(0), t.get(1)];
  const first = t.mask(a);
  const firstOrigin = t.origin;
  t.write(a, t.mask(b));
  t.origin = firstOrigin;
  t.write(b, first);
}

/** The sum of base, index and displacement. */
function loadAddress(t: TrackedOperands): void {
  const { ins } = t;
  const target = t.get(0);
  const width = 64;
  let bits = { value: BigInt.asUintN(width, BigInt(ins.displacement)), mask: 0n };
  for (const [reg, scale] of [
    [ins.base, 0],
    [ins.index, ins.scale],
  ] as const) {
    if (reg === NO_REGISTER) continue;
    const part = t.registerBits(reg, width);
    const scaled = {
      value: BigInt.asUintN(width, part.value << BigInt(scale)),
      mask: BigInt.asUintN(width, part.mask << BigInt(scale)),
    };
    bits = { value: BigInt.asUintN(width, bits.value + scaled.value), mask: addMask(bits, scaled, width) };
  }
  t.write(target, bits.mask & ones(target.size));
}

/** As a kernel with KMSAN treats a choice: the result is undefined where the two differ, and nothing is reported. */
function conditionalMove(t: TrackedOperands): void {
  const condition = t.ins.name.slice(4);
  const [target, source] = [t.bits(t.get(0)), t.bits(t.get(1))];
  const { registers } = t;
  if (!registers.flags.dependsOn(condition)) {
    t.write(t.get(0), holds(t, condition) ? source.mask : target.mask);
    return;
  }
  t.origin = registers.flagsOrigin;
  t.write(t.get(0), target.mask | source.mask | (target.value ^ source.value));
}

/** Whether a condition holds now. Source: SDM vol. 1, appendix B. */
function holds(t: TrackedOperands, condition: string): boolean {
  const flags = t.regs.u32(SLOT_RFLAGS);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const less = has(FLAG.SF) !== has(FLAG.OF);
  switch (condition) {
    case 'o':
      return has(FLAG.OF);
    case 'b':
      return has(FLAG.CF);
    case 'e':
      return has(FLAG.ZF);
    case 'be':
      return has(FLAG.CF) || has(FLAG.ZF);
    case 's':
      return has(FLAG.SF);
    case 'p':
      return has(FLAG.PF);
    case 'l':
      return less;
    case 'le':
      return less || has(FLAG.ZF);
    case 'no':
    case 'ne':
    case 'ns':
    case 'np':
      return !holds(t, condition.slice(1));
    case 'ae':
      return !has(FLAG.CF);
    case 'a':
      return !has(FLAG.CF) && !has(FLAG.ZF);
    case 'ge':
      return !less;
    default:
      return !less && !has(FLAG.ZF);
  }
}

export function setByCondition(t: TrackedOperands): void {
  const unknown = t.registers.flags.dependsOn(t.ins.name.slice(3));
  if (unknown) t.origin = t.registers.flagsOrigin;
  t.write(t.get(0), unknown ? 1n : 0n);
}

function push(t: TrackedOperands): void {
  const size = t.ins.operandSize >> 3;
  const source = t.ins.operands[0];
  const mask = source === undefined || source.kind === 'segment' ? 0n : t.mask(source);
  t.store(offset(t.regs.u64(RSP)) - size, size, mask, true);
}

function pop(t: TrackedOperands): void {
  const target = t.ins.operands[0];
  const mask = t.memoryMask(offset(t.regs.u64(RSP)), t.ins.operandSize >> 3);
  if (target?.kind === 'reg' || target?.kind === 'mem') t.write(target, mask);
}

function pushFlags(t: TrackedOperands): void {
  t.origin = t.registers.flagsOrigin;
  const size = t.ins.operandSize >> 3;
  t.store(offset(t.regs.u64(RSP)) - size, size, BigInt(t.registers.flags.mask) & ones(8 * size), true);
}

function leave(t: TrackedOperands): void {
  t.registers.set(RBP, t.memoryMask(offset(t.regs.u64(RBP)), 8), t.origin);
}

function loadFlags(t: TrackedOperands): void {
  t.origin = t.registers.flagsOrigin;
  const ah: Operand = { kind: 'reg', size: 8, reg: RAX, high: true, value: 0, big: undefined };
  t.write(ah, BigInt(t.registers.flags.mask) & 0xffn);
}

// ---- strings: one round

function string(
  t: TrackedOperands,
  reads: boolean,
  writes: boolean,
): { size: number; source: number; target: number } | undefined {
  const { ins, regs } = t;
  const size = ins.encoding.operands[0]!.kind === 'b' ? 1 : ins.operandSize >> 3;
  if (ins.rep || ins.repne) {
    t.useRegister(RCX, 'count', ins.address32 ? 32 : 64);
    if ((ins.address32 ? BigInt(regs.u32(RCX)) : regs.u64(RCX)) === 0n) return undefined;
  }
  if (reads) t.useRegister(RSI, 'address');
  if (writes) t.useRegister(RDI, 'address');
  const base = ins.segment === NO_REGISTER ? 0n : regs.u64(ins.segment === FS ? SLOT_FS_BASE : SLOT_GS_BASE);
  return { size, source: offset(regs.u64(RSI) + base), target: offset(regs.u64(RDI)) };
}

function moveString(t: TrackedOperands): void {
  const at = string(t, true, true);
  if (at !== undefined) t.store(at.target, at.size, t.memoryMask(at.source, at.size));
}

function storeString(t: TrackedOperands): void {
  const at = string(t, false, true);
  if (at !== undefined) t.store(at.target, at.size, t.registerMask(RAX, 8 * at.size));
}

function loadString(t: TrackedOperands): void {
  const at = string(t, true, false);
  if (at === undefined) return;
  const target: Operand = { kind: 'reg', size: 8 * at.size, reg: RAX, high: false, value: 0, big: undefined };
  t.write(target, t.memoryMask(at.source, at.size));
}

/** `cmps` and `scas`: with `rep`, whether there is another round depends on what was compared. */
function compareString(t: TrackedOperands): void {
  const scans = t.ins.name === 'scas';
  const at = string(t, !scans, true);
  if (at === undefined) return;
  const { flags } = t.registers;
  const left = scans ? t.registerBits(RAX, 8 * at.size) : t.memoryBits(at.source, at.size);
  flags.compare(left, t.memoryBits(at.target, at.size), 8 * at.size);
  t.registers.flagsOrigin = t.origin;
  if ((t.ins.rep || t.ins.repne) && flags.dependsOn('e')) {
    t.use('branch');
    flags.set(0);
  }
}

// ---- what ends a function or asks a device

function branch(t: TrackedOperands, condition: string): void {
  const { flags } = t.registers;
  if (!flags.dependsOn(condition)) return;
  t.origin = t.registers.flagsOrigin;
  t.use('branch');
  flags.set(0);
}

/** A jump or call to what a register or memory holds. */
function jump(t: TrackedOperands): void {
  const target = t.get(0);
  if (target.kind === 'reg') t.useRegister(target.reg, 'jump');
  else if (target.kind === 'rel') {
    const register = t.host.thunkRegister(asAddr(target.value));
    if (register !== undefined) t.useRegister(register, 'jump');
  } else if (target.kind === 'mem' && t.mask(target) !== 0n) t.use('jump');
}

function call(t: TrackedOperands): void {
  jump(t);
  t.store(offset(t.regs.u64(RSP)) - 8, 8, 0n);
}

function giveDefined(...regs: number[]): Rule {
  return (t) => {
    for (const reg of regs) t.registers.masks[reg] = 0n;
  };
}

const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');

function loop(t: TrackedOperands): void {
  t.useRegister(RCX, 'branch');
  if (t.ins.name === 'loope' || t.ins.name === 'loopne') branch(t, 'e');
}

export const MOVEMENT_RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    CONDITIONS.flatMap((condition): [string, Rule][] => [
      [`j${condition}`, (t) => branch(t, condition)],
      [`set${condition}`, setByCondition],
      [`cmov${condition}`, conditionalMove],
    ]),
  ),
  mov: move,
  movnti: move,
  movzx: move,
  movsx: (t) => t.write(t.get(0), t.signExtended(t.get(1), t.get(0).size)),
  movsxd: (t) => t.write(t.get(0), signExtend(t.mask(t.get(1)), t.get(1).size, t.get(0).size)),
  movbe: (t) => t.write(t.get(0), swapBytes(t.mask(t.get(1)), t.get(0).size)),
  lea: loadAddress,
  xchg: exchange,
  push,
  push_fs: push,
  push_gs: push,
  pop,
  pushf: pushFlags,
  popf: (t) => t.registers.flags.set(0),
  leave,
  lahf: loadFlags,
  sahf: (t) => t.registers.flags.set(0),
  clc: (t) => t.registers.flags.change(FLAG_BITS.c, 0),
  stc: (t) => t.registers.flags.change(FLAG_BITS.c, 0),
  xlat: (t) => t.registers.set(RAX, t.registers.masks[RAX]! & ~0xffn, t.origin),
  movs: moveString,
  stos: storeString,
  lods: loadString,
  cmps: compareString,
  scas: compareString,
  ins: (t) => {
    const at = string(t, false, true);
    if (at !== undefined) t.store(at.target, at.size, 0n);
  },
  outs: (t) => {
    const at = string(t, true, false);
    if (at !== undefined && t.memoryMask(at.source, at.size) !== 0n) t.use('port');
  },
  out: (t) => {
    if (t.mask(t.get(1)) !== 0n || t.mask(t.get(0)) !== 0n) t.use('port');
  },
  in: giveDefined(RAX),
  loop,
  loope: loop,
  loopne: loop,
  jrcxz: (t) => t.useRegister(RCX, 'branch'),
  jmp: jump,
  call,
  cpuid: giveDefined(RAX, RCX, RDX, 3),
  rdtsc: giveDefined(RAX, RDX),
  rdtscp: giveDefined(RAX, RCX, RDX),
  rdmsr: giveDefined(RAX, RDX),
  wrmsr: (t) => {
    for (const reg of [RAX, RCX, RDX]) t.useRegister(reg, 'register', 32);
  },
  mov_to_cr: (t) => t.useRegister(t.get(1).reg, 'register'),
  mov_to_dr: (t) => t.useRegister(t.get(1).reg, 'register'),
};
