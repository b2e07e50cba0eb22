import { type RegisterFile, SLOT_FS_BASE, SLOT_GS_BASE } from './register-file.ts';

/** Model-specific registers of the CPU model. Source: SDM vol. 4, table 2-2. */
export const MSR = {
  TSC: 0x10,
  APIC_BASE: 0x1b,
  SYSENTER_CS: 0x174,
  SYSENTER_ESP: 0x175,
  SYSENTER_EIP: 0x176,
  PAT: 0x277,
  EFER: 0xc000_0080,
  STAR: 0xc000_0081,
  LSTAR: 0xc000_0082,
  CSTAR: 0xc000_0083,
  FMASK: 0xc000_0084,
  FS_BASE: 0xc000_0100,
  GS_BASE: 0xc000_0101,
  KERNEL_GS_BASE: 0xc000_0102,
} as const;

export const EFER_SCE = 1n;
/** SCE, LME, LMA, NXE. */
const EFER_KNOWN = 0xd01n;
const EFER_LMA = 0x400n;

/** Values after a 64-bit kernel has started. */
const INITIAL: readonly (readonly [number, bigint])[] = [
  [MSR.APIC_BASE, 0xfee0_0900n],
  [MSR.SYSENTER_CS, 0n],
  [MSR.SYSENTER_ESP, 0n],
  [MSR.SYSENTER_EIP, 0n],
  [MSR.PAT, 0x0007_0406_0007_0406n],
  [MSR.EFER, 0xd01n],
  [MSR.STAR, 0n],
  [MSR.LSTAR, 0n],
  [MSR.CSTAR, 0n],
  [MSR.FMASK, 0n],
  [MSR.KERNEL_GS_BASE, 0n],
];

const ADDRESSES: ReadonlySet<number> = new Set([
  MSR.SYSENTER_ESP,
  MSR.SYSENTER_EIP,
  MSR.LSTAR,
  MSR.CSTAR,
  MSR.FS_BASE,
  MSR.GS_BASE,
  MSR.KERNEL_GS_BASE,
]);
const PAT_TYPES = new Set([0, 1, 4, 5, 6, 7]);

function canonical(value: bigint): boolean {
  const top = BigInt.asIntN(64, value) >> 47n;
  return top === 0n || top === -1n;
}

/** The registers and what may be written to them. */
export class ModelRegisters {
  readonly #values = new Map<number, bigint>(INITIAL);
  /** Added to what is counted. */
  #timeOffset = 0n;

  /** Undefined: there is no such register. */
  read(msr: number, regs: RegisterFile, retired: number): bigint | undefined {
    if (msr === MSR.TSC) return BigInt.asUintN(64, BigInt(retired) + this.#timeOffset);
    if (msr === MSR.FS_BASE) return regs.u64(SLOT_FS_BASE);
    if (msr === MSR.GS_BASE) return regs.u64(SLOT_GS_BASE);
    return this.#values.get(msr);
  }

  /** Whether the register is there and takes the value. */
  write(msr: number, value: bigint, regs: RegisterFile, retired: number): boolean {
    if (ADDRESSES.has(msr) && !canonical(value)) return false;
    if (msr === MSR.TSC) {
      this.#timeOffset = value - BigInt(retired);
      return true;
    }
    if (msr === MSR.FS_BASE || msr === MSR.GS_BASE) {
      regs.setU64(msr === MSR.FS_BASE ? SLOT_FS_BASE : SLOT_GS_BASE, value);
      return true;
    }
    if (!this.#values.has(msr)) return false;
    if (msr === MSR.FMASK && value >> 32n !== 0n) return false;
    if (msr === MSR.PAT) {
      for (let i = 0n; i < 64n; i += 8n) if (!PAT_TYPES.has(Number((value >> i) & 0xffn))) return false;
    }
    if (msr === MSR.EFER) {
      if ((value & ~EFER_KNOWN) !== 0n) return false;
      // LMA is the processor's own; LME cannot change while paging is on.
      this.#values.set(msr, (value & ~0x500n) | 0x100n | EFER_LMA);
      return true;
    }
    this.#values.set(msr, value);
    return true;
  }
}
