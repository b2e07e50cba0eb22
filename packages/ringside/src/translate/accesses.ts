import { addrFromU64, addrToU64, type GuestAddr } from '../bytes/index.ts';
import { FS, type Instruction, NO_REGISTER } from '../x86/index.ts';
import {
  FPU_ST,
  FPU_XMM,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  type RegisterFile,
  RSI,
  RSP,
  SLOT_FS_BASE,
  SLOT_GS_BASE,
} from './register-file.ts';

/** An access that an instruction makes, in the order in which the CPU makes them. */
export interface DataAccess {
  readonly addr: GuestAddr;
  readonly size: number;
  readonly access: 'read' | 'write';
  /** Through the stack segment: a non-canonical address raises #SS, not #GP. */
  readonly stack: boolean;
}

const WRITES = new Set(
  'mov movnti pop movbe mov_from_seg sgdt sidt fxsave stmxcsr sldt str smsw fst fstp fist fistp fisttp fbstp fnstcw fnstsw fnstenv fnsave'.split(
    ' ',
  ),
);
const MODIFIES = new Set(
  'add or adc sbb and sub xor inc dec neg not shl shr sar rol ror rcl rcr shld shrd bts btr btc xchg xadd cmpxchg cmpxchg8b cmpxchg16b'.split(
    ' ',
  ),
);
/** Bytes of memory areas whose operand has no size. */
const AREAS: Readonly<Record<string, number>> = {
  fxsave: 512,
  fxrstor: 512,
  fldenv: 28,
  fnstenv: 28,
  fnsave: 108,
  sgdt: 10,
  sidt: 10,
  lgdt: 10,
  lidt: 10,
  frstor: 108,
};
/** Environments have 16-bit forms; far pointers are an offset and a selector. */
function areaBytes(ins: Instruction): number | undefined {
  if (ins.name.endsWith('_far')) return (ins.operandSize >> 3) + 2;
  const bytes = AREAS[ins.name];
  const short = ins.operandSize === 16 && ins.encoding.family === 'x87';
  return bytes !== undefined && short ? bytes - 14 : bytes;
}

/** Accesses of 16 bytes that need no alignment. */
const UNALIGNED = new Set('movups movupd movdqu lddqu'.split(' '));

/** Whether the instruction's memory operand of `bytes` bytes has to be aligned. */
export function needsAlignment(ins: Instruction, bytes: number): boolean {
  return bytes === 16 && ins.encoding.family === 'simd' && !UNALIGNED.has(ins.name);
}

const NO_ACCESS = new Set(
  'lea nop prefetch prefetchw invlpg clflush clflushopt clwb ud1 ud0 endbr64'.split(' '),
);

/** The linear address of the memory operand, from the registers before the instruction. */
export function effectiveAddress(ins: Instruction, regs: RegisterFile): bigint {
  let ea =
    ins.ripRelative || (ins.base === NO_REGISTER && ins.index === NO_REGISTER)
      ? addrToU64(ins.displacement)
      : BigInt(ins.displacement);
  if (ins.base !== NO_REGISTER) ea += regs.u64(ins.base);
  if (ins.index !== NO_REGISTER) ea += regs.u64(ins.index) << BigInt(ins.scale);
  if (ins.address32) ea = BigInt.asUintN(32, ea);
  return segmented(ins, regs, ea);
}

function segmented(ins: Instruction, regs: RegisterFile, ea: bigint): bigint {
  if (ins.segment === NO_REGISTER) return BigInt.asUintN(64, ea);
  return BigInt.asUintN(64, ea + regs.u64(ins.segment === FS ? SLOT_FS_BASE : SLOT_GS_BASE));
}

