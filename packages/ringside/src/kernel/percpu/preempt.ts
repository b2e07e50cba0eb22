import { asAddr } from '../../bytes/index.ts';
import type { Kernel } from '../kernel.ts';

/** `preempt_count()` of the running CPU, without the bit that says whether to reschedule. */
export function preemptCount(k: Kernel): number {
  return k.memory.readU32(k.percpu.addressOf('__preempt_count')) & 0x7fff_ffff;
}

export function addPreemptCount(k: Kernel, delta: number): void {
  const at = k.percpu.addressOf('__preempt_count');
  k.memory.writeU32(asAddr(at), k.memory.readU32(at) + delta);
}
