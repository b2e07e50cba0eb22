import type { GuestAddr } from '../bytes/index.ts';
import { R8, R9, RCX, RDI, RDX, type RegisterFile, RSI } from '../translate/index.ts';

const ORDER = [RDI, RSI, RDX, RCX, R8, R9] as const;

/** The arguments of the function of ours that runs, in the System V convention: the first six are in registers. */
export class Arguments {
  readonly #regs: RegisterFile;

  constructor(regs: RegisterFile) {
    this.#regs = regs;
  }

  /** Argument `i` (0 to 5) as an address, or as a signed 64-bit number. */
  addr(i: number): GuestAddr {
    return this.#regs.addr(this.#slot(i, 64));
  }

  /** As a signed 32-bit `int`. */
  i32(i: number): number {
    return this.#regs.i32(this.#slot(i, 32));
  }

  /** As `unsigned int`. */
  u32(i: number): number {
    return this.#regs.u32(this.#slot(i, 32));
  }

  /** As `unsigned long`. */
  u64(i: number): bigint {
    return this.#regs.u64(this.#slot(i, 64));
  }

  /** As `long`. */
  i64(i: number): bigint {
    return this.#regs.i64(this.#slot(i, 64));
  }

  /** As a `size_t`; inexact, but still larger than any real size, from 2^53 on. */
  size(i: number): number {
    const slot = this.#slot(i, 64);
    return this.#regs.u32(slot) + (this.#regs.i32Upper(slot) >>> 0) * 2 ** 32;
  }

  /** As `bool`. */
  bool(i: number): boolean {
    return (this.#regs.u32(this.#slot(i, 8)) & 0xff) !== 0;
  }

  #slot(i: number, width: number): number {
    const slot = ORDER[i]!;
    this.#regs.onArgument?.(slot, width);
    return slot;
  }
}