/** All data accesses of one instruction (of one round of a `rep`), from the registers before it. */
export function accessesOf(ins: Instruction, regs: RegisterFile): DataAccess[] {
  const list: DataAccess[] = [];
  const add = (addr: bigint, size: number, access: 'read' | 'write', stack = false): void => {
    list.push({ addr: addrFromU64(addr), size, access, stack });
  };
  const word = ins.operandSize >> 3;
  const push = (size = word): void =>
    add(BigInt.asUintN(64, regs.u64(RSP) - BigInt(size)), size, 'write', true);
  if (ins.encoding.repeatable) {
    stringAccesses(ins, regs, add);
    return list;
  }
  const index = ins.operands.findIndex((o) => o.kind === 'mem');
  if (index >= 0 && !NO_ACCESS.has(ins.name)) {
    const size =
      ins.name === 'cmpxchg8b'
        ? 8
        : ins.name === 'cmpxchg16b'
          ? 16
          : (areaBytes(ins) ?? Math.max(1, ins.operands[index]!.size >> 3));
    let ea = effectiveAddress(ins, regs);
    if (ins.name[0] === 'b' && ins.name[1] === 't' && ins.operands[1]!.kind === 'reg') {
      const bits = BigInt.asIntN(ins.operandSize, regs.u64(ins.operands[1]!.reg));
      const unit = BigInt(ins.operandSize);
      const wordIndex = bits >= 0n ? bits / unit : -((-bits + unit - 1n) / unit);
      ea = BigInt.asUintN(64, ea + wordIndex * BigInt(word));
    }
    const stack = (ins.base === RSP || ins.base === RBP) && ins.segment === NO_REGISTER;
    if (ins.name === 'pop') {
      add(regs.u64(RSP), size, 'read', true);
      add(ins.base === RSP ? BigInt.asUintN(64, ea + BigInt(size)) : ea, size, 'write', stack);
      return list;
    }
    // Which is looked at before anything else: the instruction makes no access, but raises #GP.
    if (needsAlignment(ins, size) && (ea & 15n) !== 0n) return list;
    const vector = ins.encoding.family === 'simd' || ins.encoding.family === 'mmx';
    const writes = (index === 0 && (vector || WRITES.has(ins.name))) || ins.name.startsWith('set');
    // A source in memory is only read, except that both operands of these are written.
    const modifies = MODIFIES.has(ins.name) && (index === 0 || ins.name === 'xchg' || ins.name === 'xadd');
    add(ea, size, writes || modifies ? 'write' : 'read', stack);
  }
  switch (ins.name) {
    case 'push':
    case 'pushf':
    case 'push_fs':
    case 'push_gs':
      push();
      break;
    case 'enter':
      enterAccesses(ins, regs, add);
      break;
    case 'call':
      push(8);
      break;
    case 'pop':
    case 'popf':
    case 'pop_fs':
    case 'pop_gs':
      add(regs.u64(RSP), word, 'read', true);
      break;
    case 'ret':
      add(regs.u64(RSP), 8, 'read', true);
      break;
    case 'call_far':
      push(2 * word);
      break;
    case 'retf':
      add(regs.u64(RSP), 2 * word, 'read', true);
      break;
    case 'iret':
      add(regs.u64(RSP), 5 * word, 'read', true);
      break;
    case 'leave':
      add(regs.u64(RBP), word, 'read', true);
      break;
    case 'maskmovdqu':
    case 'maskmovq':
      for (const at of maskedBytes(ins, regs)) add(at, 1, 'write');
      break;
    case 'xlat': {
      const at = regs.u64(RBX) + (regs.u64(RAX) & 0xffn);
      add(segmented(ins, regs, ins.address32 ? BigInt.asUintN(32, at) : BigInt.asUintN(64, at)), 1, 'read');
      break;
    }
    default:
  }
  return list;
}

function enterAccesses(
  ins: Instruction,
  regs: RegisterFile,
  add: (addr: bigint, size: number, access: 'read' | 'write', stack: boolean) => void,
): void {
  const word = ins.operandSize >> 3;
  const level = ins.operands[1]!.value & 31;
  const below = (register: number, words: number): bigint =>
    BigInt.asUintN(64, regs.u64(register) - BigInt(word * words));
  add(below(RSP, 1), word, 'write', true);
  for (let i = 1; i < level; i++) {
    add(below(RBP, i), word, 'read', true);
    add(below(RSP, i + 1), word, 'write', true);
  }
  if (level > 0) add(below(RSP, level + 1), word, 'write', true);
}

/** Where `maskmovdqu` and `maskmovq` store: bytes at RDI whose byte in the mask is negative. */
function maskedBytes(ins: Instruction, regs: RegisterFile): bigint[] {
  const mask = ins.operands[1]!;
  const first = mask.kind === 'xmm' ? FPU_XMM + 16 * mask.reg : FPU_ST + 16 * mask.reg;
  const target = ins.address32 ? BigInt.asUintN(32, regs.u64(RDI)) : regs.u64(RDI);
  const base = segmented(ins, regs, target);
  const list: bigint[] = [];
  for (let i = 0; i < (mask.kind === 'xmm' ? 16 : 8); i++) {
    const half = regs.fpu[(first >> 3) + (i >> 3)]!;
    if ((half >> BigInt(8 * (i & 7) + 7)) & 1n) list.push(BigInt.asUintN(64, base + BigInt(i)));
  }
  return list;
}

function stringAccesses(
  ins: Instruction,
  regs: RegisterFile,
  add: (addr: bigint, size: number, access: 'read' | 'write') => void,
): void {
  const size = ins.encoding.operands[0]!.kind === 'b' ? 1 : ins.operandSize >> 3;
  const cut = (value: bigint): bigint => (ins.address32 ? BigInt.asUintN(32, value) : value);
  if ((ins.rep || ins.repne) && cut(regs.u64(RCX)) === 0n) return;
  const source = segmented(ins, regs, cut(regs.u64(RSI)));
  const target = cut(regs.u64(RDI));
  switch (ins.name) {
    case 'movs':
      add(source, size, 'read');
      add(target, size, 'write');
      break;
    case 'cmps':
      add(target, size, 'read');
      add(source, size, 'read');
      break;
    case 'lods':
    case 'outs':
      add(source, size, 'read');
      break;
    case 'stos':
    case 'ins':
      add(target, size, 'write');
      break;
    default:
      add(target, size, 'read');
  }
}
