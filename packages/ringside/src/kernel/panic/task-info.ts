import { type LogLevel, type LogLine, line } from './log-line.ts';
import { printTainted } from './tainted.ts';

/** Who runs on what: the first lines of every dump. */
export interface TaskInfo {
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
  /** The taint mask. */
  readonly tainted: number;
  /** `utsname.release` and `.version`. */
  readonly release: string;
  readonly version: string;
  /** Name of the machine from its firmware; undefined when it has none. */
  readonly hardwareName: string | undefined;
  /** Set while the task is a work queue's worker. */
  readonly worker?: {
    /** Name of the work queue. */
    readonly name: string;
    /** The work function in `%ps` form. */
    readonly work: string;
    /** The worker's description; shown when it is not the queue's name. */
    readonly description: string;
  };
}

/**
 * `dump_stack_print_info`. Source: lib/dump_stack.c, 6.1.
 *
 * Debian patches its package's name into the line (`#1  Debian 6.1.55-1`); it is a part of the version.
 */
export function showTaskInfo(task: TaskInfo, level: LogLevel): LogLine[] {
  const build = task.version.split(' ', 1)[0] ?? '';
  const packaged = / Debian \S+/.exec(task.version)?.[0] ?? '';
  const who = `CPU: ${task.cpu} PID: ${task.pid} Comm: ${task.comm.slice(0, 20)}`;
  const lines = [line(level, `${who} ${printTainted(task.tainted)} ${task.release} ${build} ${packaged}`)];
  if (task.hardwareName !== undefined) lines.push(line(level, `Hardware name: ${task.hardwareName}`));
  if (task.worker !== undefined) {
    const { name, work, description } = task.worker;
    const remark = description === name ? '' : ` (${description})`;
    lines.push(line(level, `Workqueue: ${name} ${work}${remark}`));
  }
  return lines;
}
