import type { GuestMemory } from '../memory/index.ts';
import { decode, isInstruction } from '../x86/index.ts';
import { accessesOf, type DataAccess } from './accesses.ts';
import type { RegisterFile } from './register-file.ts';

/** The data accesses of the instruction that RIP stands on, from the registers before it; none where there is none. */
export function accessesAt(memory: GuestMemory, regs: RegisterFile): DataAccess[] {
  const { rip } = regs;
  if (!memory.isExecutable(rip)) return [];
  const ins = decode(memory.raw, rip >>> 0, rip);
  return isInstruction(ins) ? accessesOf(ins, regs) : [];
}
