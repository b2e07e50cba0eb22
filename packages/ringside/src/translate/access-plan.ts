import type { Instruction } from '../x86/index.ts';

/** A check that stands for several accesses of a block. */
export interface GroupCheck {
  /** From the first access's address to the lowest byte of the group. */
  readonly offset: number;
  readonly bytes: number;
  readonly write: boolean;
  /** Whether the sign of the address has to be looked at. */
  readonly sign: boolean;
}

/** Which accesses of a block share a check. */
export interface AccessPlan {
  /** `checked`: an earlier check covers it; a group: check this and it covers the later ones; undefined: on its own. */
  covers(ins: Instruction, key: number): 'checked' | GroupCheck | undefined;
}

/** Plans the checks of a block. */
export function planAccesses(_instructions: readonly Instruction[]): AccessPlan | undefined {
  return undefined;
}
