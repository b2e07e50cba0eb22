import { TASK } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { type ExportTable, fn, partial } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import type { Routine } from './routine.ts';
import { sleepUntil } from './wait.ts';

function prepare(k: Kernel, exclusive: boolean): void {
  const [queue, entry, state] = [k.args.addr(0), k.args.addr(1), k.args.i32(2)];
  if (!k.waitQueues.isLinked(entry)) k.waitQueues.add(queue, entry, exclusive);
  k.sched.current.state = state;
}

function finish(k: Kernel, entry: GuestAddr): void {
  k.sched.current.state = TASK.TASK_RUNNING;
  if (k.waitQueues.isLinked(entry)) k.waitQueues.remove(entry);
}

/** kernel/sched/wait.c */
export const waitExports: ExportTable = {
  __init_waitqueue_head: fn(
    'void __init_waitqueue_head(struct wait_queue_head *wq_head, const char *name, struct lock_class_key *key)',
    (k) => k.waitQueues.init(k.args.addr(0)),
  ),
  init_wait_entry: fn('void init_wait_entry(struct wait_queue_entry *wq_entry, int flags)', (k) =>
    k.waitQueues.initEntry(k.args.addr(0), k.args.u32(1)),
  ),
  prepare_to_wait: fn(
    'void prepare_to_wait(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state)',
    (k) => prepare(k, false),
  ),
  prepare_to_wait_event: partial(
    'long prepare_to_wait_event(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state)',
    'signals do not end the wait: no task gets any',
    (k) => {
      prepare(k, false);
      return 0;
    },
  ),
  finish_wait: fn(
    'void finish_wait(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)',
    (k) => finish(k, k.args.addr(1)),
  ),
  add_wait_queue: fn(
    'void add_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)',
    (k) => k.waitQueues.add(k.args.addr(0), k.args.addr(1), false),
  ),
  remove_wait_queue: fn(
    'void remove_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)',
    (k) => k.waitQueues.remove(k.args.addr(1)),
  ),
  __wake_up: fn(
    'int __wake_up(struct wait_queue_head *wq_head, unsigned int mode, int nr_exclusive, void *key)',
    function* (k) {
      yield* k.waitQueues.wake(k.args.addr(0), k.args.u32(1), k.args.i32(2), k.args.addr(3));
      return 0;
    },
  ),
  default_wake_function: fn(
    'int default_wake_function(wait_queue_entry_t *curr, unsigned int mode, int wake_flags, void *key)',
    (k) => k.waitQueues.wakeTask(k.args.addr(0), k.args.u32(1)),
  ),
  autoremove_wake_function: fn(
    'int autoremove_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key)',
    (k) => {
      const entry = k.args.addr(0);
      const woken = k.waitQueues.wakeTask(entry, k.args.u32(1));
      if (woken) k.waitQueues.remove(entry);
      return woken;
    },
  ),
};

/** `completion.done` when it stays done. Source: kernel/sched/completion.c. */
const DONE_FOR_ALL = 0xffff_ffff;

function takeDone(k: Kernel, completion: GuestAddr): boolean {
  const at = asAddr(completion + k.completions.done);
  const done = k.memory.readU32(at);
  if (done === 0) return false;
  if (done !== DONE_FOR_ALL) k.memory.writeU32(at, done - 1);
  return true;
}

/** Waits for a completion; the jiffies that were left, at least 1, or 0 when the time ran out. */
function* wait(k: Kernel, completion: GuestAddr, timeout: number, state: number): Routine<number> {
  const task = k.sched.current;
  const end = k.jiffies.now + timeout;
  while (!takeDone(k, completion)) {
    if (k.jiffies.now >= end) return 0;
    k.completions.waiters(completion).push(task);
    if (Number.isFinite(end)) yield* sleepUntil(k, k.jiffies.toNs(end), state);
    else {
      task.state = state;
      yield { kind: 'schedule' };
    }
    k.completions.leave(completion, task);
  }
  return Math.max(1, Number.isFinite(end) ? end - k.jiffies.now : 1);
}

function complete(k: Kernel, all: boolean): void {
  const completion = k.args.addr(0);
  const at = asAddr(completion + k.completions.done);
  const done = k.memory.readU32(at);
  k.memory.writeU32(at, all || done === DONE_FOR_ALL ? DONE_FOR_ALL : done + 1);
  const waiters = k.completions.waiters(completion);
  for (const task of all ? [...waiters] : waiters.slice(0, 1)) k.sched.wakeUp(task, TASK.TASK_NORMAL);
}

/** Source: include/linux/sched.h, MAX_SCHEDULE_TIMEOUT: that many jiffies are for ever. */
const timeoutArgument = (k: Kernel): number => {
  const timeout = k.args.size(1);
  return timeout >= 2 ** 62 ? Number.POSITIVE_INFINITY : timeout;
};

/** kernel/sched/completion.c */
export const completionExports: ExportTable = {
  complete: fn('void complete(struct completion *x)', (k) => complete(k, false)),
  complete_all: fn('void complete_all(struct completion *x)', (k) => complete(k, true)),
  wait_for_completion: fn('void wait_for_completion(struct completion *x)', function* (k) {
    yield* wait(k, k.args.addr(0), Number.POSITIVE_INFINITY, TASK.TASK_UNINTERRUPTIBLE);
  }),
  wait_for_completion_interruptible: partial(
    'int wait_for_completion_interruptible(struct completion *x)',
    'signals do not end the wait: no task gets any',
    function* (k) {
      yield* wait(k, k.args.addr(0), Number.POSITIVE_INFINITY, TASK.TASK_INTERRUPTIBLE);
      return 0;
    },
  ),
  wait_for_completion_timeout: fn(
    'unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout)',
    function* (k) {
      return yield* wait(k, k.args.addr(0), timeoutArgument(k), TASK.TASK_UNINTERRUPTIBLE);
    },
  ),
  wait_for_completion_interruptible_timeout: partial(
    'long wait_for_completion_interruptible_timeout(struct completion *x, unsigned long timeout)',
    'signals do not end the wait: no task gets any',
    function* (k) {
      return yield* wait(k, k.args.addr(0), timeoutArgument(k), TASK.TASK_INTERRUPTIBLE);
    },
  ),
  try_wait_for_completion: fn('bool try_wait_for_completion(struct completion *x)', (k) =>
    takeDone(k, k.args.addr(0)),
  ),
  completion_done: fn('bool completion_done(struct completion *x)', (k) => {
    const completion = k.args.addr(0);
    return completion !== NULL && k.memory.readU32(asAddr(completion + k.completions.done)) !== 0;
  }),
};
