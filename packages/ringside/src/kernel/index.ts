/**
 * The simulated kernel, in Linux's own rooms. `Kernel` composes the subsystems over one guest memory; exported
 * functions are tables (`EXPORT_FAMILIES`).
 */
export type { DataExport, ExportTable, FunctionExport, KernelExportEntry, SupportLevel } from './exports.ts';
export { Kernel, type KernelOptions } from './kernel.ts';
export { moduleRefcount, moduleSyscalls, procModules, usersOf } from './module/index.ts';
export { showModuleParam } from './params/index.ts';
export { type LogRecord, recordText } from './printk/index.ts';
export type { Report } from './reports.ts';
export type { Routine } from './sched/routine.ts';
export type { Task } from './sched/task.ts';
export { type AddressOwner, type CodePlace, type Crash, codePlace } from './traps/crash.ts';
