import { TASK, WORK } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { frame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { call, type Routine } from '../sched/routine.ts';
import type { Task } from '../sched/task.ts';
import { WaitList } from '../sched/wait.ts';

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
  readonly inactive: GuestAddr[] = [];
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

interface Worker {
  readonly task: Task;
  readonly pool: Pool;
  /** The item whose function runs, and its queue. */
  work: GuestAddr;
  queue: Workqueue | undefined;
  idle: boolean;
}

/** The threads that serve a kind of queue. */
interface Pool {
  readonly suffix: string;
  readonly prefix: string;
  readonly workers: Worker[];
  readonly pending: { readonly work: GuestAddr; readonly queue: Workqueue }[];
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
  readonly #barred = new Set<GuestAddr>();
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
    if (queue.active >= queue.maxActive) {
      queue.inactive.push(work);
      return;
    }
    queue.active++;
    queue.pool.pending.push({ work, queue });
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
      const waiting = queue.inactive.indexOf(work);
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
    for (const worker of this.#workerOf.values()) if (worker.work === work) return true;
    return false;
  }

  isQueued(work: GuestAddr): boolean {
    for (const queue of this.#byAddr.values()) if (queue.inactive.includes(work)) return true;
    return [this.#bound, this.#highpri, this.#unbound].some((pool) =>
      pool.pending.some((item) => item.work === work),
    );
  }

  /** Keeps an item from being queued while it is cancelled. */
  bar(work: GuestAddr): { lift: () => void } {
    this.#barred.add(work);
    return { lift: () => this.#barred.delete(work) };
  }

  /** `flush_work`: waits until the item has run; whether there was anything to wait for. */
  *flush(work: GuestAddr): Routine<boolean> {
    if (!this.isQueued(work) && !this.isRunning(work)) return false;
    yield* this.#changed.until(this.#k, () => !this.isQueued(work) && !this.isRunning(work));
    return true;
  }

  /** Waits until the item's function has returned. */
  *waitWhileRunning(work: GuestAddr): Routine<void> {
    yield* this.#changed.until(this.#k, () => !this.isRunning(work));
  }

  /** `flush_workqueue`: waits for everything that is on the queue now. */
  *flushQueue(queue: Workqueue): Routine<void> {
    const works = new Set<GuestAddr>(queue.inactive);
    for (const item of queue.pool.pending) if (item.queue === queue) works.add(item.work);
    for (const worker of this.#workerOf.values()) if (worker.queue === queue) works.add(worker.work);
    yield* this.#changed.until(
      this.#k,
      () => ![...works].some((work) => this.isQueued(work) || this.isRunning(work)),
    );
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
    if (worker !== undefined && worker.pool.pending.length > 0) this.#wakeWorker(worker.pool);
  }

  #wakeWorker(pool: Pool): void {
    const idle = pool.workers.find((worker) => worker.idle && worker.task.exitCode === undefined);
    if (idle !== undefined) {
      this.#k.sched.wakeUp(idle.task, TASK.TASK_NORMAL);
      return;
    }
    const ready = pool.workers.some(
      (w) => w.task.exitCode === undefined && w.task.state === 0 && w.work === NULL,
    );
    if (!ready) this.#createWorker(pool);
  }

  #createWorker(pool: Pool): void {
    const task = this.#k.fork.createKthread(`kworker/${pool.prefix}${pool.nextWorker++}${pool.suffix}`);
    const worker: Worker = { task, pool, work: NULL, queue: undefined, idle: false };
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
      yield* frame(this.#k, 'process_one_work', '*', this.#processOne(worker, item.work, item.queue));
    }
  }

  *#processOne(worker: Worker, work: GuestAddr, queue: Workqueue): Routine<void> {
    const { memory } = this.#k;
    const func = memory.readPtr(asAddr(work + this.#func));
    worker.work = work;
    worker.queue = queue;
    worker.task.work = { queue: queue.name, func };
    this.unclaim(work);
    yield* call(func, work);
    worker.work = NULL;
    worker.queue = undefined;
    worker.task.work = undefined;
    this.#finished(queue);
  }

  /** An item of the queue is done: the next waiting one becomes active. */
  #finished(queue: Workqueue): void {
    queue.active--;
    const next = queue.inactive.shift();
    if (next !== undefined) {
      queue.active++;
      queue.pool.pending.push({ work: next, queue });
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
