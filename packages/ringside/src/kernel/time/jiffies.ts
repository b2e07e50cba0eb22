import type { GuestAddr } from '../../bytes/index.ts';
import type { Kernel } from '../kernel.ts';

/**
 * `jiffies`: the tick counter, in guest memory where modules read it. It starts five minutes before it wraps as 32
 * bits, as Linux has it (Source: include/linux/jiffies.h, INITIAL_JIFFIES).
 */
export class Jiffies {
  readonly #k: Kernel;
  readonly hz: number;
  readonly initial: number;
  /** Ticks since boot that the guest has been told of. */
  #ticks = -1;
  #addr: GuestAddr | undefined;

  constructor(k: Kernel, hz: number) {
    this.#k = k;
    this.hz = hz;
    this.initial = 2 ** 32 - 300 * hz;
  }

  /** The present value. */
  get now(): number {
    return this.initial + Math.floor((this.#k.clock.nowNs * this.hz) / 1e9);
  }

  get nextTickNs(): number {
    return this.toNs(this.now + 1);
  }

  /** The moment a jiffies value begins. */
  toNs(jiffies: number): number {
    return Math.ceil(((jiffies - this.initial) * 1e9) / this.hz);
  }

  /** Says where the guest's variable is. */
  bind(addr: GuestAddr): void {
    this.#addr = addr;
    this.#ticks = -1;
    this.update();
  }

  /** Brings the guest's variable up to date. */
  update(): void {
    const { now } = this;
    if (now === this.#ticks || this.#addr === undefined) return;
    this.#ticks = now;
    this.#k.memory.view.setBigUint64(this.#addr >>> 0, BigInt(now), true);
  }
}
