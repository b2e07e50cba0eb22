import type { GuestAddr } from '../../bytes/index.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../sched/task.ts';

/** Who waits for a lock, in order; whether it is held is what the lock word in guest memory says. */
export class Locks {
  readonly mutex: { readonly size: number; readonly owner: number; readonly waitList: number };
  readonly #waiters = new Map<GuestAddr, Task[]>();

  constructor(k: Kernel) {
    const mutex = k.spec.types.struct('mutex');
    this.mutex = { size: mutex.size, owner: mutex.offsetOf('owner'), waitList: mutex.offsetOf('wait_list') };
  }

  waiters(lock: GuestAddr): Task[] {
    let list = this.#waiters.get(lock);
    if (list === undefined) {
      list = [];
      this.#waiters.set(lock, list);
    }
    return list;
  }
}
