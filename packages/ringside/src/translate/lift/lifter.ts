import type { Instruction } from '../../x86/index.ts';
import type { LiftContext } from '../lift-context.ts';

/** Appends what an instruction does to the context's statements. */
export type Lifter = (c: LiftContext, ins: Instruction) => void;
