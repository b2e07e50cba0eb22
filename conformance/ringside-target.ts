// The machine under test, seen as a Target.

import type { Target, TargetOptions } from './harness/target.ts';

export function createTarget(_options: TargetOptions): Promise<Target> {
  return Promise.reject(new Error('Ringside has no machine yet: write this adapter on top of boot()'));
}
