import { CPU_FEATURES, type CpuFeature } from '../../translate/index.ts';

/**
 * `boot_cpu_data.x86_capability` of the machine that Ringside presents, QEMU's default PC with its default CPU,
 * as Debian's kernel sets it up there (mitigations included): the words of features, then those of bugs.
 * Source: read out of the real kernel under QEMU.
 */
const CAPABILITY_WORDS = [
  0x078b_fbfd, 0x2193_fbfd, 0, 0x0635_4010, 0x8000_2001, 0, 0x0000_0105, 0x0008_2000, 0x0000_8000, 0, 0,
  0x0000_1020, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0001_ad40, 0,
];

/** `boot_cpu_has()`: `feature` is `32 * word + bit`. */
export function bootCpuHas(feature: number): boolean {
  return (((CAPABILITY_WORDS[feature >>> 5] ?? 0) >>> (feature & 31)) & 1) !== 0;
}

/** Where the word and bit of a feature are: `32 * word + bit`. Source: arch/x86/include/asm/cpufeatures.h. */
const FEATURE_BITS: Readonly<Record<CpuFeature, number>> = {
  abm: 6 * 32 + 5,
  bmi1: 9 * 32 + 3,
  clflushopt: 9 * 32 + 23,
  clwb: 9 * 32 + 24,
  cx16: 4 * 32 + 13,
  fsgsbase: 9 * 32,
  lahf_lm: 6 * 32,
  movbe: 4 * 32 + 22,
  pni: 4 * 32,
  popcnt: 4 * 32 + 23,
  smap: 9 * 32 + 20,
  sse4_2: 4 * 32 + 20,
};

/** What the machine's processor has: alternatives and instructions go by the same words. */
export function bootCpuFeatures(): ReadonlySet<CpuFeature> {
  return new Set(CPU_FEATURES.filter((feature) => bootCpuHas(FEATURE_BITS[feature])));
}

/**
 * Targets of the kernel's static calls after boot, with the preemption model that `preempt=` chose (Debian's
 * default: voluntary). Source: kernel/sched/core.c, __sched_dynamic_update.
 */
export function preemptStaticCall(model: 'none' | 'voluntary' | 'full', key: string): string | undefined {
  switch (key) {
    case '__SCK__cond_resched':
      return model === 'full' ? '__static_call_return0' : '__cond_resched';
    case '__SCK__might_resched':
      return model === 'voluntary' ? '__cond_resched' : '__static_call_return0';
    case '__SCK__preempt_schedule':
      return model === 'full' ? 'preempt_schedule_thunk' : '';
    case '__SCK__preempt_schedule_notrace':
      return model === 'full' ? 'preempt_schedule_notrace_thunk' : '';
    case '__SCK__irqentry_exit_cond_resched':
      return model === 'full' ? 'raw_irqentry_exit_cond_resched' : '';
    default:
      return undefined;
  }
}
