import { PREEMPT } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { FLAG, SLOT_RFLAGS } from '../../translate/index.ts';
import { type ExportTable, fn, partial } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import { addPreemptCount } from '../percpu/preempt.ts';
import type { Routine } from '../sched/routine.ts';

const { SOFTIRQ_DISABLE_OFFSET } = PREEMPT;

function lockSpin(k: Kernel, lock: GuestAddr): Routine<void> | undefined {
  addPreemptCount(k, 1);
  if (k.memory.readU32(lock) === 0) {
    k.memory.writeU32(lock, 1);
    return undefined;
  }
  return spin(k, lock);
}

/** Spins on a lock that somebody holds; on one CPU that is for ever, as on the real machine. */
function* spin(k: Kernel, lock: GuestAddr): Routine<void> {
  while (k.memory.readU32(lock) !== 0) {
    k.clock.spend(1000);
    yield { kind: 'spin' };
  }
  k.memory.writeU32(lock, 1);
}

function unlockSpin(k: Kernel, lock: GuestAddr): void {
  k.memory.writeU8(lock, 0);
  addPreemptCount(k, -1);
}

/** `local_irq_save`: the flags before. */
function irqSave(k: Kernel): bigint {
  const flags = k.cpu.regs.u64(SLOT_RFLAGS);
  k.cpu.regs.setU64(SLOT_RFLAGS, flags & ~BigInt(FLAG.IF));
  return flags;
}

function irqRestore(k: Kernel, flags: bigint): void {
  const { regs } = k.cpu;
  regs.setU64(SLOT_RFLAGS, (regs.u64(SLOT_RFLAGS) & ~BigInt(FLAG.IF)) | (flags & BigInt(FLAG.IF)));
}

function trylockSpin(k: Kernel, lock: GuestAddr): boolean {
  if (k.memory.readU32(lock) !== 0) return false;
  k.memory.writeU32(lock, 1);
  addPreemptCount(k, 1);
  return true;
}

/** kernel/locking/spinlock.c; the lock word is a queued spinlock's: its low byte is 1 while it is held. */
export const spinlockExports: ExportTable = {
  _raw_spin_lock: fn('void _raw_spin_lock(raw_spinlock_t *lock)', (k) => lockSpin(k, k.args.addr(0))),
  _raw_spin_unlock: fn('void _raw_spin_unlock(raw_spinlock_t *lock)', (k) => unlockSpin(k, k.args.addr(0))),
  _raw_spin_trylock: fn('int _raw_spin_trylock(raw_spinlock_t *lock)', (k) => trylockSpin(k, k.args.addr(0))),
  _raw_spin_lock_irqsave: fn('unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *lock)', (k) => {
    const lock = k.args.addr(0);
    const flags = irqSave(k);
    const waiting = lockSpin(k, lock);
    return waiting === undefined ? flags : then(waiting, flags);
  }),
  _raw_spin_unlock_irqrestore: fn(
    'void _raw_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags)',
    (k) => {
      unlockSpin(k, k.args.addr(0));
      irqRestore(k, k.args.u64(1));
    },
  ),
  _raw_spin_lock_irq: fn('void _raw_spin_lock_irq(raw_spinlock_t *lock)', (k) => {
    irqSave(k);
    return lockSpin(k, k.args.addr(0));
  }),
  _raw_spin_unlock_irq: fn('void _raw_spin_unlock_irq(raw_spinlock_t *lock)', (k) => {
    unlockSpin(k, k.args.addr(0));
    irqRestore(k, BigInt(FLAG.IF));
  }),
  _raw_spin_lock_bh: fn('void _raw_spin_lock_bh(raw_spinlock_t *lock)', (k) => {
    addPreemptCount(k, SOFTIRQ_DISABLE_OFFSET);
    return lockSpin(k, k.args.addr(0));
  }),
  _raw_spin_unlock_bh: fn('void _raw_spin_unlock_bh(raw_spinlock_t *lock)', (k) => {
    unlockSpin(k, k.args.addr(0));
    addPreemptCount(k, -SOFTIRQ_DISABLE_OFFSET);
  }),
};

