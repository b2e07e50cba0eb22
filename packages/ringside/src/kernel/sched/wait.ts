import { TASK } from '../../abi/index.ts';
import type { Kernel } from '../kernel.ts';
import type { ClockEvent } from '../time/clock.ts';
import type { Routine } from './routine.ts';
import type { Task } from './task.ts';

/** Tasks of ours that wait for something inside the kernel that no module sees. */
export class WaitList {
  readonly #tasks = new Set<Task>();

  /** Sleeps until `condition` holds; it is looked at again at each wake-up. */
  *until(k: Kernel, condition: () => boolean, state: number = TASK.TASK_UNINTERRUPTIBLE): Routine<void> {
    const task = k.sched.current;
    while (!condition()) {
      this.#tasks.add(task);
      task.state = state;
      yield { kind: 'schedule' };
    }
    this.#tasks.delete(task);
  }

  wakeAll(k: Kernel): void {
    const tasks = [...this.#tasks];
    this.#tasks.clear();
    for (const task of tasks) k.sched.wakeUp(task, TASK.TASK_NORMAL);
  }
}

/** Sleeps for a time in the current task state's terms: `schedule_timeout`. Returns the nanoseconds left, 0 when it ran out. */
export function* sleepUntil(k: Kernel, deadlineNs: number, state: number): Routine<number> {
  const task = k.sched.current;
  task.state = state;
  const event: ClockEvent = k.clock.at(deadlineNs, () => k.sched.wakeUp(task, TASK.TASK_NORMAL));
  yield { kind: 'schedule' };
  k.clock.cancel(event);
  return Math.max(0, deadlineNs - k.clock.nowNs);
}
