import { UnsupportedError } from '../bytes/index.ts';
import type { Instruction } from '../x86/index.ts';
import { MEMORY } from './flags.ts';
import { isTerminator } from './guest-function.ts';
import type { Stmt } from './ir.ts';
import { LIFTERS } from './lift/index.ts';
import { LiftContext, Temps } from './lift-context.ts';

/**
 * How an instruction is run: translated, made by the host (`CpuOptions.system`), always an exception, or not at all
 * (`UnsupportedError`).
 */
export type Treatment = 'translated' | 'host' | 'exception' | 'unsupported';

export function treatmentOf(ins: Instruction): Treatment {
  if (isTerminator(ins)) return 'translated';
  const lifter = LIFTERS.get(ins.name);
  if (lifter === undefined) return 'unsupported';
  const c = new LiftContext('checked', new Temps(), MEMORY, 0);
  c.ins = ins;
  c.notMade = 1;
  try {
    lifter(c, ins);
  } catch (error) {
    if (error instanceof UnsupportedError) return 'unsupported';
    throw error;
  }
  const always = c.stmts.find((s): s is Extract<Stmt, { kind: 'exit' }> => {
    return s.kind === 'exit' && s.condition === undefined;
  });
  switch (always?.exit.reason) {
    case 'system':
      return 'host';
    case 'exception':
      return 'exception';
    case 'unsupported':
      return 'unsupported';
    default:
      return 'translated';
  }
}
