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
    return this.#regs.addr(ORDER[i]!);
  }

  /** As a signed 32-bit `int`. */
  i32(i: number): number {
    return this.#regs.i32(ORDER[i]!);
  }

  /** As `unsigned int`. */
  u32(i: number): number {
    return this.#regs.u32(ORDER[i]!);
  }

  /** As `unsigned long`. */
  u64(i: number): bigint {
    return this.#regs.u64(ORDER[i]!);
  }

  /** As `long`. */
  i64(i: number): bigint {
    return this.#regs.i64(ORDER[i]!);
  }

  /** As a `size_t`; inexact, but still larger than any real size, from 2^53 on. */
  size(i: number): number {
    const slot = ORDER[i]!;
    return this.#regs.u32(slot) + (this.#regs.i32Upper(slot) >>> 0) * 2 ** 32;
  }

  /** As `bool`. */
  bool(i: number): boolean {
    return (this.#regs.u32(ORDER[i]!) & 0xff) !== 0;
  }
}
