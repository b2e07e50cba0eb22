import type { RegisterState } from '../../translate/index.ts';
import type { NativeResult } from '../exports.ts';
import type { HostFrame } from '../frames.ts';
import type { Effect, Routine } from './routine.ts';

/** Guest code, stopped or running: nothing but its registers; its frames are on its guest stack. */
export interface GuestActivation {
  readonly kind: 'guest';
  /** The registers while it does not run; the running one's are in the register file. */
  state: RegisterState | undefined;
}

/** A function of ours, suspended. */
export interface HostActivation {
  readonly kind: 'host';
  // biome-ignore lint/suspicious/noConfusingVoidType: routines of void functions return nothing
  readonly routine: Routine<NativeResult | void>;
  /** What it asked for and is waiting to be done; undefined when it can be resumed. */
  pending: Effect | undefined;
  /** Frames of the kernel functions it stands for, outermost first. */
  readonly frames: HostFrame[];
  /**
   * What its end means: `return` to the guest code below, which called it; `resume` the activation below, which it
   * interrupted; `exit` the task.
   */
  readonly end: 'return' | 'resume' | 'exit';
  /** Which context it runs in, as `in_hardirq()` and its siblings tell. */
  readonly context: ExecutionContext;
}

export type ExecutionContext = 'task' | 'softirq' | 'hardirq';

export type Activation = GuestActivation | HostActivation;
