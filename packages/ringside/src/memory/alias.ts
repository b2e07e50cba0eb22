import { asAddr, type GuestAddr } from '../bytes/index.ts';
import type { GuestMemory, SlowPage } from './guest-memory.ts';

/**
 * Another view of memory that lives at `owner`, for `GuestMemory.mapSlow`: both addresses show the same bytes. Permissions
 * are the view's own, as with page tables: text that is read-only at its own address can be written through it, and
 * its translations are dropped.
 */
export function aliasOf(memory: GuestMemory, owner: GuestAddr): SlowPage {
  return {
    read: (offset, size) => {
      let value = 0n;
      const at = (owner + offset) >>> 0;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(memory.raw[at + i]!);
      return value;
    },
    write: (offset, size, value) => {
      const at = asAddr(owner + offset);
      for (let i = 0; i < size; i++) {
        memory.raw[(at >>> 0) + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      }
      if (memory.isExecutable(at, size)) memory.onTextChange?.(at, size);
    },
  };
}
