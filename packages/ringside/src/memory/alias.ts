import { asAddr, type GuestAddr } from '../bytes/index.ts';
import type { GuestMemory, SlowPage } from './guest-memory.ts';

/**
 * Another view of memory that lives at `owner`, for `GuestMemory.mapSlow`: both addresses show the same bytes. `memory` may be
 * another one than that which has the view: a page that two address spaces share. What is there may be slow itself: a
 * device's page, or again a view. Permissions are the view's own, as with page tables: text that is read-only at its own address
 * can be written through it, and its translations are dropped.
 */
export function aliasOf(memory: GuestMemory, owner: GuestAddr): SlowPage {
  const read = (at: GuestAddr, size: 1 | 2 | 4 | 8): bigint => {
    if (memory.isSlow(at) && memory.isSlow(asAddr(at + size - 1))) return memory.slowRead(at, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) {
      const byte = asAddr(at + i);
      const part = memory.isSlow(byte) ? memory.slowRead(byte, 1) : BigInt(memory.raw[byte >>> 0]!);
      value = (value << 8n) | part;
    }
    return value;
  };
  const write = (at: GuestAddr, size: 1 | 2 | 4 | 8, value: bigint): void => {
    if (memory.isSlow(at) && memory.isSlow(asAddr(at + size - 1))) {
      memory.slowWrite(at, size, value);
      return;
    }
    for (let i = 0; i < size; i++) {
      const byte = asAddr(at + i);
      const part = (value >> BigInt(8 * i)) & 0xffn;
      if (memory.isSlow(byte)) memory.slowWrite(byte, 1, part);
      else memory.raw[byte >>> 0] = Number(part);
    }
    if (memory.isExecutable(at, size)) memory.onTextChange?.(at, size);
  };
  return {
    read: (offset, size) => read(asAddr(owner + offset), size),
    write: (offset, size, value) => write(asAddr(owner + offset), size, value),
  };
}
