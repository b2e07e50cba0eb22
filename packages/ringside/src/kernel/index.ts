/**
 * The simulated kernel, in Linux's own rooms. `Kernel` composes the subsystems over one guest memory; exported
 * functions are tables (`EXPORT_FAMILIES`).
 */
export type { DataExport, ExportTable, FunctionExport, KernelExportEntry, SupportLevel } from './exports.ts';
export { Kernel, type KernelOptions } from './kernel.ts';
export type {
  BugType,
  MemoryRegion,
  MemoryReport,
  ShadowRow,
  TrackReport,
} from './mm/kasan/memory-report.ts';
export type { StackFrame } from './mm/kasan/stack-frame.ts';
export type { UninitBytes, UninitCreation, UninitReport } from './mm/kmsan/uninit-report.ts';
export { moduleRefcount, moduleSyscalls, procModules, usersOf } from './module/index.ts';
export { showModuleParam } from './params/index.ts';
export { type LogRecord, recordText } from './printk/index.ts';
export type { Report } from './reports.ts';
export type { Routine } from './sched/routine.ts';
export type { Task } from './sched/task.ts';
export type { AddressOwner, CodePlace, Crash } from './traps/crash.ts';
export { type SourcePlace, sourceOf } from './traps/source-place.ts';
