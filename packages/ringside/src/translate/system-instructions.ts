import { UnsupportedError } from '../bytes/index.ts';
import { type Instruction, printInstruction } from '../x86/index.ts';
import { effectiveAddress } from './accesses.ts';
import { type CpuException, VECTOR } from './cpu.ts';
import { EFER_SCE, ModelRegisters, MSR } from './model-registers.ts';
import {
  FLAG,
  R11,
  RAX,
  RBX,
  RCX,
  RDI,
  RDX,
  type RegisterFile,
  RSI,
  RSP,
  SLOT_FS_BASE,
  SLOT_GS_BASE,
  SLOT_RFLAGS,
  SLOT_RIP,
} from './register-file.ts';
import {
  type Descriptor,
  descriptorOf,
  FLAT_CODE,
  FLAT_DATA,
  isCode,
  isKnown,
  isReadable,
  isWritable,
  type TableRegister,
} from './segment-descriptors.ts';

/** Guest memory as instructions of the host reach it; the accesses of operands and of the stack are checked already. */
export interface SystemMemory {
  read(addr: bigint, size: number): bigint;
  write(addr: bigint, size: number, value: bigint): void;
}

/** What the rest of the machine does for instructions that reach beyond registers and memory. */
export interface SystemInstructions {
  /**
   * Makes the instruction: registers are exact, RIP stands on it and moves on afterwards (the engine does that).
   * Returns an exception to raise it. Throws `UnsupportedError` for what is not there.
   */
  execute(
    ins: Instruction,
    regs: RegisterFile,
    retired: number,
    memory: SystemMemory,
  ): CpuException | undefined;
}

/** Answers of `cpuid`: (leaf, subleaf) -> eax, ebx, ecx, edx. */
export type CpuidTable = (leaf: number, subleaf: number) => readonly [number, number, number, number];

/** A CPU without features beyond baseline x86-64. Deviation: the kernel's CPU model replaces it. */
const BASELINE_CPUID: CpuidTable = (leaf) => {
  switch (leaf) {
    case 0:
      return [1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69];
    case 1:
      return [0x663, 0x800, 0x2001, 0x078b_fbfd];
    case 0x8000_0000:
      return [0x8000_0001 | 0, 0, 0, 0];
    case 0x8000_0001:
      return [0x663, 0, 1, 0x2010_0800];
    default:
      return [0, 0, 0, 0];
  }
};

/** Bits of CR0 and CR4 that the CPU model has. Source: SDM vol. 3, 2.5. */
const CR0_KNOWN = 0xe005_003fn;
const CR0 = {
  PE: 1n,
  MP: 2n,
  EM: 4n,
  TS: 8n,
  ET: 0x10n,
  NW: 1n << 29n,
  CD: 1n << 30n,
  PG: 1n << 31n,
} as const;
const CR4_KNOWN = 0x7ffn;
const CR4 = { DE: 8n, PAE: 0x20n, PCE: 0x100n } as const;
const RFLAGS_CHANGEABLE = 0x24_7fd5n;
const VECTOR_NP = 11;
const VECTOR_SS = 12;

/**
 * A processor on its own, at privilege level 0: `cpuid` from a table, a time stamp counter that counts instructions, control,
 * debug and model-specific registers that keep what may be written, flat segments until a descriptor table is loaded, and an I/O bus
 * without devices. Leaving privilege level 0 is for the machine to give.
 */
