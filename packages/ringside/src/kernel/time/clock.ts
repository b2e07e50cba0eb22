import type { Kernel } from '../kernel.ts';
import { Heap } from './heap.ts';

/** Virtual time that one guest instruction takes, in nanoseconds. */
export const NS_PER_INSTRUCTION = 1;

/** Virtual time that a call of a function of ours takes. */
export const NS_PER_NATIVE = 200;

/** Something that happens at a moment of virtual time, in the context of an interrupt. */
export interface ClockEvent {
  readonly deadlineNs: number;
  readonly fire: () => void;
  /** Distinguishes events of the same moment: they fire in the order they were set. */
  readonly order: number;
  cancelled: boolean;
}

/**
 * Virtual time, in nanoseconds since boot. It moves with the instructions that guest code retires, and jumps to the
 * next event when nothing can run. Nothing here reads the host's clock.
 */
export class Clock {
  readonly #k: Kernel;
  /** Binary heap by deadline, then order. */
  readonly #events = new Heap<ClockEvent>(before);
  #skippedNs: number;
  #order = 0;

  /** `bootNs`: how long ago the machine was switched on when it is handed over, as a kernel's log would show. */
  constructor(k: Kernel, bootNs: number) {
    this.#k = k;
    this.#skippedNs = bootNs;
  }

  /** Nanoseconds since boot; an integer. */
  get nowNs(): number {
    return this.#skippedNs + this.#k.cpu.retired * NS_PER_INSTRUCTION + this.#k.natives.spentNs;
  }

  at(deadlineNs: number, fire: () => void): ClockEvent {
    const event: ClockEvent = { deadlineNs, fire, order: this.#order++, cancelled: false };
    this.#events.push(event);
    return event;
  }

  cancel(event: ClockEvent): void {
    event.cancelled = true;
  }

  /** Whether an event's moment has come. */
  due(): boolean {
    const next = this.#next();
    return next !== undefined && next.deadlineNs <= this.nowNs;
  }

  /** Fires the first event that is due. */
  fire(): void {
    const event = this.#next();
    if (event === undefined) return;
    this.#events.pop();
    event.fire();
  }

  /** Moment of the next event, or undefined. */
  get nextEventNs(): number | undefined {
    return this.#next()?.deadlineNs;
  }

  /** Guest instructions until the next event or tick, at least 1. */
  instructionsToNextEvent(): number {
    const next = Math.min(this.#next()?.deadlineNs ?? Number.POSITIVE_INFINITY, this.#k.jiffies.nextTickNs);
    return Math.max(1, Math.ceil((next - this.nowNs) / NS_PER_INSTRUCTION));
  }

  /** Lets time pass while nothing runs. */
  skipTo(ns: number): void {
    if (ns > this.nowNs) this.#skippedNs += ns - this.nowNs;
    this.#k.jiffies.update();
  }

  /** Lets time pass inside a function of ours that spins: `udelay` and its siblings. */
  spend(ns: number): void {
    this.#skippedNs += ns;
    this.#k.jiffies.update();
  }

  #next(): ClockEvent | undefined {
    while (this.#events.top?.cancelled === true) this.#events.pop();
    return this.#events.top;
  }
}

function before(a: ClockEvent, b: ClockEvent): boolean {
  return a.deadlineNs < b.deadlineNs || (a.deadlineNs === b.deadlineNs && a.order < b.order);
}
