import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { frame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { call, type Routine } from '../sched/routine.ts';
import type { ClockEvent } from './clock.ts';

/** Shape of the timer wheel. Source: kernel/time/timer.c, LVL_CLK_SHIFT and its siblings. */
const LEVEL_CLOCK_SHIFT = 3;
const LEVEL_BITS = 6;
const LEVEL_SIZE = 1 << LEVEL_BITS;

interface Pending {
  readonly addr: GuestAddr;
  /** The tick at which the wheel lets it expire. */
  readonly tick: number;
  readonly level: number;
  readonly order: number;
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

  /** Sets a timer that is not pending: `add_timer`. Its `expires` is in the struct. */
  add(timer: GuestAddr): void {
    const { memory, jiffies } = this.#k;
    const now = jiffies.now;
    const delta = Number(BigInt.asIntN(64, this.expires(timer) - BigInt(now)));
    const level = this.#level(delta);
    const granularity = 2 ** (level * LEVEL_CLOCK_SHIFT);
    // never early: rounded up by the level's granularity, even when it would fit
    const tick = delta < 0 ? now + 1 : (Math.floor((now + delta) / granularity) + 1) * granularity;
    // linked to itself: modules only ask whether there is a link
    memory.writePtr(asAddr(timer + this.#offsets.next), NULL);
    memory.writePtr(asAddr(timer + this.#offsets.pprev), timer);
    this.#pending.set(timer, { addr: timer, tick, level, order: this.#order++ });
    this.#arm();
  }

  /** `mod_timer`: whether it was pending. */
  modify(timer: GuestAddr, expires: bigint): boolean {
    const was = this.isPending(timer);
    if (was && this.expires(timer) === BigInt.asUintN(64, expires)) return true;
    if (was) this.#detach(timer);
    this.#k.memory.writeU64(asAddr(timer + this.#offsets.expires), BigInt.asUintN(64, expires));
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
    this.#pending.delete(timer);
    this.#k.memory.writePtr(asAddr(timer + this.#offsets.pprev), NULL);
  }

  /** The wheel's level for a delay in ticks. */
  #level(delta: number): number {
    let level = 0;
    while (level < 8 && delta >= (LEVEL_SIZE - 1) * 2 ** (level * LEVEL_CLOCK_SHIFT)) level++;
    return level;
  }

  #first(): Pending | undefined {
    let first: Pending | undefined;
    for (const p of this.#pending.values()) {
      if (first === undefined || runsBefore(p, first)) first = p;
    }
    return first;
  }

  #arm(): void {
    if (this.#event !== undefined) this.#k.clock.cancel(this.#event);
    this.#event = undefined;
    const first = this.#first();
    if (first === undefined || this.#softirqQueued) return;
    this.#event = this.#k.clock.at(this.#k.jiffies.toNs(first.tick), () => {
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
      yield* frame(k, 'call_timer_fn', '*', call(function_, first.addr));
      this.running = NULL;
    }
    this.#softirqQueued = false;
    this.#arm();
  }
}
