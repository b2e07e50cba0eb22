/**
 * The engine: runs guest code by translating it to WebAssembly.
 *
 *   text -> GuestFunction -> LiftedFunction (statements in a graph) -> wasm body -> module -> slot in a table
 *   guest-function.ts  lift-function.ts, lift/   structure.ts, emit.ts     code-cache.ts
 *
 * The kernel above meets it only in `Cpu` (cpu.ts) and `RegisterFile`.
 */
export { accessesAt } from './accesses-at.ts';
export * from './cpu.ts';
export { createCpu } from './create-cpu.ts';
export type { CpuWatchHit, Watchpoint } from './debug-points.ts';
export * from './definedness/index.ts';
export { type DisassemblyOptions, translateToText } from './disassembly.ts';
export {
  blocksInOrder,
  printGraph,
  printNodes,
  printWasm,
  type TranslatedText,
  wasmBytes,
} from './listing.ts';
export * from './register-file.ts';
export type { CpuidTable, SystemInstructions, SystemMemory } from './system-instructions.ts';
export type { Thunk, ThunkResolver } from './thunks.ts';
export { type Treatment, treatmentOf } from './translatable.ts';
