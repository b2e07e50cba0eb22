import { EX_TYPE } from '../../abi/index.ts';
import { hex64, UnsupportedError } from '../../bytes/index.ts';
import { type CpuException, RAX, RCX, RDX } from '../../translate/index.ts';
import type { Kernel } from '../kernel.ts';
import type { ExceptionFixup } from '../module/index.ts';

const NAMES = new Map<number, string>(
  Object.entries(EX_TYPE).map(([name, value]) => [value as number, name]),
);
/** Fields of an entry's `data`. Source: arch/x86/include/asm/extable_fixup_types.h. */
const TYPE_MASK = 0xff;
const REGISTER_SHIFT = 8;
const IMMEDIATE_SHIFT = 16;

/**
 * Sends execution on where an exception table entry says. Source: arch/x86/mm/extable.c. Deviation: no warning is given about
 * an access to user memory at an address that is not canonical.
 */
export function applyFixup(k: Kernel, entry: ExceptionFixup, stop: CpuException): void {
  const { regs } = k.cpu;
  switch (entry.data & TYPE_MASK) {
    case EX_TYPE.EX_TYPE_DEFAULT:
    case EX_TYPE.EX_TYPE_UACCESS:
    case EX_TYPE.EX_TYPE_WRMSR:
    case EX_TYPE.EX_TYPE_RDMSR:
      break;
    case EX_TYPE.EX_TYPE_FAULT:
    case EX_TYPE.EX_TYPE_COPY:
      regs.setU64(RAX, BigInt(stop.vector));
      break;
    case EX_TYPE.EX_TYPE_UCOPY_LEN: {
      // what is left to copy: whole words, and the bytes of a register
      const bytes = regs.u64((entry.data >> REGISTER_SHIFT) & 0xf);
      const size = BigInt(entry.data >> IMMEDIATE_SHIFT);
      regs.setU64(RCX, BigInt.asUintN(64, size * regs.u64(RCX) + bytes));
      break;
    }
    case EX_TYPE.EX_TYPE_IMM_REG: {
      const register = (entry.data >> REGISTER_SHIFT) & 0xf;
      regs.setAddr(register, entry.data >> IMMEDIATE_SHIFT);
      break;
    }
    default:
      throw new UnsupportedError({
        what: `exception table entry of type ${NAMES.get(entry.data & TYPE_MASK) ?? entry.data & TYPE_MASK}`,
        neededBy: k.kallsyms.describe(entry.insn),
        advice: `the instruction at ${hex64(entry.insn)} faulted`,
      });
  }
  if ((entry.data & EX_TYPE.EX_FLAG_CLEAR_AX) !== 0) regs.setU64(RAX, 0n);
  if ((entry.data & EX_TYPE.EX_FLAG_CLEAR_DX) !== 0) regs.setU64(RDX, 0n);
  regs.rip = entry.fixup;
}
