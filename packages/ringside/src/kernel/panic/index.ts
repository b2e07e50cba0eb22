/**
 * The texts of a kernel that has found a fault: oops, warning, stack dump, panic. Pure functions from plain data to
 * lines with their log levels; who calls them has collected registers, names and frames from the machine.
 *
 *     Oops ──► formatOops ──┐
 *     Warning ─► formatWarning ─► LogLine[] ──► printk
 *     frames ──► dumpStack ─┘
 */
export type { TraceItem } from './call-trace.ts';
export { diesWithIrqsDisabled, formatPanic, formatTaskDeath, type PanicOptions } from './death.ts';
export type { LogLevel, LogLine } from './log-line.ts';
export { type LinkedModule, type LinkedModules, printModules } from './modules-linked-in.ts';
export {
  type BuildFlags,
  buildFlags,
  CUT_HERE,
  type Fault,
  formatOops,
  type Oops,
  type PageTableEntry,
} from './oops.ts';
export {
  CODE_PROLOGUE,
  CODE_SIZE,
  type PtRegs,
  type RegisterDump,
  type SystemRegisters,
} from './registers.ts';
export { printTainted } from './tainted.ts';
export type { TaskInfo } from './task-info.ts';
export { dumpStack, formatWarning, type Warning } from './warning.ts';
