import type { GuestAddr } from '../../../bytes/index.ts';
import type { Use } from '../../../translate/index.ts';
import type { StackFrame } from '../kasan/stack-frame.ts';

/** Where undefined memory came from. */
export interface UninitCreation {
  /** `heap`: allocated without __GFP_ZERO; `stack`: room for local variables. */
  readonly kind: 'heap' | 'stack';
  /** Innermost first: of `stack` the function whose variables are there. */
  readonly stack: readonly StackFrame[];
}

/** Undefined bytes of memory that a function of ours has read. */
export interface UninitBytes {
  readonly address: GuestAddr;
  readonly size: number;
  /** The first undefined byte and the first defined one behind it, from `address`. */
  readonly start: number;
  readonly end: number;
}

/** A value that nobody has given has decided something. What follows was done all the same. */
export interface UninitReport {
  readonly kind: 'uninit-value';
  readonly bug: 'uninit-value';
  readonly use: Use;
  /** The code that did it. For functions of ours their caller. */
  readonly place: StackFrame;
  readonly comm: string;
  readonly pid: number;
  /** Virtual nanoseconds since boot. */
  readonly timeNs: number;
  /** Innermost first. */
  readonly stack: readonly StackFrame[];
  /** Where the value was stored to memory on its way, the last first; stores to the own stack frame are left out. */
  readonly stored: readonly (readonly StackFrame[])[];
  readonly created: UninitCreation | undefined;
  readonly bytes: UninitBytes | undefined;
  /** How often it has happened at this place, up to now. */
  readonly count: number;
  /** The whole report as text, as a kernel with KMSAN prints it. */
  readonly text: string;
}
