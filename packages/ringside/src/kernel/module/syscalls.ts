import type { HostFrame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import type { Routine } from '../sched/routine.ts';
import type { Task } from '../sched/task.ts';
import { deleteModule } from './delete.ts';
import { finitModule } from './load.ts';
import { O_TRUNC } from './refcount.ts';

/**
 * The system calls of modules, as routines of a user process: what `insmod` and `rmmod` do once they have read the
 * file. The result is what the call gives: 0 or a negative errno.
 */
export const moduleSyscalls = {
  finitModule(k: Kernel, _task: Task, file: Uint8Array, params: string): Routine<number> {
    return finitModule(k.modules, file, params);
  },
  deleteModule(k: Kernel, _task: Task, name: string, force: boolean): Routine<number> {
    return deleteModule(k.modules, name, force ? O_TRUNC : 0);
  },
  /** The frames under every system call, outermost first. */
  frames(): HostFrame[] {
    return [
      { name: 'entry_SYSCALL_64_after_hwframe', callee: 'do_syscall_64' },
      { name: 'do_syscall_64', callee: 'x64_sys_call' },
    ];
  },
};
