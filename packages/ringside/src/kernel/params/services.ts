import type { GuestAddr } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { StructQuery } from '../lib/index.ts';
import type { Routine } from '../sched/routine.ts';

/** What parameters need of the rest of the kernel. */
export interface ParamServices {
  readonly memory: GuestMemory;
  readonly types: StructQuery;
  /** One message; `level` is a `KERN_*` prefix, the text ends with a newline. */
  printk(level: string, text: string): void;
  /** Memory for strings; 0 when there is none. */
  kmalloc(sizeBytes: number): GuestAddr;
  kfree(addr: GuestAddr): void;
  addTaint(bit: number): void;
  /** Whether hardware parameters are locked down. */
  readonly lockedDown?: boolean;
  /** Calls a function of the guest, or one of ours by its address, and gives its `int` result. */
  callInt(addr: GuestAddr, ...args: (number | bigint)[]): Routine<number>;
}
