import { addrFromU64, addrToU64, asAddr, type GuestAddr } from '../../../bytes/index.ts';
import type { GuestMemory } from '../../../memory/index.ts';
import { R8, R9, RCX, RDI, RDX, type RegisterFile, RSI } from '../../../translate/index.ts';

/**
 * Where the variable arguments of a call come from, one 8-byte slot after the other. The kernel passes no floating
 * point, so every argument is an integer or a pointer.
 */
export interface VariableArguments {
  /** The next argument as `int`: its lower 32 bits, signed. */
  i32(): number;
  /** All 64 bits, unsigned. */
  u64(): bigint;
  addr(): GuestAddr;
}

const ORDER = [RDI, RSI, RDX, RCX, R8, R9] as const;

/**
 * The variable arguments of the native call that runs: after `fixed` named ones, the rest of the six registers,
 * then the caller's stack above the return address. Source: System V psABI x86-64, 3.2.3.
 *
 * Preconditions: the registers have not changed since the guest made the call.
 */
export class RegisterArguments implements VariableArguments {
  readonly #regs: RegisterFile;
  readonly #memory: GuestMemory;
  #index: number;

  constructor(regs: RegisterFile, memory: GuestMemory, fixed: number) {
    this.#regs = regs;
    this.#memory = memory;
    this.#index = fixed;
  }

  #register(width: number): number {
    const slot = ORDER[this.#index++]!;
    this.#regs.onArgument?.(slot, width);
    return slot;
  }

  #stackSlot(): GuestAddr {
    return asAddr(this.#regs.rsp + 8 + 8 * (this.#index++ - ORDER.length));
  }

  i32(): number {
    if (this.#index < ORDER.length) return this.#regs.i32(this.#register(32));
    return this.#memory.readI32(this.#stackSlot());
  }

  u64(): bigint {
    if (this.#index < ORDER.length) return this.#regs.u64(this.#register(64));
    return this.#memory.readU64(this.#stackSlot());
  }

  addr(): GuestAddr {
    if (this.#index < ORDER.length) return this.#regs.addr(this.#register(64));
    return this.#memory.readPtr(this.#stackSlot());
  }
}

/** Offsets in `va_list`, and where its register save area ends. Source: psABI x86-64, figure 3.34. */
const VA_GP_OFFSET = 0;
const VA_OVERFLOW_ARG_AREA = 8;
const VA_REG_SAVE_AREA = 16;
const GP_END = 48;

/**
 * The arguments of a `va_list` in guest memory. The list itself is not changed until `commit`: a caller that
 * formats a copy (`va_copy`) just leaves that out.
 */
export class VaListArguments implements VariableArguments {
  readonly #memory: GuestMemory;
  readonly #list: GuestAddr;
  readonly #saved: GuestAddr;
  #gpOffset: number;
  #overflow: GuestAddr;

  constructor(memory: GuestMemory, list: GuestAddr) {
    this.#memory = memory;
    this.#list = list;
    this.#gpOffset = memory.readU32(list);
    this.#overflow = memory.readPtr(asAddr(list + VA_OVERFLOW_ARG_AREA));
    this.#saved = memory.readPtr(asAddr(list + VA_REG_SAVE_AREA));
  }

  #slot(): GuestAddr {
    if (this.#gpOffset < GP_END) {
      const slot = asAddr(this.#saved + this.#gpOffset);
      this.#gpOffset += 8;
      return slot;
    }
    const slot = this.#overflow;
    this.#overflow = asAddr(this.#overflow + 8);
    return slot;
  }

  i32(): number {
    return this.#memory.readI32(this.#slot());
  }

  u64(): bigint {
    return this.#memory.readU64(this.#slot());
  }

  addr(): GuestAddr {
    return this.#memory.readPtr(this.#slot());
  }

  /** Stores how far the list has been read, as the callee that was handed it does. */
  commit(): void {
    this.#memory.writeU32(asAddr(this.#list + VA_GP_OFFSET), this.#gpOffset);
    this.#memory.writePtr(asAddr(this.#list + VA_OVERFLOW_ARG_AREA), this.#overflow);
  }
}

/** Arguments given as values: for code of ours that formats as the kernel does. Past the end they are 0. */
export class ValueArguments implements VariableArguments {
  readonly #values: readonly (number | bigint)[];
  #index = 0;

  /** Numbers are signed integers or addresses, bigints 64-bit patterns. */
  constructor(values: readonly (number | bigint)[]) {
    this.#values = values;
  }

  #next(): number | bigint {
    return this.#values[this.#index++] ?? 0;
  }

  i32(): number {
    return Number(BigInt.asIntN(32, this.u64()));
  }

  u64(): bigint {
    const value = this.#next();
    return typeof value === 'bigint' ? BigInt.asUintN(64, value) : addrToU64(value);
  }

  addr(): GuestAddr {
    const value = this.#next();
    return typeof value === 'bigint' ? addrFromU64(value) : asAddr(value);
  }
}
