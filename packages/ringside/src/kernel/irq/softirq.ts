import { PREEMPT } from '../../abi/index.ts';
import type { Kernel } from '../kernel.ts';
import { addPreemptCount } from '../percpu/preempt.ts';
import type { Routine } from '../sched/routine.ts';

/** What the real kernel's stack shows below a softirq that runs at the end of a timer interrupt, outermost first. */
const TIMER_INTERRUPT_FRAMES = [
  { name: 'asm_sysvec_apic_timer_interrupt', callee: 'sysvec_apic_timer_interrupt' },
  { name: 'sysvec_apic_timer_interrupt', callee: '__irq_exit_rcu' },
  { name: '__irq_exit_rcu', callee: '__do_softirq' },
  { name: '__do_softirq', callee: '*' },
] as const;

/** Softirqs, run on top of whatever the CPU was doing when an interrupt came. */
export class Softirq {
  readonly #k: Kernel;

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** Runs `routine` in softirq context, at once, on top of the current task. */
  raise(handler: string, routine: Routine<void>): void {
    const frames = [...TIMER_INTERRUPT_FRAMES, { name: handler, callee: '*' }].map((f) => ({ ...f }));
    this.#k.sched.interrupt('softirq', frames, this.#count(routine));
  }

  *#count(routine: Routine<void>): Routine<void> {
    addPreemptCount(this.#k, PREEMPT.SOFTIRQ_OFFSET);
    yield* routine;
    addPreemptCount(this.#k, -PREEMPT.SOFTIRQ_OFFSET);
  }
}
