/**
 * The composition root and the public API: `boot(options)` gives a `Machine`, to which modules are loaded and for
 * which time passes.
 *
 * ```
 * KernelSpec --boot--> Machine --insmod(bytes)--> log records, reports, results
 * ```
 */

export type {
  BugType,
  Crash,
  LogRecord,
  MemoryRegion,
  MemoryReport,
  Report,
  ShadowRow,
  SourcePlace,
  StackFrame,
  TrackReport,
  UninitBytes,
  UninitCreation,
  UninitReport,
} from '../kernel/index.ts';
export { recordText } from '../kernel/index.ts';
export { type BootOptions, boot, parseCommandLine } from './boot.ts';
export { explainCrash } from './explain.ts';
export {
  type AdvanceOptions,
  type InsmodOptions,
  Machine,
  type ModuleInfo,
  type SyscallResult,
} from './machine.ts';
