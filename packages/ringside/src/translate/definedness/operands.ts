import { addrFromU64, type GuestAddr } from '../../bytes/index.ts';
import type { Origin, TrackedMemory } from '../../memory/index.ts';
import { type Instruction, NO_REGISTER, type Operand } from '../../x86/index.ts';
import { effectiveAddress } from '../accesses.ts';
import { type RegisterFile, RSP } from '../register-file.ts';
import { type Bits, ones, signExtend } from './bit-rules.ts';
import { RegisterDefinedness } from './register-definedness.ts';

/** What an undefined value has decided. `read`: a function of ours has looked at memory. */
export type Use =
  | 'branch'
  | 'address'
  | 'jump'
  | 'divisor'
  | 'count'
  | 'port'
  | 'register'
  | 'argument'
  | 'read';

/** Where the tracker's findings go. */
export interface DefinednessHost {
  /** An undefined value decides something; the instruction has not been made yet. */
  used(use: Use, origin: Origin): void;
  /** Bits with this origin are stored to memory: the origin that they have there. */
  stored(origin: Origin): Origin;
  /** The register to which the image's thunk at this address jumps; undefined when there is none. */
  thunkRegister(target: GuestAddr): number | undefined;
  /** The instruction at `place` made room on the stack; RIP stands behind it. */
  frame(place: GuestAddr): Origin;
}

/** Reads and writes the operands of the instruction that is looked at: values, and which of their bits are undefined. */
export class TrackedOperands {
  readonly registers = new RegisterDefinedness();
  readonly memory: TrackedMemory;
  readonly regs: RegisterFile;
  readonly host: DefinednessHost;
  ins!: Instruction;
  /** The memory operand's address, as an offset in the guest's memory. */
  at = 0;
  /** Of the undefined bits that were read last. */
  origin: Origin = 0;

  constructor(memory: TrackedMemory, regs: RegisterFile, host: DefinednessHost) {
    this.memory = memory;
    this.regs = regs;
    this.host = host;
  }

  begin(ins: Instruction): void {
    this.ins = ins;
    this.origin = 0;
    if (ins.memory < 0) return;
    let ea = effectiveAddress(ins, this.regs);
    const bit = ins.operands[1];
    if (ins.name[0] === 'b' && ins.name[1] === 't' && bit?.kind === 'reg') {
      const index = BigInt.asIntN(ins.operandSize, this.regs.u64(bit.reg));
      ea +=
        (index >> BigInt(ins.operandSize === 16 ? 4 : ins.operandSize === 32 ? 5 : 6)) *
        BigInt(ins.operandSize >> 3);
    }
    this.at = addrFromU64(BigInt.asUintN(64, ea)) >>> 0;
  }

  get(i: number): Operand {
    return this.ins.operands[i]!;
  }

  /** The undefined bits of an operand. */
  mask(operand: Operand): bigint {
    switch (operand.kind) {
      case 'reg': {
        const mask = this.registers.read(operand);
        if (mask !== 0n) this.origin = this.registers.origins[operand.reg]!;
        return mask;
      }
      case 'xmm': {
        const mask = this.registers.vectors[operand.reg]! & ones(operand.size);
        if (mask !== 0n) this.origin = this.registers.vectorOrigins[operand.reg]!;
        return mask;
      }
      case 'mem':
        return this.memoryMask(this.at, operand.size >> 3);
      default:
        return 0n;
    }
  }

  memoryMask(at: number, size: number): bigint {
    const { definedness } = this.memory;
    const mask = definedness.mask(at, size);
    if (mask !== 0n) this.origin = definedness.originOf(at, size);
    return mask;
  }

  registerMask(reg: number, width: number): bigint {
    const mask = this.registers.masks[reg]! & ones(width);
    if (mask !== 0n) this.origin = this.registers.origins[reg]!;
    return mask;
  }

  bits(operand: Operand): Bits {
    const mask = this.mask(operand);
    return { mask, value: this.#value(operand) };
  }

  registerBits(reg: number, width: number): Bits {
    return { mask: this.registerMask(reg, width), value: this.regs.u64(reg) & ones(width) };
  }

  memoryBits(at: number, size: number): Bits {
    return { mask: this.memoryMask(at, size), value: this.#load(at, size) };
  }

  #value(operand: Operand): bigint {
    switch (operand.kind) {
      case 'reg':
        return (this.regs.u64(operand.reg) >> (operand.high ? 8n : 0n)) & ones(operand.size);
      case 'mem':
        return this.#load(this.at, operand.size >> 3);
      case 'imm':
        return BigInt.asUintN(this.ins.operands[0]!.size, operand.big ?? BigInt(operand.value));
      default:
        return 0n;
    }
  }

  #load(at: number, size: number): bigint {
    const { raw } = this.memory;
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[(at + i) >>> 0]!);
    return value;
  }

  write(operand: Operand, mask: bigint): void {
    if (operand.kind === 'reg') this.registers.write(operand, mask, this.origin);
    else if (operand.kind === 'mem') this.store(this.at, operand.size >> 3, mask, this.#isOwnFrame);
  }

  /** `spill`: the function keeps it on its own stack, which says nothing about where the value went. */
  store(at: number, size: number, mask: bigint, spill = false): void {
    const { definedness } = this.memory;
    if (mask === 0n) definedness.define(at, size);
    else definedness.setMask(at, size, mask, spill ? this.origin : this.host.stored(this.origin));
  }

  get #isOwnFrame(): boolean {
    return this.ins.base === RSP && this.ins.segment === NO_REGISTER;
  }

  /** Reports a use of what was read last. */
  use(what: Use): void {
    this.host.used(what, this.origin);
  }

  /** Registers that make an address are told once: from here on they count as defined. */
  useRegister(reg: number, what: Use, width = 64): void {
    if (this.registerMask(reg, width) === 0n) return;
    this.use(what);
    this.registers.masks[reg] = 0n;
  }

  signExtended(operand: Operand, to: number): bigint {
    return signExtend(this.mask(operand), operand.size, to);
  }
}
