import { type Case, DATA, WINDOW } from '../../../../scripts/silicon/cases.ts';
import { asAddr } from '../bytes/index.ts';
import { GuestMemory } from '../memory/index.ts';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import { FPU_BYTES, SLOT_RFLAGS } from './register-file.ts';

/** The arithmetic flags, as bits of RFLAGS. */
export const ARITHMETIC = 0x8d5;
const SPACING = 96;
/** Sequences in one machine: all of them would be more code than a process should hold. */
const TOGETHER = 8000;

/** A case in a machine's text, and where its code begins there. */
export interface PlacedCase {
  readonly c: Case;
  /** Its place among the cases. */
  readonly i: number;
  readonly machine: BareMachine;
  readonly start: number;
}

/** The cases one after another, translated, in as few machines as hold them. */
export function* placeCases(cases: readonly Case[]): Generator<PlacedCase> {
  const memory = new GuestMemory();
  for (let first = 0; first < cases.length; first += TOGETHER) {
    const together = cases.slice(first, first + TOGETHER);
    const machine = machineOf(together, memory);
    for (const [k, c] of together.entries()) {
      yield { c, i: first + k, machine, start: machine.text + k * SPACING };
    }
  }
}

/** A machine with the sequences as its text, each followed by more int3 than an instruction is long. */
function machineOf(cases: readonly Case[], memory: GuestMemory): BareMachine {
  const text = new Uint8Array(cases.length * SPACING).fill(0xcc);
  for (const [i, c] of cases.entries()) text.set(c.code, i * SPACING);
  const machine = bareMachine(text, { checked: false, memory });
  for (let i = 0; i < cases.length; i += 500) {
    machine.cpu.translate(cases.slice(i, i + 500).map((_, k) => asAddr(machine.text + (i + k) * SPACING)));
  }
  return machine;
}

/** Gives the machine a case's state; its x87 and SSE registers. Unchecked code takes user addresses as they are. */
export function enterCase({ c, machine, start }: PlacedCase): Uint8Array {
  const { memory } = machine;
  const { regs } = machine.cpu;
  memory.raw.fill(0, DATA, DATA + 4096);
  memory.raw.set(c.memory, DATA + WINDOW);
  for (let r = 0; r < 16; r++) regs.setU64(r, c.regs[r]!);
  const fpu = new Uint8Array(regs.fpu.buffer, regs.fpu.byteOffset, FPU_BYTES);
  fpu.set(c.fpu);
  regs.setU64(SLOT_RFLAGS, BigInt(c.flags));
  regs.rip = asAddr(start);
  return fpu;
}
