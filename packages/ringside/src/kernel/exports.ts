import type { Kernel } from './kernel.ts';
import type { Routine } from './sched/routine.ts';

/**
 * What a function of ours gives back to its caller: nothing, a number (an address, or an integer of at most 53
 * bits; negative numbers are sign-extended), a 64-bit pattern, or a truth value.
 */
export type NativeResult = number | bigint | boolean | undefined;

/**
 * How complete a function of ours is. `full`: as the real one. `partial`: right as far as it goes, the note says
 * what is missing and what happens then (it must stop loudly, not answer wrongly).
 */
export type SupportLevel = 'full' | 'partial';

/**
 * An implementation reads its arguments through `k.args`, before it first waits. It gives its result, or a routine
 * (by being a generator, or only when it has to wait) that sleeps and calls back.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: implementations of void functions return nothing
export type NativeFunction = (k: Kernel) => NativeResult | void | Routine<NativeResult | void>;

/** One exported function of ours. */
export interface FunctionExport {
  readonly kind: 'function';
  /** The C prototype, checked against the image's BTF. */
  readonly prototype: string;
  readonly support: SupportLevel;
  readonly note?: string;
  readonly run: NativeFunction;
}

/** One exported variable that we provide: its bytes live at the image's address and are set up at boot. */
export interface DataExport {
  readonly kind: 'data';
  /** C type as the compatibility page shows it. */
  readonly type: string;
  readonly note?: string;
  /** Puts the boot-time value there. `addr` is the variable's address, already mapped and zero. */
  readonly init: (k: Kernel, addr: import('../bytes/index.ts').GuestAddr) => void;
  /** Size in bytes; without it the size that kallsyms gives. */
  readonly size?: (k: Kernel) => number;
}

export type KernelExportEntry = FunctionExport | DataExport;

/** A family of exports: one file under the folder where Linux keeps the functions. */
export type ExportTable = Readonly<Record<string, KernelExportEntry>>;

/** Declares an exported function. */
export function fn(prototype: string, run: NativeFunction): FunctionExport {
  return { kind: 'function', prototype, support: 'full', run };
}

/** Declares an exported function that is not complete; `note` says what is missing. */
export function partial(prototype: string, note: string, run: NativeFunction): FunctionExport {
  return { kind: 'function', prototype, support: 'partial', note, run };
}

/** Declares an exported variable. */
export function data(type: string, init: DataExport['init'], size?: DataExport['size']): DataExport {
  return size === undefined ? { kind: 'data', type, init } : { kind: 'data', type, init, size };
}
