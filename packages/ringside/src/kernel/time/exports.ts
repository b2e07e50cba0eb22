import { TASK } from '../../abi/index.ts';
import { asAddr } from '../../bytes/index.ts';
import { data, type ExportTable, fn, partial } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import type { Routine } from '../sched/routine.ts';
import { sleepUntil } from '../sched/wait.ts';
import { showStack } from '../traps/oops.ts';

/** Source: include/linux/sched.h, MAX_SCHEDULE_TIMEOUT. */
const MAX_SCHEDULE_TIMEOUT = 2n ** 63n - 1n;

/** `msleep`: whole ticks and one more, however often it is woken before. Source: kernel/time/timer.c. */
function* sleepMs(k: Kernel, ms: number): Routine<void> {
  let left = BigInt(Math.ceil((ms * k.jiffies.hz) / 1000) + 1);
  while (left > 0n) {
    k.sched.current.state = TASK.TASK_UNINTERRUPTIBLE;
    left = yield* scheduleTimeout(k, left);
  }
}

/** Sleeps as long as a timer of the wheel takes; the ticks that are left. Source: kernel/time/timer.c. */
function* scheduleTimeout(k: Kernel, timeout: bigint): Routine<bigint> {
  const { jiffies, sched, timers } = k;
  if (timeout === MAX_SCHEDULE_TIMEOUT) {
    yield { kind: 'schedule' };
    return MAX_SCHEDULE_TIMEOUT;
  }
  if (timeout < 0n) {
    const text = `schedule_timeout: wrong timeout value ${BigInt.asUintN(64, timeout).toString(16)}`;
    k.log(3, text);
    showStack(k);
    sched.current.state = TASK.TASK_RUNNING;
    return 0n;
  }
  const expires = BigInt(jiffies.now) + timeout;
  yield* sleepUntil(k, jiffies.toNs(timers.place(expires).tick), sched.current.state);
  const left = expires - BigInt(jiffies.now);
  return left < 0n ? 0n : left;
}

/** From the timer's own function this never returns, here as on the real kernel. */
function* deleteSync(k: Kernel): Routine<boolean> {
  const timer = k.args.addr(0);
  while (k.timers.running === timer) yield { kind: 'spin' };
  return k.timers.remove(timer);
}

