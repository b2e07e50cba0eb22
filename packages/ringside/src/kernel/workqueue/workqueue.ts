import { TASK, WORK } from '../../abi/index.ts';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { frame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { preemptCount } from '../percpu/preempt.ts';
import { call, type Routine } from '../sched/routine.ts';
import type { Task } from '../sched/task.ts';
import { WaitList } from '../sched/wait.ts';
import { showStack } from '../traps/oops.ts';

const PENDING = BigInt(WORK.WORK_STRUCT_PENDING);
/** `WORK_STRUCT_NO_POOL`: all bits of the pool number set, and no flag. */
const NO_POOL =
  (BigInt(2 ** WORK.WORK_OFFQ_POOL_BITS - 1) << BigInt(WORK.WORK_OFFQ_POOL_SHIFT)) & (2n ** 64n - 1n);

/** What no module sees of a workqueue; `struct workqueue_struct` is opaque to them. */
export class Workqueue {
  readonly addr: GuestAddr;
  readonly name: string;
  readonly flags: number;
  readonly maxActive: number;
  active = 0;
  /** Items over `maxActive`, waiting for their turn. */
  readonly inactive: Item[] = [];
  readonly pool: Pool;
  destroyed = false;

  constructor(addr: GuestAddr, name: string, flags: number, maxActive: number, pool: Pool) {
    this.addr = addr;
    this.name = name;
    this.flags = flags;
    this.maxActive = maxActive;
    this.pool = pool;
  }
}

/** A work item that has been queued: each time it is, another one. */
interface Item {
  readonly work: GuestAddr;
  readonly queue: Workqueue;
}

interface Worker {
  readonly task: Task;
  readonly pool: Pool;
  /** The item whose function runs. */
  item: Item | undefined;
  idle: boolean;
}

/** The threads that serve a kind of queue. */
interface Pool {
  readonly suffix: string;
  readonly prefix: string;
  readonly workers: Worker[];
  readonly pending: Item[];
  nextWorker: number;
}

/**
 * Workqueues. Whether an item is pending is the bit in its `data` in guest memory, which modules test inline; the
 * order of items is kept here. Each pool has a thread more than there are items that sleep, as the kernel's
 * concurrency management has it.
 */
export class Workqueues {
  readonly #k: Kernel;
  readonly #byAddr = new Map<GuestAddr, Workqueue>();
  readonly #workerOf = new Map<Task, Worker>();
  readonly #bound: Pool = { prefix: '0:', suffix: '', workers: [], pending: [], nextWorker: 0 };
  readonly #highpri: Pool = { prefix: '0:', suffix: 'H', workers: [], pending: [], nextWorker: 0 };
  readonly #unbound: Pool = { prefix: 'u2:', suffix: '', workers: [], pending: [], nextWorker: 0 };
  readonly #changed = new WaitList();
  /** Items being cancelled: the real kernel holds their pending bit. */
  readonly #barred = new Map<GuestAddr, number>();
  readonly #data: number;
  readonly #entry: number;
  readonly #func: number;
  /** `__WQ_ORDERED` */
  readonly #ordered: number;
  /** Offsets in `struct delayed_work`. */
  readonly delayed: { readonly timer: number; readonly wq: number; readonly cpu: number };

  constructor(k: Kernel) {
    this.#k = k;
    const work = k.spec.types.struct('work_struct');
    this.#data = work.offsetOf('data');
    this.#entry = work.offsetOf('entry');
    this.#func = work.offsetOf('func');
    this.#ordered = k.spec.types.enumValue('__WQ_ORDERED');
    const delayed = k.spec.types.struct('delayed_work');
    this.delayed = {
      timer: delayed.offsetOf('timer'),
      wq: delayed.offsetOf('wq'),
      cpu: delayed.offsetOf('cpu'),
    };
  }

  create(name: string, flags: number, maxActive: number): Workqueue {
    const size = this.#k.spec.types.findStruct('workqueue_struct')?.size ?? 512;
    const addr = this.#k.kmalloc.alloc(size, true);
    const pool =
      flags & WORK.WQ_UNBOUND ? this.#unbound : flags & WORK.WQ_HIGHPRI ? this.#highpri : this.#bound;
    const queue = new Workqueue(
      addr,
      name,
      flags,
      flags & this.#ordered ? 1 : maxActive || WORK.WQ_DFL_ACTIVE,
      pool,
    );
    this.#byAddr.set(addr, queue);
    return queue;
  }

  at(addr: GuestAddr): Workqueue | undefined {
    return this.#byAddr.get(addr);
  }

  // ---- items

  isPending(work: GuestAddr): boolean {
    return (this.#k.memory.readU64(asAddr(work + this.#data)) & PENDING) !== 0n;
  }

  /** Sets the pending bit; whether it was clear. */
  claim(work: GuestAddr): boolean {
    const at = asAddr(work + this.#data);
    const data = this.#k.memory.readU64(at);
    if (data & PENDING || this.#barred.has(work)) return false;
    this.#k.memory.writeU64(at, data | PENDING);
    return true;
  }

  /** Puts a claimed item on a queue. */
  insert(queue: Workqueue, work: GuestAddr): void {
    this.#setEntry(work);
    const item: Item = { work, queue };
    if (queue.active >= queue.maxActive) {
      queue.inactive.push(item);
      return;
    }
    queue.active++;
    queue.pool.pending.push(item);
    this.#wakeWorker(queue.pool);
  }

  /** `queue_work_on`: false when the item was pending already. */
  queue(queue: Workqueue, work: GuestAddr): boolean {
    if (!this.claim(work)) return false;
    this.insert(queue, work);
    return true;
  }

  /** Takes an item off its queue before it runs; whether it was there. */
  grab(work: GuestAddr): boolean {
    for (const queue of this.#byAddr.values()) {
      const waiting = queue.inactive.findIndex((item) => item.work === work);
      if (waiting >= 0) {
        queue.inactive.splice(waiting, 1);
        return this.unclaim(work);
      }
    }
    for (const pool of [this.#bound, this.#highpri, this.#unbound]) {
      const index = pool.pending.findIndex((item) => item.work === work);
      if (index < 0) continue;
      const [item] = pool.pending.splice(index, 1);
      this.unclaim(work);
      this.#finished(item!.queue);
      return true;
    }
    return false;
  }

  /** Clears the pending bit. */
  unclaim(work: GuestAddr): true {
    this.#k.memory.writeU64(asAddr(work + this.#data), NO_POOL);
    this.#clearEntry(work);
    return true;
  }

  /** Whether the item's function runs now. */
  isRunning(work: GuestAddr): boolean {
    for (const worker of this.#workerOf.values()) if (worker.item?.work === work) return true;
    return false;
  }

  /** What has been queued and has not run to its end. */
  *#unfinished(): Generator<Item> {
    for (const queue of this.#byAddr.values()) yield* queue.inactive;
    for (const pool of [this.#bound, this.#highpri, this.#unbound]) yield* pool.pending;
    for (const worker of this.#workerOf.values()) if (worker.item !== undefined) yield worker.item;
  }

  /** Keeps an item from being queued while it is cancelled. */
  bar(work: GuestAddr): { lift: () => void } {
    const count = this.#barred;
    count.set(work, (count.get(work) ?? 0) + 1);
    return {
      lift: () => {
        const left = count.get(work)! - 1;
        if (left === 0) count.delete(work);
        else count.set(work, left);
      },
    };
  }

  /** Waits until what is unfinished now and meant is done; not for what is queued meanwhile. Whether there was any. */
  *#waitFor(meant: (item: Item) => boolean): Routine<boolean> {
    const items = new Set([...this.#unfinished()].filter(meant));
    if (items.size === 0) return false;
    yield* this.#changed.until(this.#k, () => ![...this.#unfinished()].some((item) => items.has(item)));
    return true;
  }

  /** `flush_work`: waits until the item has run as often as it has been queued; whether there was anything to wait for. */
  *flush(work: GuestAddr): Routine<boolean> {
    return yield* this.#waitFor((item) => item.work === work);
  }

  /** Waits until the item's function has returned. */
  *waitWhileRunning(work: GuestAddr): Routine<void> {
    yield* this.#changed.until(this.#k, () => !this.isRunning(work));
  }

  /** `flush_workqueue`: waits for everything that is on the queue now. */
  *flushQueue(queue: Workqueue): Routine<void> {
    yield* this.#waitFor((item) => item.queue === queue);
  }

  *drain(queue: Workqueue): Routine<void> {
    yield* this.#changed.until(this.#k, () => queue.active === 0 && queue.inactive.length === 0);
  }

  destroy(queue: Workqueue): void {
    this.#byAddr.delete(queue.addr);
    this.#k.kmalloc.free(queue.addr);
  }

  // ---- threads

  /** A worker is about to sleep inside an item: another takes over what is pending. */
  sleeping(task: Task): void {
    const worker = this.#workerOf.get(task);
    if (worker !== undefined && !worker.idle && worker.pool.pending.length > 0) this.#wakeWorker(worker.pool);
  }

  /** A worker died in an item. What it ran stays running for ever, as on the real kernel. */
  died(task: Task): void {
    const worker = this.#workerOf.get(task);
    if (worker === undefined) return;
    const { workers, pending } = worker.pool;
    workers.splice(workers.indexOf(worker), 1);
    if (pending.length > 0) this.#wakeWorker(worker.pool);
  }

  #wakeWorker(pool: Pool): void {
    const idle = pool.workers.find((worker) => worker.idle);
    if (idle !== undefined) {
      this.#k.sched.wakeUp(idle.task, TASK.TASK_NORMAL);
      return;
    }
    const ready = pool.workers.some((w) => w.task.state === 0 && w.item === undefined);
    if (!ready) this.#createWorker(pool);
  }

  #createWorker(pool: Pool): void {
    const task = this.#k.fork.createKthread(`kworker/${pool.prefix}${pool.nextWorker++}${pool.suffix}`);
    const worker: Worker = { task, pool, item: undefined, idle: false };
    pool.workers.push(worker);
    this.#workerOf.set(task, worker);
    this.#k.sched.start(task, this.#workerThread(worker), [
      { name: 'ret_from_fork', callee: 'kthread' },
      { name: 'kthread', callee: '*' },
    ]);
  }

  *#workerThread(worker: Worker): Routine<void> {
    yield* frame(this.#k, 'worker_thread', 'process_one_work', this.#workerLoop(worker));
  }

  *#workerLoop(worker: Worker): Routine<void> {
    for (;;) {
      const item = worker.pool.pending.shift();
      if (item === undefined) {
        worker.idle = true;
        worker.task.state = TASK.TASK_IDLE;
        yield { kind: 'schedule' };
        worker.idle = false;
        continue;
      }
      yield* frame(this.#k, 'process_one_work', '*', this.#processOne(worker, item));
    }
  }

  *#processOne(worker: Worker, item: Item): Routine<void> {
    const k = this.#k;
    const { work, queue } = item;
    worker.item = item;
    const func = k.memory.readPtr(asAddr(work + this.#func));
    worker.task.work = { queue: queue.name, func };
    this.unclaim(work);
    yield* call(func, work);
    if (preemptCount(k) !== 0) this.#leaked(worker.task, func);
    worker.item = undefined;
    worker.task.work = undefined;
    this.#finished(queue);
  }

  /** Source: kernel/workqueue.c, process_one_work. */
  #leaked(task: Task, func: GuestAddr): void {
    const k = this.#k;
    const count = preemptCount(k).toString(16).padStart(8, '0');
    k.log(3, `BUG: workqueue leaked lock or atomic: ${task.comm}/0x${count}/${task.pid}`);
    k.log(3, `     last function: ${k.kallsyms.name(func)}`);
    showStack(k);
  }

  /** An item of the queue is done: the next waiting one becomes active. */
  #finished(queue: Workqueue): void {
    queue.active--;
    const next = queue.inactive.shift();
    if (next !== undefined) {
      queue.active++;
      queue.pool.pending.push(next);
      this.#wakeWorker(queue.pool);
    }
    this.#changed.wakeAll(this.#k);
  }

  /** An item on a queue has a linked `entry`; one that is not has an empty one. */
  #setEntry(work: GuestAddr): void {
    const entry = asAddr(work + this.#entry);
    this.#k.memory.writePtr(entry, this.#k.workList);
    this.#k.memory.writePtr(asAddr(entry + 8), this.#k.workList);
  }

  #clearEntry(work: GuestAddr): void {
    const entry = asAddr(work + this.#entry);
    this.#k.memory.writePtr(entry, entry);
    this.#k.memory.writePtr(asAddr(entry + 8), entry);
  }
}
