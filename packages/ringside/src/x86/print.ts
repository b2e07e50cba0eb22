import { addrToU64 } from '../bytes/index.ts';
import { FS, GS, type Instruction, NO_REGISTER, type Operand } from './instruction.ts';

const NAMES = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const HIGH = ['ah', 'ch', 'dh', 'bh'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', '?', '?'];

/** The register's name as the manuals have it: `rax`, `r8d`, `sil`. */
export function registerName(reg: number, size = 64, high = false): string {
  if (high) return HIGH[reg]!;
  if (reg >= 8) return `r${reg}${size === 64 ? '' : size === 32 ? 'd' : size === 16 ? 'w' : 'b'}`;
  const name = NAMES[reg]!;
  if (size === 64) return `r${name}`;
  if (size === 32) return `e${name}`;
  if (size === 16) return name;
  return reg < 4 ? `${name[0]}l` : `${name}l`;
}

/** Names in the table that say more than the mnemonic. */
const MNEMONIC: Readonly<Record<string, string>> = {
  imul1: 'imul',
  imul2: 'imul',
  imul3: 'imul',
  mov_from_seg: 'mov',
  mov_to_seg: 'mov',
  mov_from_cr: 'mov',
  mov_to_cr: 'mov',
  mov_from_dr: 'mov',
  mov_to_dr: 'mov',
  push_fs: 'push %fs',
  pop_fs: 'pop %fs',
  push_gs: 'push %gs',
  pop_gs: 'pop %gs',
  fnstsw_ax: 'fnstsw %ax',
};

const SUFFIX: Readonly<Record<number, string>> = { 8: 'b', 16: 'w', 32: 'l', 64: 'q' };

function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function unsignedHex(addr: number): string {
  return `0x${addrToU64(addr).toString(16)}`;
}

function memoryText(ins: Instruction): string {
  const segment = ins.segment === FS ? '%fs:' : ins.segment === GS ? '%gs:' : '';
  const width = ins.address32 ? 32 : 64;
  if (ins.ripRelative) return `${segment}${unsignedHex(ins.displacement)}(%rip)`;
  if (ins.base === NO_REGISTER && ins.index === NO_REGISTER)
    return `${segment}${unsignedHex(ins.displacement)}`;
  const base = ins.base === NO_REGISTER ? '' : `%${registerName(ins.base, width)}`;
  const index = ins.index === NO_REGISTER ? '' : `,%${registerName(ins.index, width)},${1 << ins.scale}`;
  return `${segment}${ins.displacement === 0 ? '' : hex(ins.displacement)}(${base}${index})`;
}

function operandText(
  ins: Instruction,
  operand: Operand,
  symbol: (addr: number) => string | undefined,
): string {
  switch (operand.kind) {
    case 'reg':
      return `%${registerName(operand.reg, operand.size, operand.high)}`;
    case 'mem':
      return memoryText(ins);
    case 'imm':
      return `$${hex(operand.big ?? operand.value)}`;
    case 'rel':
      return symbol(operand.value) ?? unsignedHex(operand.value);
    case 'segment':
      return `%${SEGMENTS[operand.reg]}`;
    case 'control':
      return `%cr${operand.reg}`;
    case 'debug':
      return `%db${operand.reg}`;
    case 'xmm':
      return `%xmm${operand.reg}`;
    case 'mmx':
      return `%mm${operand.reg}`;
    case 'st':
      return operand.reg === 0 ? '%st' : `%st(${operand.reg})`;
  }
}

/** The table's operation as a mnemonic. */
export function mnemonic(ins: Instruction): string {
  if (ins.name === 'cbw') return ins.operandSize === 64 ? 'cltq' : ins.operandSize === 32 ? 'cwtl' : 'cbtw';
  if (ins.name === 'cwd') return ins.operandSize === 64 ? 'cqto' : ins.operandSize === 32 ? 'cltd' : 'cwtd';
  const repeated = ins.encoding.repeatable
    ? ins.rep
      ? ins.name === 'cmps' || ins.name === 'scas'
        ? 'repz '
        : 'rep '
      : ins.repne
        ? 'repnz '
        : ''
    : '';
  return `${ins.lock ? 'lock ' : ''}${repeated}${MNEMONIC[ins.name] ?? ins.name}`;
}

/** The instruction in AT&T syntax, close to objdump's. `symbol` names branch targets. */
export function printInstruction(
  ins: Instruction,
  symbol: (addr: number) => string | undefined = () => undefined,
): string {
  if (ins.name === 'xchg' && ins.encoding.plusRegister && ins.operands[0] === ins.operands[1]) return 'nop';
  const operands = ins.operands.map((o) => operandText(ins, o, symbol));
  let name = mnemonic(ins);
  const memory = ins.operands.find((o) => o.kind === 'mem');
  if (
    memory !== undefined &&
    !ins.operands.some((o) => o.kind === 'reg' || o.kind === 'xmm' || o.kind === 'mmx') &&
    memory.size in SUFFIX
  ) {
    name += SUFFIX[memory.size]!;
  }
  if (ins.encoding.repeatable)
    name += ins.encoding.operands[0]!.kind === 'b' ? 'b' : SUFFIX[ins.operandSize]!;
  const indirect = (ins.name === 'call' || ins.name === 'jmp') && ins.operands[0]!.kind !== 'rel' ? '*' : '';
  return operands.length === 0 ? name : `${name} ${indirect}${operands.reverse().join(',')}`;
}
