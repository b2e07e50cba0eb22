import type { GuestAddr } from '../../bytes/index.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from './task.ts';

/** Who waits for a completion, in order; whether it is done is `done` in guest memory. */
export class Completions {
  /** Offset of `completion.done`. */
  readonly done: number;
  readonly #waiters = new Map<GuestAddr, Task[]>();

  constructor(k: Kernel) {
    this.done = k.spec.types.struct('completion').offsetOf('done');
  }

  waiters(completion: GuestAddr): Task[] {
    let list = this.#waiters.get(completion);
    if (list === undefined) {
      list = [];
      this.#waiters.set(completion, list);
    }
    return list;
  }

  leave(completion: GuestAddr, task: Task): void {
    const list = this.#waiters.get(completion);
    const at = list?.indexOf(task) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.#waiters.delete(completion);
  }
}
