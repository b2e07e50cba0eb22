import type { GuestAddr } from '../../bytes/index.ts';
import type { TrackedMemory } from '../../memory/index.ts';
import { type Instruction, NO_REGISTER } from '../../x86/index.ts';
import { accessesOf } from '../accesses.ts';
import type { InstructionFollower } from '../cpu.ts';
import { RAX, type RegisterFile, type RegisterState, RSP } from '../register-file.ts';
import { type DefinednessHost, TrackedOperands } from './operands.ts';
import type { SavedDefinedness } from './register-definedness.ts';
import { ARITHMETIC_RULES } from './track-arithmetic.ts';
import { MOVEMENT_RULES } from './track-movement.ts';
import { trackVector } from './track-simd.ts';

/** Most bytes that one instruction makes room for on a stack: more is a switch of stacks. */
const FRAME_LIMIT = 1 << 16;
/** Memory operands that are no access. */
const NO_ACCESS = new Set(
  'lea nop prefetch prefetchw invlpg clflush clflushopt clwb ud1 ud0 endbr64'.split(' '),
);

/**
 * Follows guest code instruction by instruction and knows which bits of registers, flags and memory are undefined.
 * Data that moves keeps what is known of it; results are undefined where they depend on undefined bits; what decides something (a
 * branch, an address, a jump, a divisor, what a device or a function of ours gets) is told to the host.
 */
export class DefinednessTracker implements InstructionFollower {
  readonly #t: TrackedOperands;
  readonly #saved = new WeakMap<RegisterState, SavedDefinedness>();
  /** The instruction before may have made room on the stack: where it is, and RSP before it. */
  #mayHaveGrown: GuestAddr | undefined;
  #stackBefore = 0;

  constructor(memory: TrackedMemory, regs: RegisterFile, host: DefinednessHost) {
    this.#t = new TrackedOperands(memory, regs, host);
    regs.onSave = (state) => this.#saved.set(state, this.#t.registers.save());
    regs.onLoad = (state) => {
      const saved = this.#saved.get(state);
      if (saved === undefined) this.#t.registers.reset();
      else this.#t.registers.restore(saved);
    };
    regs.onArgument = (reg, width) => this.#t.useRegister(reg, 'argument', width);
  }

  follow(ins: Instruction): void {
    this.#frame();
    const t = this.#t;
    t.begin(ins);
    if (ins.memory >= 0 && !NO_ACCESS.has(ins.name)) {
      if (ins.base !== NO_REGISTER) t.useRegister(ins.base, 'address');
      if (ins.index !== NO_REGISTER) t.useRegister(ins.index, 'address');
    }
    if (ins.operands[0]?.kind === 'reg' && ins.operands[0].reg === RSP) {
      this.#mayHaveGrown = ins.addr as GuestAddr;
      this.#stackBefore = t.regs.rsp;
    }
    const rule = ARITHMETIC_RULES[ins.name] ?? MOVEMENT_RULES[ins.name];
    const { family } = ins.encoding;
    if (family === 'simd' || family === 'mmx') trackVector(t);
    else if (rule !== undefined) rule(t);
    else this.#unknown(ins);
  }

  /** A function of ours has been called: what it gives back is defined. */
  called(): void {
    this.#frame();
    this.#t.registers.masks[RAX] = 0n;
  }

  /** A context begins with registers that the kernel has set. */
  begins(): void {
    this.#mayHaveGrown = undefined;
    this.#t.registers.reset();
  }

  /** Room that was made on the stack has what was left there. */
  #frame(): void {
    const place = this.#mayHaveGrown;
    if (place === undefined) return;
    this.#mayHaveGrown = undefined;
    const { rsp } = this.#t.regs;
    this.#t.registers.masks[RSP] = 0n;
    const bytes = this.#stackBefore - rsp;
    if (bytes <= 0 || bytes > FRAME_LIMIT) return;
    this.#t.memory.definedness.undefine(rsp >>> 0, bytes, this.#t.host.frame(place));
  }

  /** Nothing is known of what other instructions do with bits: their results count as defined. */
  #unknown(ins: Instruction): void {
    const t = this.#t;
    for (const operand of ins.operands) if (operand.kind === 'reg') t.registers.write(operand, 0n, 0);
    if (ins.encoding.flagsWritten !== 0) t.registers.flags.set(0);
    for (const { addr, size, access } of accessesOf(ins, t.regs)) {
      if (access === 'write') t.memory.definedness.define(addr >>> 0, size);
    }
  }
}