/** kernel/time/timer.c, kernel/time/jiffies.c, arch/x86/lib/delay.c */
export const timeExports: ExportTable = {
  jiffies: data('unsigned long volatile jiffies', (k, addr) => k.jiffies.bind(addr)),
  init_timer_key: fn(
    'void init_timer_key(struct timer_list *timer, void (*func)(struct timer_list *), unsigned int flags, const char *name, struct lock_class_key *key)',
    (k) => k.timers.init(k.args.addr(0), k.args.addr(1), k.args.u32(2)),
  ),
  add_timer: fn('void add_timer(struct timer_list *timer)', (k) => k.timers.addNew(k.args.addr(0))),
  mod_timer: fn('int mod_timer(struct timer_list *timer, unsigned long expires)', (k) =>
    k.timers.modify(k.args.addr(0), k.args.u64(1)),
  ),
  mod_timer_pending: fn('int mod_timer_pending(struct timer_list *timer, unsigned long expires)', (k) =>
    k.timers.isPending(k.args.addr(0)) ? k.timers.modify(k.args.addr(0), k.args.u64(1)) : false,
  ),
  timer_delete: fn('int timer_delete(struct timer_list *timer)', (k) => k.timers.remove(k.args.addr(0))),
  del_timer: fn('int del_timer(struct timer_list *timer)', (k) => k.timers.remove(k.args.addr(0))),
  try_to_del_timer_sync: fn('int try_to_del_timer_sync(struct timer_list *timer)', (k) =>
    k.timers.running === k.args.addr(0) ? -1 : k.timers.remove(k.args.addr(0)),
  ),
  timer_delete_sync: fn('int timer_delete_sync(struct timer_list *timer)', deleteSync),
  del_timer_sync: fn('int del_timer_sync(struct timer_list *timer)', deleteSync),
  msleep: fn('void msleep(unsigned int msecs)', function* (k) {
    yield* sleepMs(k, k.args.u32(0));
  }),
  msleep_interruptible: partial(
    'unsigned long msleep_interruptible(unsigned int msecs)',
    'signals do not end the wait: no task gets any',
    function* (k) {
      // nothing sends signals yet: it sleeps to the end
      yield* sleepMs(k, k.args.u32(0));
      return 0;
    },
  ),
  usleep_range_state: fn(
    'void usleep_range_state(unsigned long min, unsigned long max, unsigned int state)',
    function* (k) {
      const us = k.args.size(1);
      yield* sleepUntil(k, k.clock.nowNs + us * 1000, k.args.u32(2));
    },
  ),
  schedule_timeout: fn('long schedule_timeout(long timeout)', function* (k) {
    return yield* scheduleTimeout(k, k.args.i64(0));
  }),
  schedule_timeout_interruptible: partial(
    'long schedule_timeout_interruptible(long timeout)',
    'signals do not end the wait: no task gets any',
    function* (k) {
      const timeout = k.args.i64(0);
      k.sched.current.state = TASK.TASK_INTERRUPTIBLE;
      return yield* scheduleTimeout(k, timeout);
    },
  ),
  schedule_timeout_uninterruptible: fn('long schedule_timeout_uninterruptible(long timeout)', function* (k) {
    const timeout = k.args.i64(0);
    k.sched.current.state = TASK.TASK_UNINTERRUPTIBLE;
    return yield* scheduleTimeout(k, timeout);
  }),
  __const_udelay: fn('void __const_udelay(unsigned long xloops)', (k) => {
    // the argument is microseconds * 2^32 / 10^6
    k.clock.spend(Math.round((k.args.size(0) * 1e9) / 2 ** 32));
  }),
  __udelay: fn('void __udelay(unsigned long usecs)', (k) => k.clock.spend(k.args.size(0) * 1000)),
  __ndelay: fn('void __ndelay(unsigned long nsecs)', (k) => k.clock.spend(k.args.size(0))),
  jiffies_to_msecs: fn('unsigned int jiffies_to_msecs(const unsigned long j)', (k) =>
    Math.floor((k.args.size(0) * 1000) / k.jiffies.hz),
  ),
  jiffies_to_usecs: fn('unsigned int jiffies_to_usecs(const unsigned long j)', (k) =>
    Math.floor((k.args.size(0) * 1e6) / k.jiffies.hz),
  ),
  __msecs_to_jiffies: fn('unsigned long __msecs_to_jiffies(const unsigned int m)', (k) => {
    const ms = k.args.i32(0);
    // Source: kernel/time/time.c: a negative value is an infinite time-out
    return ms < 0 ? 0x3fff_ffff_ffff_fffen : Math.ceil((ms * k.jiffies.hz) / 1000);
  }),
  __usecs_to_jiffies: fn('unsigned long __usecs_to_jiffies(const unsigned int u)', (k) =>
    Math.ceil((k.args.u32(0) * k.jiffies.hz) / 1e6),
  ),
  ktime_get: fn('ktime_t ktime_get(void)', (k) => BigInt(k.clock.nowNs)),
  ktime_get_raw: fn('ktime_t ktime_get_raw(void)', (k) => BigInt(k.clock.nowNs)),
  ktime_get_mono_fast_ns: fn('u64 ktime_get_mono_fast_ns(void)', (k) => BigInt(k.clock.nowNs)),
  ktime_get_coarse_with_offset: partial(
    'ktime_t ktime_get_coarse_with_offset(enum tk_offsets offs)',
    'the wall clock starts at the epoch',
    (k) => BigInt(k.jiffies.toNs(k.jiffies.now)),
  ),
  phys_base: data('unsigned long phys_base', (k, addr) => k.memory.writePtr(asAddr(addr), asAddr(0))),
};
