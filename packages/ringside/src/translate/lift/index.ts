import { ENCODINGS } from '../../x86/index.ts';
import { ARITHMETIC_LIFTERS } from './arithmetic.ts';
import { BIT_LIFTERS } from './bits.ts';
import type { Lifter } from './lifter.ts';
import { MOVEMENT_LIFTERS } from './movement.ts';
import { SIMD_FLOAT_LIFTERS } from './simd-float.ts';
import { SIMD_INTEGER_LIFTERS } from './simd-integer.ts';
import { SIMD_MOVE_LIFTERS } from './simd-move.ts';
import { STRING_LIFTERS } from './string.ts';
import { SYSTEM_LIFTERS } from './system.ts';
import { X87_LIFTERS } from './x87.ts';

/** What each operation of the instruction table does. Jumps, calls and returns are in `../block.ts`. */
export const LIFTERS: ReadonlyMap<string, Lifter> = new Map(
  Object.entries({
    ...ARITHMETIC_LIFTERS,
    ...BIT_LIFTERS,
    ...MOVEMENT_LIFTERS,
    ...SIMD_FLOAT_LIFTERS,
    ...SIMD_INTEGER_LIFTERS,
    ...SIMD_MOVE_LIFTERS,
    ...STRING_LIFTERS,
    ...SYSTEM_LIFTERS,
    ...X87_LIFTERS,
  }),
);

/** The same by the encoding's id. */
export const LIFTER_OF: readonly (Lifter | undefined)[] = ENCODINGS.map((e) => LIFTERS.get(e.name));
