import { type FunctionType, I32, I64 } from '../wasm/index.ts';
import { REGISTER_FILE } from './register-file.ts';

export { SLOT_FA, SLOT_FB, SLOT_FC, SLOT_FKIND } from './register-file.ts';

/** Which exit a function was left by; 0: it returned to the RIP it gives back. */
export const SLOT_EXIT = 28;
/** Instructions left to run, stored before functions of ours run. */
export const SLOT_FUEL = 29;
/** Results of helpers with two results. */
export const SLOT_HIGH = 30;

/** The table slot that a call through the table goes to: read by stubs. */
export const SLOT_CALLEE = 31;

/** Where an exit goes whose RIP is known only at run time. */
export const SLOT_JUMP = 33;

export function slotOffset(slot: number): number {
  return REGISTER_FILE + slot * 8;
}

/** The cache of indirect branch targets: 4096 entries of 16 bytes (address, table slot), indexed by a hash. */
export const TARGET_CACHE = 0x1_0000;
export const TARGET_CACHE_ENTRIES = 4096;

/**
 * What quick code counts: 32-bit words, given out from the start. When there are no more, functions stay quick.
 */
export const PROFILE = 0x10_0000;
export const PROFILE_BYTES = 0x100_0000;

/**
 * What translated code calls in the engine, by place in the table of helpers (table 0 of every module). They are not imported as functions:
 * V8 compiles a wrapper for every signature that a module imports.
 */
export const HELPER = {
  /** (native index) -> done? */
  invoke: 0,
  /** (address) -> table slot, or -1 */
  resolve: 1,
  /** Turns lazy flags into RFLAGS. */
  settle: 2,
  /** (address, size in bytes) -> value; for steps made by the host */
  hostLoad: 3,
  /** (address, value, size in bytes) */
  hostStore: 4,
  /** (high, low, divisor) -> quotient; remainder in SLOT_HIGH. Unsigned, then signed. */
  divide: 5,
  divideSigned: 6,
  /** () -> table slot to call instead of the one in SLOT_CALLEE: translates on first call. */
  translate: 7,
  /** (operation) -> answer: makes an instruction of x87, see fpu/x87-operations.ts */
  x87: 8,
  /** (address, size in bytes) -> may it be made? Exact, in WebAssembly: see emit-check.ts. */
  mayLoad: 9,
  mayStore: 10,
  /** (operation) -> raises? SSE arithmetic with all that MXCSR asks for, see fpu/sse-operations.ts */
  sse: 11,
  /** (depth, fuel, slot) -> (RIP, fuel): calls a slot that is known only at run time. */
  dispatch: 12,
} as const;

export type HelperName = keyof typeof HELPER;
export const HELPERS = Object.keys(HELPER) as HelperName[];

/** Function types of every module: translated functions first, then those of the helpers. */
export const TYPES: readonly FunctionType[] = [
  { parameters: [I32, I32], results: [I64, I32] },
  { parameters: [I32], results: [I32] },
  { parameters: [I64], results: [I32] },
  { parameters: [], results: [I32] },
  { parameters: [I64, I32], results: [I64] },
  { parameters: [I64, I64, I32], results: [] },
  { parameters: [I64, I64, I64], results: [I64] },
  { parameters: [I32, I32, I32], results: [] },
  { parameters: [I64, I32], results: [I32] },
  { parameters: [I32, I32, I32], results: [I64, I32] },
];

/** The type of translated functions: (depth, fuel) -> (RIP, fuel). */
export const FUNCTION_TYPE = 0;

const TYPE_OF_HELPER: Readonly<Record<HelperName, number>> = {
  invoke: 1,
  resolve: 2,
  settle: 3,
  hostLoad: 4,
  hostStore: 5,
  divide: 6,
  divideSigned: 6,
  translate: 3,
  x87: 1,
  sse: 1,
  mayLoad: 8,
  mayStore: 8,
  dispatch: 9,
};

/** Types by helper. */
export const HELPER_TYPES: readonly number[] = HELPERS.map((name) => TYPE_OF_HELPER[name]);
