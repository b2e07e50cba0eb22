import { type GuestAddr, hex64 } from '../bytes/index.ts';

export type Access = 'read' | 'write' | 'execute';

/** Why an access cannot be made. `poison` is ours alone: the real CPU would make the access. */
export type FaultReason = 'non-canonical' | 'user' | 'not-mapped' | 'protection' | 'poison';

/**
 * A memory access of guest code, or of a function of ours on the guest's behalf, that the simulated CPU does
 * not allow. Thrown by the accessors of `GuestMemory` inside functions of ours and turned into a guest fault at
 * the boundary to the guest; it never reaches the host.
 */
export class GuestAccessFault {
  readonly addr: GuestAddr;
  /** Size of the access in bytes. */
  readonly size: number;
  readonly access: Access;
  readonly reason: FaultReason;

  constructor(addr: GuestAddr, size: number, access: Access, reason: FaultReason) {
    this.addr = addr;
    this.size = size;
    this.access = access;
    this.reason = reason;
  }

  toString(): string {
    return `${this.access} of ${this.size} bytes at ${hex64(this.addr)}: ${this.reason}`;
  }
}
