import { asAddr, type GuestAddr, NULL } from '../../../bytes/index.ts';
import type { Kernel } from '../../kernel.ts';
import type { Task } from '../../sched/task.ts';
import { StackDepot, type StackNode } from './stack-depot.ts';

/** Who allocated or freed memory. */
export interface AllocationSite {
  /** The return address in the code that asked. */
  readonly ip: GuestAddr;
  readonly pid: number;
  readonly comm: string;
  /** The whole stack; undefined for what the kernel has allocated at boot. */
  readonly stack: StackNode | undefined;
}

/** The kernel itself, before there was a task. */
export const BOOT_SITE: AllocationSite = { ip: NULL, pid: 0, comm: 'swapper/0', stack: undefined };

/** Notes who asks for memory: on every allocation and every free. */
export class Tracks {
  readonly depot: StackDepot;
  readonly #k: Kernel;
  /** The last task's name, with the bytes it was made of: a name is read from guest memory when it has changed. */
  #task: Task | undefined;
  readonly #name = new Int32Array(4);
  #comm = '';
  /** The last site of each stack; tasks come back to the same places. */
  readonly #sites = new WeakMap<StackNode, AllocationSite>();

  constructor(k: Kernel) {
    this.#k = k;
    this.depot = new StackDepot(k);
  }

  /** Who asks now. */
  site(): AllocationSite {
    const task = this.#k.sched.current;
    const stack = this.depot.capture();
    const comm = this.#commOf(task);
    const { pid } = task;
    const last = this.#sites.get(stack);
    if (last !== undefined && last.pid === pid && last.comm === comm) return last;
    const site: AllocationSite = { ip: stack.ip, pid, comm, stack };
    this.#sites.set(stack, site);
    return site;
  }

  #commOf(task: Task): string {
    const { memory, layouts } = this.#k;
    const at = asAddr(task.addr + layouts.task.comm) >>> 0;
    const name = this.#name;
    const { view } = memory;
    let same = this.#task === task;
    for (let i = 0; i < 4; i++) {
      const word = view.getInt32(at + 4 * i, true);
      same &&= name[i] === word;
      name[i] = word;
    }
    if (!same) {
      this.#task = task;
      this.#comm = task.comm;
    }
    return this.#comm;
  }
}