export class BareSystem implements SystemInstructions {
  readonly #cpuid: CpuidTable;
  readonly #control = new Map<number, bigint>([
    [0, 0x8005_0033n],
    [2, 0n],
    [3, 0n],
    [4, 0x6f0n],
    [8, 0n],
  ]);
  readonly #debug = new Map<number, bigint>([
    [0, 0n],
    [1, 0n],
    [2, 0n],
    [3, 0n],
    [6, 0xffff_0ff0n],
    [7, 0x400n],
  ]);
  readonly #models = new ModelRegisters();
  #gdt: TableRegister | undefined;
  #idt: TableRegister = { limit: 0, base: 0n };
  #task = 0;

  constructor(cpuid: CpuidTable = BASELINE_CPUID) {
    this.#cpuid = cpuid;
  }

  execute(
    ins: Instruction,
    regs: RegisterFile,
    retired: number,
    memory: SystemMemory,
  ): CpuException | undefined {
    const gpr = ins.operands.find((o) => o.kind === 'reg')?.reg ?? RAX;
    switch (ins.name) {
      case 'cpuid': {
        const [a, b, c, d] = this.#cpuid(regs.u32(RAX), regs.u32(RCX));
        regs.setU32(RAX, a);
        regs.setU32(RBX, b);
        regs.setU32(RCX, c);
        regs.setU32(RDX, d);
        return undefined;
      }
      case 'rdtsc':
      case 'rdtscp': {
        const [, , , features] = this.#cpuid(0x8000_0001, 0);
        if (ins.name === 'rdtscp' && (features & (1 << 27)) === 0) return raise(VECTOR.UD);
        setPair(regs, this.#models.read(MSR.TSC, regs, retired)!);
        if (ins.name === 'rdtscp') regs.setU32(RCX, 0);
        return undefined;
      }
      case 'rdmsr': {
        const value = this.#models.read(regs.u32(RCX), regs, retired);
        if (value === undefined) return raise(VECTOR.GP);
        setPair(regs, value);
        return undefined;
      }
      case 'wrmsr': {
        const value = (BigInt(regs.u32(RDX)) << 32n) | BigInt(regs.u32(RAX));
        return this.#models.write(regs.u32(RCX), value, regs, retired) ? undefined : raise(VECTOR.GP);
      }
      // No counters: every number is out of range.
      case 'rdpmc':
        return raise(VECTOR.GP);
      case 'swapgs': {
        const base = regs.u64(SLOT_GS_BASE);
        regs.setU64(SLOT_GS_BASE, this.#models.read(MSR.KERNEL_GS_BASE, regs, retired)!);
        this.#models.write(MSR.KERNEL_GS_BASE, base, regs, retired);
        return undefined;
      }
      case 'mov_from_cr': {
        const value = this.#control.get(ins.operands.find((o) => o.kind === 'control')!.reg);
        if (value === undefined) return raise(VECTOR.UD);
        regs.setU64(gpr, value);
        return undefined;
      }
      case 'mov_to_cr':
        return this.#setControl(ins.operands.find((o) => o.kind === 'control')!.reg, regs.u64(gpr));
      case 'mov_from_dr':
      case 'mov_to_dr':
        return this.#debugRegister(ins, regs, gpr);
      case 'clts':
        this.#control.set(0, this.#control.get(0)! & ~CR0.TS);
        return undefined;
      case 'smsw':
        store(ins, regs, memory, this.#control.get(0)!);
        return undefined;
      case 'lmsw': {
        // PE can be set, not cleared.
        const cr0 = this.#control.get(0)!;
        this.#control.set(0, (cr0 & ~0xen) | (BigInt(load(ins, regs, memory)) & 0xfn));
        return undefined;
      }
      case 'sgdt':
        storeTable(ins, regs, memory, this.#gdt ?? { limit: 0, base: 0n });
        return undefined;
      case 'sidt':
        storeTable(ins, regs, memory, this.#idt);
        return undefined;
      case 'lgdt':
      case 'lidt': {
        const at = effectiveAddress(ins, regs);
        const base = memory.read(BigInt.asUintN(64, at + 2n), 8);
        if (!isCanonicalBase(base)) return raise(VECTOR.GP);
        const table = { limit: Number(memory.read(at, 2)), base };
        if (ins.name === 'lgdt') this.#gdt = table;
        else this.#idt = table;
        return undefined;
      }
      case 'sldt':
        store(ins, regs, memory, 0n);
        return undefined;
      case 'str':
        store(ins, regs, memory, BigInt(this.#task));
        return undefined;
      case 'lldt': {
        const selector = load(ins, regs, memory);
        if ((selector & 0xfffc) === 0) return undefined;
        const d = descriptorOf(selector, this.#gdt, memory);
        if (d === undefined || d.segment || d.type !== 2) return raise(VECTOR.GP, selector & 0xfffc);
        if (!d.present) return raise(VECTOR_NP, selector & 0xfffc);
        break;
      }
      case 'ltr': {
        const selector = load(ins, regs, memory);
        const d = descriptorOf(selector, this.#gdt, memory);
        if (d === undefined || d.segment || d.type !== 9) return raise(VECTOR.GP, selector & 0xfffc);
        if (!d.present) return raise(VECTOR_NP, selector & 0xfffc);
        this.#task = selector;
        return undefined;
      }
      case 'lar':
      case 'lsl':
      case 'verr':
      case 'verw':
        this.#inspect(ins, regs, memory);
        return undefined;
      case 'mov_to_seg': {
        const selector = load(ins, regs, memory);
        return this.#loadSegment(ins, ins.operands[0]!.reg, selector, regs, memory);
      }
      case 'pop_fs':
      case 'pop_gs': {
        const size = ins.operandSize >> 3;
        const selector = Number(memory.read(regs.u64(RSP), 2));
        const fault = this.#loadSegment(ins, ins.name === 'pop_fs' ? 4 : 5, selector, regs, memory);
        if (fault === undefined) regs.setU64(RSP, BigInt.asUintN(64, regs.u64(RSP) + BigInt(size)));
        return fault;
      }
      // A trap: it stands behind the instruction.
      case 'int':
        regs.setU64(SLOT_RIP, nextRip(ins));
        return raise(ins.operands[0]!.value & 0xff);
      case 'jmp_far':
      case 'call_far':
      case 'retf':
      case 'iret':
        return this.#transfer(ins, regs, memory);
      case 'syscall': {
        if ((this.#models.read(MSR.EFER, regs, retired)! & EFER_SCE) === 0n) return raise(VECTOR.UD);
        const flags = regs.u64(SLOT_RFLAGS);
        regs.setU64(RCX, nextRip(ins));
        regs.setU64(R11, flags);
        regs.setU64(SLOT_RFLAGS, (flags & ~this.#models.read(MSR.FMASK, regs, retired)!) | 2n);
        regs.setU64(SLOT_RIP, this.#models.read(MSR.LSTAR, regs, retired)!);
        return undefined;
      }
      case 'sysenter': {
        if ((this.#models.read(MSR.SYSENTER_CS, regs, retired)! & 0xfffcn) === 0n) return raise(VECTOR.GP);
        regs.setU64(SLOT_RFLAGS, regs.u64(SLOT_RFLAGS) & ~BigInt(FLAG.IF));
        regs.setU64(RSP, this.#models.read(MSR.SYSENTER_ESP, regs, retired)!);
        regs.setU64(SLOT_RIP, this.#models.read(MSR.SYSENTER_EIP, regs, retired)!);
        return undefined;
      }
      // Nothing answers: all lines are high.
      case 'in':
        writeAccumulator(ins, regs);
        return undefined;
      case 'out':
        return undefined;
      case 'ins':
      case 'outs':
        stringIo(ins, regs, memory);
        return undefined;
      // Of features that are not reported.
      case 'xgetbv':
      case 'xsetbv':
      case 'invpcid':
      case 'rdpid':
      case 'rdrand':
      case 'rdseed':
        return raise(VECTOR.UD);
      case 'hlt':
      case 'invlpg':
      case 'wbinvd':
      case 'invd':
        return undefined;
      default:
    }
    throw new UnsupportedError({ what: `instruction "${printInstruction(ins)}"` });
  }

  #setControl(number: number, value: bigint): CpuException | undefined {
    switch (number) {
      case 0: {
        // PG needs PE, NW needs CD, and PG cannot be cleared in 64-bit mode.
        const needed = CR0.PE | CR0.PG;
        const bad =
          value >> 32n !== 0n ||
          (value & needed) !== needed ||
          ((value & CR0.NW) !== 0n && (value & CR0.CD) === 0n);
        if (bad) return raise(VECTOR.GP);
        this.#control.set(0, (value & CR0_KNOWN) | CR0.ET);
        return undefined;
      }
      case 4:
        if ((value & ~CR4_KNOWN) !== 0n || (value & CR4.PAE) === 0n) return raise(VECTOR.GP);
        this.#control.set(4, value);
        return undefined;
      case 8:
        if (value > 15n) return raise(VECTOR.GP);
        this.#control.set(8, value);
        return undefined;
      case 3:
        if (value >> 52n !== 0n) return raise(VECTOR.GP);
        this.#control.set(3, value);
        return undefined;
      case 2:
        this.#control.set(2, value);
        return undefined;
      default:
        return raise(VECTOR.UD);
    }
  }

  #debugRegister(ins: Instruction, regs: RegisterFile, gpr: number): CpuException | undefined {
    let number = ins.operands.find((o) => o.kind === 'debug')!.reg;
    if (number > 7) return raise(VECTOR.UD);
    if (number === 4 || number === 5) {
      if ((this.#control.get(4)! & CR4.DE) !== 0n) return raise(VECTOR.UD);
      number += 2;
    }
    if (ins.name === 'mov_from_dr') {
      regs.setU64(gpr, this.#debug.get(number)!);
      return undefined;
    }
    let value = regs.u64(gpr);
    if (number >= 6) {
      if (value >> 32n !== 0n) return raise(VECTOR.GP);
      value = number === 6 ? (value & 0xe00fn) | 0xffff_0ff0n : (value & 0xffff_2bffn) | 0x400n;
    }
    this.#debug.set(number, value);
    return undefined;
  }

  /** `lar`, `lsl`, `verr`, `verw`: ZF tells whether the selector is good. */
  #inspect(ins: Instruction, regs: RegisterFile, memory: SystemMemory): void {
    const selector = load(ins, regs, memory, ins.operands.length - 1);
    const d = descriptorOf(selector, this.#gdt, memory);
    // Data and non-conforming code of less privilege only.
    const visible = d !== undefined && ((isCode(d) && (d.type & 4) !== 0) || d.privilege >= (selector & 3));
    let good = false;
    if (d !== undefined && visible) {
      if (ins.name === 'verr') good = isReadable(d);
      else if (ins.name === 'verw') good = isWritable(d);
      else good = isKnown(d, ins.name === 'lar');
      if (good && (ins.name === 'lar' || ins.name === 'lsl')) {
        const value = ins.name === 'lar' ? Number((d.bits >> 32n) & 0xff_ff00n) : d.limit;
        setRegister(regs, ins.operands[0]!.reg, ins.operands[0]!.size, value);
      }
    }
    const flags = regs.u64(SLOT_RFLAGS);
    regs.setU64(SLOT_RFLAGS, good ? flags | BigInt(FLAG.ZF) : flags & ~BigInt(FLAG.ZF));
  }

  #loadSegment(
    ins: Instruction,
    segment: number,
    selector: number,
    regs: RegisterFile,
    memory: SystemMemory,
  ): CpuException | undefined {
    if (segment === 1 || segment > 5) return raise(VECTOR.UD);
    const error = selector & 0xfffc;
    const null_ = error === 0;
    const setBase = (base: bigint): void => {
      if (segment === 4) regs.setU64(SLOT_FS_BASE, base);
      if (segment === 5) regs.setU64(SLOT_GS_BASE, base);
    };
    if (null_) {
      // SS may be null at privilege level 0 too; which one it is, is not kept.
      if (segment === 2)
        throw new UnsupportedError({ what: `instruction "${printInstruction(ins)}" (a null SS)` });
      setBase(0n);
      return undefined;
    }
    const d = descriptorOf(selector, this.#gdt, memory);
    if (d === undefined) return raise(VECTOR.GP, error);
    const privileged =
      segment === 2 ? (selector & 3) === 0 && d.privilege === 0 && isWritable(d) : isReadable(d);
    if (!privileged) return raise(VECTOR.GP, error);
    if (!d.present) return raise(segment === 2 ? VECTOR_SS : VECTOR_NP, error);
    if (segment === 2 && error === FLAT_DATA) return undefined;
    throw new UnsupportedError({
      what: `instruction "${printInstruction(ins)}" (selector ${selector.toString(16)}): segment registers are flat`,
    });
  }

  /** The code segment that a far transfer leads to; an exception when it cannot. */
  #codeSegment(ins: Instruction, selector: number, memory: SystemMemory): Descriptor | CpuException {
    const error = selector & 0xfffc;
    const d = descriptorOf(selector, this.#gdt, memory);
    if (d === undefined || !isCode(d)) return raise(VECTOR.GP, error);
    if (!d.present) return raise(VECTOR_NP, error);
    if (error !== FLAT_CODE || !d.long) {
      throw new UnsupportedError({
        what: `instruction "${printInstruction(ins)}" (selector ${selector.toString(16)}): only the flat code segment of privilege level 0`,
      });
    }
    return d;
  }

  #transfer(ins: Instruction, regs: RegisterFile, memory: SystemMemory): CpuException | undefined {
    const size = ins.operandSize >> 3;
    const word = (at: bigint, n = size): bigint => memory.read(BigInt.asUintN(64, at), n);
    const sp = regs.u64(RSP);
    if (ins.name === 'jmp_far' || ins.name === 'call_far') {
      const at = effectiveAddress(ins, regs);
      const target = word(at);
      const d = this.#codeSegment(ins, Number(word(at + BigInt(size), 2)), memory);
      if ('kind' in d) return d;
      if (!isCanonicalBase(target)) return raise(VECTOR.GP);
      if (ins.name === 'call_far') {
        memory.write(BigInt.asUintN(64, sp - BigInt(size)), size, BigInt(FLAT_CODE));
        memory.write(BigInt.asUintN(64, sp - BigInt(2 * size)), size, nextRip(ins));
        regs.setU64(RSP, BigInt.asUintN(64, sp - BigInt(2 * size)));
      }
      regs.setU64(SLOT_RIP, target);
      return undefined;
    }
    const step = BigInt(size);
    const target = word(sp);
    const d = this.#codeSegment(ins, Number(word(sp + step) & 0xffffn), memory);
    if ('kind' in d) return d;
    if (!isCanonicalBase(target)) return raise(VECTOR.GP);
    if (ins.name === 'retf') {
      const extra = BigInt((ins.operands[0]?.value ?? 0) & 0xffff);
      regs.setU64(RSP, BigInt.asUintN(64, sp + 2n * step + extra));
    } else {
      // In 64-bit mode the stack is always popped.
      const stack = word(sp + 4n * step) & 0xffffn;
      if (stack !== BigInt(FLAT_DATA) && stack !== 0n) return raise(VECTOR.GP, Number(stack) & 0xfffc);
      const mask = size === 2 ? RFLAGS_CHANGEABLE & 0xffffn : RFLAGS_CHANGEABLE;
      regs.setU64(SLOT_RFLAGS, (regs.u64(SLOT_RFLAGS) & ~mask) | (word(sp + 2n * step) & mask) | 2n);
      regs.setU64(RSP, word(sp + 3n * step));
    }
    regs.setU64(SLOT_RIP, target);
    return undefined;
  }
}

function raise(vector: number, errorCode = 0): CpuException {
  return { kind: 'exception', vector, errorCode };
}

function nextRip(ins: Instruction): bigint {
  return BigInt.asUintN(64, BigInt(ins.addr + ins.length));
}

function isCanonicalBase(value: bigint): boolean {
  const top = BigInt.asIntN(64, value) >> 47n;
  return top === 0n || top === -1n;
}

/** EDX:EAX. */
function setPair(regs: RegisterFile, value: bigint): void {
  regs.setU32(RAX, Number(value & 0xffff_ffffn));
  regs.setU32(RDX, Number(value >> 32n));
}

function setRegister(regs: RegisterFile, reg: number, size: number, value: number): void {
  if (size === 16) regs.setU64(reg, (regs.u64(reg) & ~0xffffn) | BigInt(value & 0xffff));
  else regs.setU32(reg, value);
}

/** The 16 bits of a register or of memory. */
function load(ins: Instruction, regs: RegisterFile, memory: SystemMemory, k = -1): number {
  const o = k < 0 ? ins.operands.find(({ kind }) => kind === 'reg' || kind === 'mem')! : ins.operands[k]!;
  if (o.kind === 'mem') return Number(memory.read(effectiveAddress(ins, regs), 2));
  return Number(regs.u64(o.reg) & 0xffffn);
}

/** To memory 16 bits, to a register as many as the operand size says. */
function store(ins: Instruction, regs: RegisterFile, memory: SystemMemory, value: bigint): void {
  const o = ins.operands[0]!;
  if (o.kind === 'mem') memory.write(effectiveAddress(ins, regs), 2, value & 0xffffn);
  else if (ins.operandSize === 64) regs.setU64(o.reg, value);
  else setRegister(regs, o.reg, ins.operandSize, Number(value & 0xffff_ffffn));
}

function storeTable(ins: Instruction, regs: RegisterFile, memory: SystemMemory, table: TableRegister): void {
  const at = effectiveAddress(ins, regs);
  memory.write(at, 2, BigInt(table.limit));
  memory.write(BigInt.asUintN(64, at + 2n), 8, table.base);
}

function writeAccumulator(ins: Instruction, regs: RegisterFile): void {
  const { size } = ins.operands[0]!;
  if (size === 32) regs.setU32(RAX, 0xffff_ffff);
  else regs.setU64(RAX, regs.u64(RAX) | (size === 16 ? 0xffffn : 0xffn));
}

/** One round of `ins` or `outs`; RIP stays when there are more. */
function stringIo(ins: Instruction, regs: RegisterFile, memory: SystemMemory): void {
  const byte = ins.encoding.operands.some((o) => o.size === 'b' || o.kind === 'b');
  const size = byte ? 1 : Math.min(4, ins.operandSize >> 3);
  const cut = (value: bigint): bigint => BigInt.asUintN(ins.address32 ? 32 : 64, value);
  const repeats = ins.rep || ins.repne;
  if (repeats && cut(regs.u64(RCX)) === 0n) return;
  const pointer = ins.name === 'ins' ? RDI : RSI;
  if (ins.name === 'ins') memory.write(cut(regs.u64(RDI)), size, (1n << BigInt(8 * size)) - 1n);
  const step = (regs.u32(SLOT_RFLAGS) & FLAG.DF) !== 0 ? -size : size;
  regs.setU64(pointer, cut(regs.u64(pointer) + BigInt(step)));
  if (!repeats) return;
  const left = cut(regs.u64(RCX) - 1n);
  regs.setU64(RCX, left);
}
