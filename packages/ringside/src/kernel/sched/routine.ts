import type { GuestAddr } from '../../bytes/index.ts';

/**
 * What a routine (a function of ours that can sleep or call back into the guest) asks of the scheduler. It is
 * resumed when that has happened; the register file then holds the state the guest left.
 */
export type Effect =
  /** Call a guest function (or another function of ours) with the System V convention; RAX holds its result after. */
  | { readonly kind: 'call'; readonly addr: GuestAddr; readonly args: readonly (number | bigint)[] }
  /** Give the CPU away. The task's `__state` in guest memory says whether it may run again before it is woken. */
  | { readonly kind: 'schedule' }
  /** Go on at once: a busy wait that lets interrupts in and the host look. */
  | { readonly kind: 'spin' };

/**
 * A function of ours that can sleep or call the guest. It is suspended, never unwound, while others run: an oops
 * drops it without running its `finally` blocks, as the real kernel drops a stack.
 */
export type Routine<T> = Generator<Effect, T, void>;

/** Calls a guest function. Arguments are addresses, signed numbers or 64-bit patterns; RAX is in the register file after. */
export function* call(addr: GuestAddr, ...args: (number | bigint)[]): Routine<void> {
  yield { kind: 'call', addr, args };
}
