/** `wait_queue_entry.flags`. Source: include/linux/wait.h. */
export const WQ_FLAG = {
  WQ_FLAG_EXCLUSIVE: 1,
  WQ_FLAG_WOKEN: 2,
  WQ_FLAG_BOOKMARK: 4,
  WQ_FLAG_CUSTOM: 8,
  WQ_FLAG_DONE: 0x10,
  WQ_FLAG_PRIORITY: 0x20,
} as const;

/** How a spinlock's word is divided. Source: include/asm-generic/qspinlock_types.h. */
export const QSPINLOCK = {
  _Q_LOCKED_OFFSET: 0,
  _Q_LOCKED_BITS: 8,
  _Q_LOCKED_MASK: 0xff,
  _Q_PENDING_OFFSET: 8,
  _Q_PENDING_BITS: 8,
  _Q_PENDING_MASK: 0xff00,
  _Q_TAIL_IDX_OFFSET: 0x10,
  _Q_TAIL_IDX_BITS: 2,
  _Q_TAIL_IDX_MASK: 0x30000,
  _Q_TAIL_CPU_OFFSET: 0x12,
  _Q_TAIL_CPU_BITS: 0xe,
  _Q_TAIL_CPU_MASK: 0xfffc0000,
  _Q_TAIL_OFFSET: 0x10,
  _Q_TAIL_MASK: 0xffff0000,
  _Q_LOCKED_VAL: 1,
  _Q_PENDING_VAL: 0x100,
} as const;
