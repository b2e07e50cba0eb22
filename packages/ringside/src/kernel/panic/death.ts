import { KERN, type LogLine, line } from './log-line.ts';
import type { Fault } from './oops.ts';

/** What `make_task_dead` says about the task that an oops ends. Source: kernel/exit.c, 6.1. */
export function formatTaskDeath(task: {
  readonly comm: string;
  readonly pid: number;
  readonly irqsDisabled: boolean;
  /** 0 when the task may be preempted. */
  readonly preemptCount: number;
}): LogLine[] {
  const lines: LogLine[] = [];
  const note = `note: ${task.comm}[${task.pid}] exited with`;
  if (task.irqsDisabled) lines.push(line(KERN.INFO, `${note} irqs disabled`));
  if (task.preemptCount !== 0) lines.push(line(KERN.INFO, `${note} preempt_count ${task.preemptCount}`));
  return lines;
}

/**
 * Whether interrupts are off when the task that faulted in kernel mode is ended. They stay off where the fault
 * handler gives up before it turns them on: for addresses of the kernel, instruction fetches, and tasks without
 * user memory. Source: arch/x86/mm/fault.c, 6.1, without SMAP.
 */
export function diesWithIrqsDisabled(
  fault: Fault,
  at: { readonly irqsEnabled: boolean; readonly hasMm: boolean; readonly pageFaultsDisabled: boolean },
): boolean {
  if (!at.irqsEnabled) return true;
  if (fault.kind !== 'page-fault') return false;
  const fetch = (fault.errorCode & PF_INSTR) !== 0;
  return BigInt.asIntN(64, fault.address) < 0n || fetch || !at.hasMm || at.pageFaultsDisabled;
}

/** Page fault error code: instruction fetch. Source: SDM vol. 3, 4.7. */
const PF_INSTR = 16;

export interface PanicOptions {
  /** `panic=`: seconds until the machine restarts, negative (the default) for at once, 0 to stay. */
  readonly timeoutSeconds?: number;
  /** A stack dump, unless the panic follows an oops. */
  readonly stackDump?: readonly LogLine[];
}

/** `panic` up to the end of the machine. Source: kernel/panic.c, 6.1. */
export function formatPanic(message: string, options: PanicOptions = {}): LogLine[] {
  const { timeoutSeconds = -1, stackDump = [] } = options;
  const lines = [
    line(KERN.EMERG, `Kernel panic - not syncing: ${message}`),
    ...stackDump,
    line(KERN.EMERG, 'Kernel Offset: disabled'),
  ];
  if (timeoutSeconds > 0) lines.push(line(KERN.EMERG, `Rebooting in ${timeoutSeconds} seconds..`));
  if (timeoutSeconds === 0)
    lines.push(line(KERN.EMERG, `---[ end Kernel panic - not syncing: ${message} ]---`));
  return lines;
}
