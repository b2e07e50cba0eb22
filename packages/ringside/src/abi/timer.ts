/** `timer_list.flags`. Source: include/linux/timer.h. */
export const TIMER = {
  TIMER_CPUMASK: 0x3ffff,
  TIMER_MIGRATING: 0x40000,
  TIMER_BASEMASK: 0x7ffff,
  TIMER_DEFERRABLE: 0x80000,
  TIMER_PINNED: 0x100000,
  TIMER_IRQSAFE: 0x200000,
  TIMER_INIT_FLAGS: 0x380000,
  TIMER_ARRAYSHIFT: 0x16,
  TIMER_ARRAYMASK: 0xffc00000,
  TIMER_TRACE_FLAGMASK: 0x3c0000,
} as const;

/** Units of time. Source: include/linux/jiffies.h, include/vdso/time64.h. */
export const TIME = {
  HZ: 250,
  USER_HZ: 100,
  TICK_NSEC: 4000000,
  INITIAL_JIFFIES: 4294892296,
  MAX_JIFFY_OFFSET: 0x3ffffffffffffffen,
  NSEC_PER_SEC: 1000000000,
  NSEC_PER_MSEC: 1000000,
  NSEC_PER_USEC: 1000,
  USEC_PER_SEC: 1000000,
  MSEC_PER_SEC: 1000,
  KTIME_MAX: 0x7fffffffffffffffn,
  SHIFT_HZ: 8,
} as const;
