import { TAINT_FLAGS } from '../../abi/index.ts';

/** `module_flags_taint`: the letters for a module's taint word. */
export function taintLetters(taints: number): string {
  return TAINT_FLAGS.filter((flag) => flag.module && (taints & (1 << flag.bit)) !== 0)
    .map((flag) => flag.set)
    .join('');
}
