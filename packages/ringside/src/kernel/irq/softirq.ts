import { PREEMPT } from '../../abi/index.ts';
import type { HostFrame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { addPreemptCount } from '../percpu/preempt.ts';
import type { Routine } from '../sched/routine.ts';

/** What the real kernel's stack shows below a softirq that runs at the end of a timer interrupt, outermost first. */
function timerInterruptFrames(k: Kernel): HostFrame[] {
  // the loop over softirqs has changed its name within the series
  const named = k.spec.calls.returnOffset('__irq_exit_rcu', 'handle_softirqs') !== undefined;
  const softirqs = named ? 'handle_softirqs' : '__do_softirq';
  return [
    { name: 'asm_sysvec_apic_timer_interrupt', callee: 'sysvec_apic_timer_interrupt' },
    { name: 'sysvec_apic_timer_interrupt', callee: '__irq_exit_rcu' },
    { name: '__irq_exit_rcu', callee: softirqs },
    { name: softirqs, callee: '*' },
  ];
}

/** Softirqs, run on top of whatever the CPU was doing when an interrupt came. */
export class Softirq {
  readonly #k: Kernel;

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** `handlers`: frames of the softirq's own functions. Runs `routine` in softirq context, at once, on top of the current task. */
  raise(handlers: readonly HostFrame[], routine: Routine<void>): void {
    const frames = [...timerInterruptFrames(this.#k), ...handlers];
    this.#k.sched.interrupt('softirq', frames, this.#count(routine));
  }

  *#count(routine: Routine<void>): Routine<void> {
    addPreemptCount(this.#k, PREEMPT.SOFTIRQ_OFFSET);
    yield* routine;
    addPreemptCount(this.#k, -PREEMPT.SOFTIRQ_OFFSET);
  }
}
