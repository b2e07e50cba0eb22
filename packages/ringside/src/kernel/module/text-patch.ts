import { addrLow, asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';

/** The kernel's no-operation instructions, by length. Source: arch/x86/include/asm/nops.h, BYTES_NOP1 to NOP8. */
const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

export const CALL_OPCODE = 0xe8;
export const JMP32_OPCODE = 0xe9;
export const JMP8_OPCODE = 0xeb;
export const RET_OPCODE = 0xc3;
export const INT3_OPCODE = 0xcc;

/** The longest no-operation instructions that fill `length` bytes. */
export function nops(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const size = Math.min(8, length - at);
    bytes.set(NOPS[size]!, at);
    at += size;
  }
  return bytes;
}

/** A near call or jump of `size` bytes (5, or 2 for the short jump) at `addr` to `target`. */
export function branch(opcode: number, addr: GuestAddr, target: GuestAddr, size = 5): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes[0] = opcode;
  const displacement = target - (addr + size);
  if (size === 2) bytes[1] = displacement & 0xff;
  else new DataView(bytes.buffer).setInt32(1, displacement | 0, true);
  return bytes;
}

/** Where the 32-bit displacement at `addr` that ends an instruction leads. */
export function branchTarget(memory: GuestMemory, addr: GuestAddr): GuestAddr {
  return asAddr(addr + 4 + memory.view.getInt32(addr >>> 0, true));
}

/** Whether `bytes` stand at `addr`. */
export function standsAt(memory: GuestMemory, addr: GuestAddr, bytes: ArrayLike<number>): boolean {
  const at = addr >>> 0;
  for (let i = 0; i < bytes.length; i++) if (memory.raw[at + i] !== bytes[i]) return false;
  return true;
}

/** `text_poke`: changes instructions whatever the page's protection, and drops their translations. */
export function pokeText(memory: GuestMemory, addr: GuestAddr, bytes: Uint8Array): void {
  memory.raw.set(bytes, addrLow(addr));
  if (memory.isExecutable(addr, bytes.length)) memory.onTextChange?.(addr, bytes.length);
}
