import { showTrace, type TraceItem } from './call-trace.ts';
import { KERN, type LogLevel, type LogLine, line } from './log-line.ts';
import { type LinkedModules, printModules } from './modules-linked-in.ts';
import { CUT_HERE, endMarker } from './oops.ts';
import { type RegisterDump, showRegs } from './registers.ts';
import { showTaskInfo, type TaskInfo } from './task-info.ts';

/** Everything that `WARN()` and `WARN_ON()` print. */
export interface Warning {
  /** Undefined when the image was built without `CONFIG_DEBUG_BUGVERBOSE`. */
  readonly file: string | undefined;
  readonly line: number;
  /** The place in `%pS` form. */
  readonly symbol: string;
  /** `WARN()` with a message prints this mark, then the message, before it traps. */
  readonly cutHereShown: boolean;
  readonly task: TaskInfo;
  /** Registers at the `ud2`; undefined for a warning out of a plain call. */
  readonly dump: RegisterDump | undefined;
  readonly trace: readonly TraceItem[];
  readonly modules: LinkedModules;
}

/** The lines of a warning. Source: lib/bug.c and kernel/panic.c, 6.1. */
export function formatWarning(warning: Warning): LogLine[] {
  const { task, dump } = warning;
  const place = warning.file === undefined ? '' : `${warning.file}:${warning.line} `;
  const lines: LogLine[] = warning.cutHereShown ? [] : [line(KERN.DEFAULT, CUT_HERE)];
  lines.push(
    line(KERN.WARNING, `WARNING: CPU: ${task.cpu} PID: ${task.pid} at ${place}${warning.symbol}`),
    printModules(warning.modules),
  );
  lines.push(...showTaskInfo(task, KERN.DEFAULT));
  if (dump !== undefined) lines.push(...showRegs(dump, 'all', KERN.DEFAULT));
  lines.push(...showTrace(warning.trace, KERN.DEFAULT));
  lines.push(endMarker());
  return lines;
}

/** `dump_stack()`: who runs, and the way here. Source: lib/dump_stack.c, 6.1. */
export function dumpStack(
  task: TaskInfo,
  trace: readonly TraceItem[],
  level: LogLevel = KERN.DEFAULT,
): LogLine[] {
  return [...showTaskInfo(task, level), ...showTrace(trace, level)];
}