function* then<T>(routine: Routine<void>, value: T): Routine<T> {
  yield* routine;
  return value;
}

/** Bits in the low part of a mutex's `owner`. Source: kernel/locking/mutex.c, MUTEX_FLAG_WAITERS. */
const MUTEX_FLAGS = 7;
const MUTEX_FLAG_WAITERS = 1;

function mutexOwner(k: Kernel, mutex: GuestAddr): GuestAddr {
  const owner = k.memory.readPtr(asAddr(mutex + k.locks.mutex.owner));
  return asAddr(owner - (owner & MUTEX_FLAGS));
}

function takeMutex(k: Kernel, mutex: GuestAddr): boolean {
  if (mutexOwner(k, mutex) !== NULL) return false;
  const waiters = k.locks.waiters(mutex).length > 0 ? MUTEX_FLAG_WAITERS : 0;
  k.memory.writePtr(asAddr(mutex + k.locks.mutex.owner), asAddr(k.sched.current.addr + waiters));
  return true;
}

function lockMutex(k: Kernel, mutex: GuestAddr): Routine<number> | number {
  return takeMutex(k, mutex) ? 0 : waitForMutex(k, mutex);
}

function* waitForMutex(k: Kernel, mutex: GuestAddr): Routine<number> {
  const task = k.sched.current;
  const waiters = k.locks.waiters(mutex);
  waiters.push(task);
  const owner = asAddr(mutex + k.locks.mutex.owner);
  k.memory.writePtr(owner, asAddr(mutexOwner(k, mutex) + MUTEX_FLAG_WAITERS));
  do {
    task.state = 2;
    yield { kind: 'schedule' };
  } while (waiters[0] !== task || mutexOwner(k, mutex) !== NULL);
  waiters.shift();
  takeMutex(k, mutex);
  return 0;
}

function unlockMutex(k: Kernel, mutex: GuestAddr): void {
  k.memory.writePtr(asAddr(mutex + k.locks.mutex.owner), NULL);
  const next = k.locks.waiters(mutex)[0];
  if (next !== undefined) k.sched.wakeUp(next, 2);
}

/** kernel/locking/mutex.c; `owner` is the owning task with flags in the low bits. */
export const mutexExports: ExportTable = {
  __mutex_init: fn(
    'void __mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key)',
    (k) => {
      const mutex = k.args.addr(0);
      k.memory.fill(mutex, 0, k.locks.mutex.size);
      const list = asAddr(mutex + k.locks.mutex.waitList);
      k.memory.writePtr(list, list);
      k.memory.writePtr(asAddr(list + 8), list);
    },
  ),
  mutex_lock: fn('void mutex_lock(struct mutex *lock)', (k) => {
    const waiting = lockMutex(k, k.args.addr(0));
    return typeof waiting === 'number' ? undefined : waiting;
  }),
  mutex_lock_interruptible: partial(
    'int mutex_lock_interruptible(struct mutex *lock)',
    'signals do not end the wait: no task gets any',
    (k) => lockMutex(k, k.args.addr(0)),
  ),
  mutex_lock_killable: partial(
    'int mutex_lock_killable(struct mutex *lock)',
    'signals do not end the wait: no task gets any',
    (k) => lockMutex(k, k.args.addr(0)),
  ),
  mutex_trylock: fn('int mutex_trylock(struct mutex *lock)', (k) => takeMutex(k, k.args.addr(0))),
  mutex_unlock: fn('void mutex_unlock(struct mutex *lock)', (k) => unlockMutex(k, k.args.addr(0))),
  mutex_is_locked: fn(
    'bool mutex_is_locked(struct mutex *lock)',
    (k) => mutexOwner(k, k.args.addr(0)) !== NULL,
  ),
};
