import { WORK } from '../../abi/index.ts';
import { asAddr, hex64, UnsupportedError } from '../../bytes/index.ts';
import { data, type ExportTable, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import type { Routine } from '../sched/routine.ts';
import type { Workqueue } from './workqueue.ts';

const systemQueue = (symbol: string, name: string, flags: number) =>
  data(`struct workqueue_struct *${symbol}`, (k, addr) => {
    k.memory.writePtr(addr, k.workqueues.create(name, flags, 0).addr);
  });

function queueOf(k: Kernel, i: number): Workqueue {
  const addr = k.args.addr(i);
  const queue = k.workqueues.at(addr);
  // the real function reads the struct: a pointer to nothing faults, a destroyed queue is a use after free
  if (queue === undefined) {
    k.memory.readU64(addr);
    throw new UnsupportedError({ what: `a workqueue at ${hex64(addr)} that alloc_workqueue did not make` });
  }
  return queue;
}

function queueDelayed(k: Kernel, queue: Workqueue, dwork: number, delay: number): boolean {
  if (!k.workqueues.claim(asAddr(dwork))) return false;
  arm(k, queue, dwork, delay);
  return true;
}

/** Starts the delay of a claimed item, or queues it at once when there is none. */
function arm(k: Kernel, queue: Workqueue, dwork: number, delay: number): void {
  const { delayed } = k.workqueues;
  if (delay === 0) {
    k.workqueues.insert(queue, asAddr(dwork));
    return;
  }
  k.memory.writePtr(asAddr(dwork + delayed.wq), queue.addr);
  const timer = asAddr(dwork + delayed.timer);
  k.memory.writeU64(asAddr(timer + k.timers.expiresOffset), BigInt(k.jiffies.now + delay));
  k.timers.add(timer);
}

/** Takes a delayed item out of its timer or queue; whether it was pending. */
function grabDelayed(k: Kernel, dwork: number): boolean {
  if (k.timers.remove(asAddr(dwork + k.workqueues.delayed.timer))) {
    k.workqueues.unclaim(asAddr(dwork));
    return true;
  }
  return k.workqueues.grab(asAddr(dwork));
}

function* cancelSync(k: Kernel, dwork: number, delayed: boolean): Routine<boolean> {
  const was = delayed ? grabDelayed(k, dwork) : k.workqueues.grab(asAddr(dwork));
  // the function may queue itself again while we wait: the real one bars that while it cancels
  const bar = k.workqueues.bar(asAddr(dwork));
  yield* k.workqueues.waitWhileRunning(asAddr(dwork));
  bar.lift();
  return was;
}

/** kernel/workqueue.c */
export const workqueueExports: ExportTable = {
  system_wq: systemQueue('system_wq', 'events', 0),
  system_highpri_wq: systemQueue('system_highpri_wq', 'events_highpri', WORK.WQ_HIGHPRI),
  system_long_wq: systemQueue('system_long_wq', 'events_long', 0),
  system_unbound_wq: systemQueue('system_unbound_wq', 'events_unbound', WORK.WQ_UNBOUND),
  system_freezable_wq: systemQueue('system_freezable_wq', 'events_freezable', 0),
  system_power_efficient_wq: systemQueue('system_power_efficient_wq', 'events_power_efficient', 0),
  alloc_workqueue: fn(
    'struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)',
    (k) => k.workqueues.create(k.formatArguments(0, 3), k.args.u32(1), k.args.i32(2)).addr,
  ),
  destroy_workqueue: fn('void destroy_workqueue(struct workqueue_struct *wq)', function* (k) {
    const queue = queueOf(k, 0);
    yield* k.workqueues.drain(queue);
    k.workqueues.destroy(queue);
  }),
  queue_work_on: fn(
    'bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)',
    (k) => k.workqueues.queue(queueOf(k, 1), k.args.addr(2)),
  ),
  queue_delayed_work_on: fn(
    'bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)',
    (k) => queueDelayed(k, queueOf(k, 1), k.args.addr(2), k.args.size(3)),
  ),
  mod_delayed_work_on: fn(
    'bool mod_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)',
    (k) => {
      const queue = queueOf(k, 1);
      const dwork = k.args.addr(2);
      const delay = k.args.size(3);
      const was = grabDelayed(k, dwork);
      k.workqueues.claim(dwork);
      arm(k, queue, dwork, delay);
      return was;
    },
  ),
  delayed_work_timer_fn: fn('void delayed_work_timer_fn(struct timer_list *t)', (k) => {
    const dwork = asAddr(k.args.addr(0) - k.workqueues.delayed.timer);
    const addr = k.memory.readPtr(asAddr(dwork + k.workqueues.delayed.wq));
    const queue = k.workqueues.at(addr);
    if (queue !== undefined) k.workqueues.insert(queue, dwork);
    // the queue has been destroyed under it
    else k.memory.readU64(addr);
  }),
  flush_work: fn('bool flush_work(struct work_struct *work)', function* (k) {
    return yield* k.workqueues.flush(k.args.addr(0));
  }),
  flush_delayed_work: fn('bool flush_delayed_work(struct delayed_work *dwork)', function* (k) {
    const dwork = k.args.addr(0);
    if (k.timers.remove(asAddr(dwork + k.workqueues.delayed.timer))) {
      const queue = k.workqueues.at(k.memory.readPtr(asAddr(dwork + k.workqueues.delayed.wq)));
      if (queue !== undefined) k.workqueues.insert(queue, dwork);
    }
    return yield* k.workqueues.flush(dwork);
  }),
  __flush_workqueue: fn('void __flush_workqueue(struct workqueue_struct *wq)', function* (k) {
    yield* k.workqueues.flushQueue(queueOf(k, 0));
  }),
  drain_workqueue: fn('void drain_workqueue(struct workqueue_struct *wq)', function* (k) {
    yield* k.workqueues.drain(queueOf(k, 0));
  }),
  cancel_work: fn('bool cancel_work(struct work_struct *work)', (k) => k.workqueues.grab(k.args.addr(0))),
  cancel_work_sync: fn('bool cancel_work_sync(struct work_struct *work)', function* (k) {
    return yield* cancelSync(k, k.args.addr(0), false);
  }),
  cancel_delayed_work: fn('bool cancel_delayed_work(struct delayed_work *dwork)', (k) =>
    grabDelayed(k, k.args.addr(0)),
  ),
  cancel_delayed_work_sync: fn('bool cancel_delayed_work_sync(struct delayed_work *dwork)', function* (k) {
    return yield* cancelSync(k, k.args.addr(0), true);
  }),
};
