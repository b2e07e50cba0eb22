import { UnsupportedError } from '../bytes/index.ts';
import { type Instruction, printInstruction } from '../x86/index.ts';
import type { CpuException } from './cpu.ts';
import { RAX, RBX, RCX, RDX, type RegisterFile, SLOT_FS_BASE, SLOT_GS_BASE } from './register-file.ts';

/** What the rest of the machine does for instructions that reach beyond registers and memory. */
export interface SystemInstructions {
  /**
   * Makes the instruction: registers are exact, RIP stands on it and moves on afterwards (the engine does that).
   * Returns an exception to raise it. Throws `UnsupportedError` for what is not there.
   */
  execute(ins: Instruction, regs: RegisterFile, retired: number): CpuException | undefined;
}

const MSR_FS_BASE = 0xc000_0100;
const MSR_GS_BASE = 0xc000_0101;

/** Answers of `cpuid`: (leaf, subleaf) -> eax, ebx, ecx, edx. */
export type CpuidTable = (leaf: number, subleaf: number) => readonly [number, number, number, number];

/** A CPU without features beyond baseline x86-64. Deviation: the kernel's CPU model replaces it. */
const BASELINE_CPUID: CpuidTable = (leaf) => {
  switch (leaf) {
    case 0:
      return [1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69];
    case 1:
      return [0x663, 0x800, 0x2001, 0x078b_fbfd];
    case 0x8000_0000:
      return [0x8000_0001 | 0, 0, 0, 0];
    case 0x8000_0001:
      return [0x663, 0, 1, 0x2010_0800];
    default:
      return [0, 0, 0, 0];
  }
};

/**
 * A processor on its own: `cpuid` from a table, a time stamp counter that counts instructions, FS and GS base, control
 * registers that keep what is written. Ports and other model-specific registers are for the machine to give.
 */
export class BareSystem implements SystemInstructions {
  readonly #cpuid: CpuidTable;
  readonly #control = new Map<number, bigint>([
    [0, 0x8005_0033n],
    [3, 0n],
    [4, 0x6f0n],
  ]);

  constructor(cpuid: CpuidTable = BASELINE_CPUID) {
    this.#cpuid = cpuid;
  }

  execute(ins: Instruction, regs: RegisterFile, retired: number): CpuException | undefined {
    const gpr = ins.operands.find((o) => o.kind === 'reg')?.reg ?? RAX;
    switch (ins.name) {
      case 'cpuid': {
        const [a, b, c, d] = this.#cpuid(regs.u32(RAX), regs.u32(RCX));
        regs.setU32(RAX, a);
        regs.setU32(RBX, b);
        regs.setU32(RCX, c);
        regs.setU32(RDX, d);
        return undefined;
      }
      case 'rdtsc':
      case 'rdtscp':
        regs.setU32(RAX, retired >>> 0);
        regs.setU32(RDX, Math.floor(retired / 2 ** 32));
        if (ins.name === 'rdtscp') regs.setU32(RCX, 0);
        return undefined;
      case 'rdmsr':
      case 'wrmsr': {
        const msr = regs.u32(RCX);
        if (msr !== MSR_FS_BASE && msr !== MSR_GS_BASE) break;
        const slot = msr === MSR_FS_BASE ? SLOT_FS_BASE : SLOT_GS_BASE;
        if (ins.name === 'wrmsr') regs.setU64(slot, (BigInt(regs.u32(RDX)) << 32n) | BigInt(regs.u32(RAX)));
        else {
          regs.setU32(RAX, regs.u32(slot));
          regs.setU32(RDX, Number(regs.u64(slot) >> 32n));
        }
        return undefined;
      }
      case 'mov_from_cr':
        regs.setU64(gpr, this.#control.get(ins.operands.find((o) => o.kind === 'control')!.reg) ?? 0n);
        return undefined;
      case 'mov_to_cr':
        this.#control.set(ins.operands.find((o) => o.kind === 'control')!.reg, regs.u64(gpr));
        return undefined;
      case 'hlt':
      case 'invlpg':
      case 'wbinvd':
      case 'invd':
      case 'clts':
        return undefined;
      default:
    }
    throw new UnsupportedError({ what: `instruction "${printInstruction(ins)}"` });
  }
}
