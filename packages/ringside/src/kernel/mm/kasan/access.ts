import type { GuestAddr } from '../../../bytes/index.ts';
import type { Access } from '../../../memory/index.ts';
import { accessesAt, type CpuException, VECTOR } from '../../../translate/index.ts';
import type { Kernel } from '../../kernel.ts';

/** #PF error code bits. Source: SDM vol. 3, 4.7. */
const PF_WRITE = 2;
const PF_INSTRUCTION = 0x10;

export interface FailedAccess {
  readonly address: GuestAddr;
  /** In bytes. */
  readonly size: number;
  readonly access: Access;
  /** The address that the processor names. */
  readonly firstBad: GuestAddr;
}

/** The memory access that an exception is about; undefined when it is about something else. */
export function accessOf(k: Kernel, stop: CpuException): FailedAccess | undefined {
  const { address: firstBad, accessSize = 1 } = stop;
  if (firstBad === undefined) return undefined;
  if (stop.vector === VECTOR.PF && (stop.errorCode & PF_INSTRUCTION) !== 0) {
    return { address: firstBad, size: 0, access: 'execute', firstBad };
  }
  // the instruction knows where the access begins; what the processor names may be the second page's first byte
  const made = accessesAt(k.memory, k.cpu.regs).find(
    ({ addr, size }) => addr <= firstBad && firstBad < addr + size,
  );
  if (made !== undefined) return { address: made.addr, size: made.size, access: made.access, firstBad };
  const access = stop.vector === VECTOR.PF && (stop.errorCode & PF_WRITE) !== 0 ? 'write' : 'read';
  return { address: firstBad, size: accessSize, access, firstBad };
}
