import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { frame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { addPreemptCount, preemptCount } from '../percpu/preempt.ts';
import { call, type Routine } from '../sched/routine.ts';
import type { ClockEvent } from './clock.ts';
import { Heap } from './heap.ts';

/** Shape of the timer wheel. Source: kernel/time/timer.c, LVL_CLK_SHIFT and its siblings. */
const LEVEL_CLOCK_SHIFT = 3;
const LEVEL_BITS = 6;
const LEVEL_SIZE = 1 << LEVEL_BITS;

/** Levels of the wheel: 9 with more than 100 ticks a second. Source: kernel/time/timer.c, LVL_DEPTH. */
function levels(hz: number): number {
  return hz > 100 ? 9 : 8;
}

/** First delay, in ticks, that a level is too short for. Source: kernel/time/timer.c, LVL_START. */
function levelStart(level: number): number {
  return (LEVEL_SIZE - 1) * 2 ** ((level - 1) * LEVEL_CLOCK_SHIFT);
}

interface Pending {
  readonly addr: GuestAddr;
  /** The tick at which the wheel lets it expire. */
  readonly tick: number;
  readonly level: number;
  readonly order: number;
  /** Taken out, or set anew: what is left in the heap is passed over. */
  gone: boolean;
}

/** The wheel runs its coarsest level first, and in a bucket the timer that was added last. */
function runsBefore(a: Pending, b: Pending): boolean {
  if (a.tick !== b.tick) return a.tick < b.tick;
  return a.level === b.level ? a.order > b.order : a.level > b.level;
}

/**
 * Kernel timers (`struct timer_list`). Whether a timer is pending is what its `entry` says in guest memory, as
 * `timer_pending` reads it; when it expires is rounded as the wheel's levels round it.
 */
export class Timers {
  readonly #k: Kernel;
  readonly #pending = new Map<GuestAddr, Pending>();
  /** Binary heap in the order of running, with entries that are gone. */
  readonly #heap = new Heap<Pending>(runsBefore);
  readonly #offsets: {
    readonly pprev: number;
    readonly next: number;
    readonly expires: number;
    readonly function_: number;
    readonly flags: number;
  };
  #event: ClockEvent | undefined;
  #order = 0;
  /** The timer whose function runs now. */
  running: GuestAddr = NULL;
  #softirqQueued = false;
  /** The warning of adding a pending timer comes once. */
  #pendingTold = false;
  /** The warning of a leaked preempt count comes once. */
  #leakTold = false;

  constructor(k: Kernel) {
    this.#k = k;
    const t = k.spec.types.struct('timer_list');
    this.#offsets = {
      next: t.offsetOf('entry.next'),
      pprev: t.offsetOf('entry.pprev'),
      expires: t.offsetOf('expires'),
      function_: t.offsetOf('function'),
      flags: t.offsetOf('flags'),
    };
  }

  init(timer: GuestAddr, function_: GuestAddr, flags: number): void {
    const { memory } = this.#k;
    memory.writePtr(asAddr(timer + this.#offsets.pprev), NULL);
    memory.writePtr(asAddr(timer + this.#offsets.function_), function_);
    memory.writeU32(asAddr(timer + this.#offsets.flags), flags);
  }

  get expiresOffset(): number {
    return this.#offsets.expires;
  }

  isPending(timer: GuestAddr): boolean {
    return this.#k.memory.readU64(asAddr(timer + this.#offsets.pprev)) !== 0n;
  }

  expires(timer: GuestAddr): bigint {
    return this.#k.memory.readU64(asAddr(timer + this.#offsets.expires));
  }

  /** `add_timer`, which warns once of a timer that is pending. Source: kernel/time/timer.c. */
  addNew(timer: GuestAddr): void {
    if (!this.isPending(timer)) this.add(timer);
    else if (!this.#pendingTold) {
      this.#pendingTold = true;
      this.#k.warnInKernel('add_timer', '');
    }
  }

  /** Sets a timer that is not pending. Its `expires` is in the struct. */
  add(timer: GuestAddr): void {
    const { memory } = this.#k;
    const { tick, level } = this.place(this.expires(timer));
    memory.writePtr(asAddr(timer + this.#offsets.next), NULL);
    // linked to itself: modules only ask whether there is a link
    memory.writePtr(asAddr(timer + this.#offsets.pprev), timer);
    this.#forget(timer);
    const pending = { addr: timer, tick, level, order: this.#order++, gone: false };
    this.#pending.set(timer, pending);
    this.#heap.push(pending);
    this.#arm();
  }

  /** Where the wheel puts a timer: the tick at which it runs, and the level. Source: calc_wheel_index. */
  place(expires: bigint): { readonly tick: number; readonly level: number } {
    const { now, hz } = this.#k.jiffies;
    const depth = levels(hz);
    const cutoff = levelStart(depth);
    const delta = Math.min(
      Number(BigInt.asIntN(64, expires - BigInt(now))),
      cutoff - 2 ** ((depth - 1) * LEVEL_CLOCK_SHIFT),
    );
    if (delta < 0) return { tick: now + 1, level: 0 };
    let level = 0;
    while (level < depth - 1 && delta >= levelStart(level + 1)) level++;
    const granularity = 2 ** (level * LEVEL_CLOCK_SHIFT);
    // never early: rounded up by the level's granularity, even when it would fit
    return { tick: (Math.floor((now + delta) / granularity) + 1) * granularity, level };
  }

  /** `mod_timer`: whether it was pending. */
  modify(timer: GuestAddr, expires: bigint): boolean {
    const { memory } = this.#k;
    const was = this.isPending(timer);
    const value = BigInt.asUintN(64, expires);
    if (was && this.expires(timer) === value) return true;
    // shut down: nothing sets it again
    if (memory.readU64(asAddr(timer + this.#offsets.function_)) === 0n) return false;
    memory.writeU64(asAddr(timer + this.#offsets.expires), value);
    const pending = this.#pending.get(timer);
    if (was && pending !== undefined) {
      // in the same bucket it keeps its place
      const { tick, level } = this.place(value);
      if (tick === pending.tick && level === pending.level) return true;
    }
    if (was) this.#detach(timer);
    this.add(timer);
    return was;
  }

  /** `del_timer`: whether it was pending. */
  remove(timer: GuestAddr): boolean {
    if (!this.isPending(timer)) return false;
    this.#detach(timer);
    this.#arm();
    return true;
  }

  #detach(timer: GuestAddr): void {
    this.#forget(timer);
    this.#k.memory.writePtr(asAddr(timer + this.#offsets.pprev), NULL);
  }

  #forget(timer: GuestAddr): void {
    const pending = this.#pending.get(timer);
    if (pending === undefined) return;
    pending.gone = true;
    this.#pending.delete(timer);
  }

  #first(): Pending | undefined {
    while (this.#heap.top?.gone === true) this.#heap.pop();
    return this.#heap.top;
  }

  #arm(): void {
    const first = this.#first();
    const wanted = first === undefined || this.#softirqQueued ? undefined : this.#k.jiffies.toNs(first.tick);
    if (this.#event?.deadlineNs === wanted) return;
    if (this.#event !== undefined) this.#k.clock.cancel(this.#event);
    this.#event = undefined;
    if (wanted === undefined) return;
    this.#event = this.#k.clock.at(wanted, () => {
      this.#event = undefined;
      this.#softirqQueued = true;
      this.#k.softirq.raise(
        [
          { name: 'run_timer_softirq', callee: '__run_timers' },
          { name: '__run_timers', callee: 'call_timer_fn' },
        ],
        this.#runExpired(),
      );
    });
  }

  *#runExpired(): Routine<void> {
    const k = this.#k;
    for (;;) {
      const first = this.#first();
      if (first === undefined || first.tick > k.jiffies.now) break;
      const function_ = k.memory.readPtr(asAddr(first.addr + this.#offsets.function_));
      this.#detach(first.addr);
      this.running = first.addr;
      const count = preemptCount(k);
      yield* frame(k, 'call_timer_fn', '*', call(function_, first.addr));
      this.running = NULL;
      const after = preemptCount(k);
      if (after !== count) {
        this.#leaked(function_, count, after);
        addPreemptCount(k, count - after);
      }
    }
    this.#softirqQueued = false;
    this.#arm();
  }

  /** Source: kernel/time/timer.c, call_timer_fn. */
  #leaked(function_: GuestAddr, before: number, after: number): void {
    if (this.#leakTold) return;
    this.#leakTold = true;
    const [from, to] = [before, after].map((count) => count.toString(16).padStart(8, '0'));
    const name = this.#k.kallsyms.describe(function_);
    this.#k.warnInKernel('call_timer_fn', `timer: ${name} preempt leak: ${from} -> ${to}`);
  }
}
