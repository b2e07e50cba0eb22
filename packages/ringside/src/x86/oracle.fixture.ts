import * as iced from 'iced-x86';
import { type Instruction, NO_REGISTER, type Operand } from './index.ts';

/** Names that differ from the oracle's on purpose: our operations, its mnemonics. */
const NAMES: Readonly<Record<string, RegExp>> = {
  imul1: /^Imul$/,
  imul2: /^Imul$/,
  imul3: /^Imul$/,
  cbw: /^(Cbw|Cwde|Cdqe)$/,
  cwd: /^(Cwd|Cdq|Cqo)$/,
  mov_from_seg: /^Mov$/,
  mov_to_seg: /^Mov$/,
  mov_from_cr: /^Mov$/,
  mov_to_cr: /^Mov$/,
  mov_from_dr: /^Mov$/,
  mov_to_dr: /^Mov$/,
  push_fs: /^Push$/,
  pop_fs: /^Pop$/,
  push_gs: /^Push$/,
  pop_gs: /^Pop$/,
  shl: /^(Shl|Sal)$/,
  fstp: /^Fstp(nce)?$/,
  fnstsw_ax: /^Fnstsw$/,
  fwait: /^Wait$/,
  call_far: /^Call$/,
  jmp_far: /^Jmp$/,
  prefetch: /^(Prefetch.*|Nop|Reservednop)$/,
  xlat: /^Xlatb$/,
  xchg: /^(Xchg|Nop)$/,
  prefetchw: /^Prefetchw?$/,
  movd: /^Mov[dq]$/,
  nop: /^(Nop|Reservednop|Bnd.*|Cldemote|Rdssp.*|Endbr.*|Seg.*)$/,
  jrcxz: /^J[re]?cxz$/,
};

/** The other decoder's names. */
export const MNEMONICS = new Map<number, string>();
for (const [name, value] of Object.entries(iced.Mnemonic))
  if (typeof value === 'number') MNEMONICS.set(value, name);

/** Whether the other decoder's mnemonic is our operation. */
export function agrees(ours: Instruction, theirs: string): boolean {
  const named = NAMES[ours.name];
  if (named !== undefined) return named.test(theirs);
  if (ours.encoding.repeatable) return theirs.toLowerCase().startsWith(ours.name);
  const plain = theirs.toLowerCase();
  return plain === ours.name || plain.replace(/[dq]$/, '') === ours.name || plain === `${ours.name}64`;
}

const { Register, OpKind } = iced;

/** A register of the other decoder as kind, size and number. */
function registerForm(register: number): string {
  const within = (first: number, count: number): number =>
    register >= first && register < first + count ? register - first : -1;
  for (const [size, first] of [
    [64, Register.RAX],
    [32, Register.EAX],
    [16, Register.AX],
  ] as const) {
    const n = within(first, 16);
    if (n >= 0) return `r${size}.${n}`;
  }
  const byte = within(Register.AL, 20);
  if (byte >= 0) return byte < 4 ? `r8.${byte}` : byte < 8 ? `high.${byte - 4}` : `r8.${byte - 4}`;
  for (const [name, first, count] of [
    ['xmm', Register.XMM0, 16],
    ['mmx', Register.MM0, 8],
    ['st', Register.ST0, 8],
    ['segment', Register.ES, 6],
    ['control', Register.CR0, 16],
    ['debug', Register.DR0, 16],
  ] as const) {
    const n = within(first, count);
    if (n >= 0) return `${name}.${n}`;
  }
  return `register ${register}`;
}

function addressForm(register: number): string {
  return register === Register.None ? '-' : registerForm(register);
}

/** Of immediates that are not extended: ours all have a sign. */
const IMMEDIATE_BITS: Readonly<Record<number, number>> = {
  [OpKind.Immediate8]: 8,
  [OpKind.Immediate8_2nd]: 8,
  [OpKind.Immediate16]: 16,
  [OpKind.Immediate32]: 32,
};

/** The other decoder's operands, in the form of `formOf`. */
export function formOfOther(ins: iced.Instruction): string[] {
  const forms: string[] = [];
  for (let i = 0; i < ins.opCount; i++) {
    const kind = ins.opKind(i);
    if (kind === OpKind.Register) forms.push(registerForm(ins.opRegister(i)));
    else if (kind === OpKind.Memory) {
      const rip = ins.memoryBase === Register.RIP || ins.memoryBase === Register.EIP;
      const prefix = ins.segmentPrefix;
      const segment = prefix === Register.FS ? ' fs' : prefix === Register.GS ? ' gs' : '';
      const index = addressForm(ins.memoryIndex);
      const scale = index === '-' ? 1 : ins.memoryIndexScale;
      const base = rip ? 'rip' : addressForm(ins.memoryBase);
      forms.push(`mem ${base} ${index}*${scale} ${BigInt.asIntN(64, ins.memoryDisplacement)}${segment}`);
    } else if (kind === OpKind.NearBranch64) forms.push(`to ${BigInt.asIntN(64, ins.nearBranch64)}`);
    else if (kind >= OpKind.Immediate8 && kind <= OpKind.Immediate32to64)
      forms.push(`imm ${BigInt.asIntN(IMMEDIATE_BITS[kind] ?? 64, ins.immediate(i))}`);
    else forms.push(`kind ${kind}`);
  }
  return forms;
}

function operandForm(ins: Instruction, o: Operand): string {
  switch (o.kind) {
    case 'reg':
      return o.high ? `high.${o.reg}` : `r${o.size}.${o.reg}`;
    case 'mem': {
      const bits = ins.address32 ? 32 : 64;
      const name = (reg: number): string => (reg === NO_REGISTER ? '-' : `r${bits}.${reg}`);
      const segment = ins.segment === 4 ? ' fs' : ins.segment === 5 ? ' gs' : '';
      const base = ins.ripRelative ? 'rip' : name(ins.base);
      const scale = ins.index === NO_REGISTER ? 1 : 1 << ins.scale;
      return `mem ${base} ${name(ins.index)}*${scale} ${ins.displacement}${segment}`;
    }
    case 'imm':
      return `imm ${o.big === undefined ? o.value : BigInt.asIntN(64, o.big)}`;
    case 'rel':
      return `to ${o.value}`;
    default:
      return `${o.kind}.${o.reg}`;
  }
}

/** Our operands, each with all that it says. */
export function formOf(ins: Instruction): string[] {
  return ins.operands.map((o) => operandForm(ins, o));
}
