import { asAddr, type GuestAddr } from '../../../bytes/index.ts';
import type { GuestMemory } from '../../../memory/index.ts';
import type { VariableArguments } from './arguments.ts';
import type { FormatServices } from './services.ts';
import { format } from './vsprintf.ts';

export const INT_MAX = 0x7fff_ffff;

/** Stores Latin-1 text in guest memory, with a NUL behind it. */
export function writeText(memory: GuestMemory, addr: GuestAddr, text: string): void {
  const bytes = new Uint8Array(text.length + 1);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  memory.writeBytes(addr, bytes);
}

/**
 * `vsnprintf`: formats into `size` bytes at `buf`, always ended with a NUL when `size` is not 0.
 * @returns The length of the whole text without NUL, also when it did not fit.
 *
 * Deviation: the text is complete before the first byte is stored, so a format that reads its own output buffer
 * sees what was there before.
 */
export function vsnprintf(
  services: FormatServices,
  buf: GuestAddr,
  size: number,
  fmt: GuestAddr,
  args: VariableArguments,
): number {
  if (size > INT_MAX) {
    services.warnOnce('vsnprintf', '');
    return 0;
  }
  const { text, length } = format(services, services.memory.readString(fmt), args, Math.max(0, size - 1));
  if (size > 0) writeText(services.memory, buf, text);
  return length;
}

/** `vscnprintf`: as `vsnprintf`, but returns how many characters were stored. */
export function vscnprintf(
  services: FormatServices,
  buf: GuestAddr,
  size: number,
  fmt: GuestAddr,
  args: VariableArguments,
): number {
  if (size === 0) return 0;
  return Math.min(vsnprintf(services, buf, size, fmt, args), size - 1);
}

/** `vsprintf`: as much as there is. */
export function vsprintf(
  services: FormatServices,
  buf: GuestAddr,
  fmt: GuestAddr,
  args: VariableArguments,
): number {
  return vsnprintf(services, buf, INT_MAX, fmt, args);
}

/**
 * `kvasprintf`: the text in memory of its own.
 * @param alloc Gives memory of that many bytes, or 0.
 * @returns The text's address; 0 without memory.
 */
export function kvasprintf(
  services: FormatServices,
  alloc: (sizeBytes: number) => GuestAddr,
  fmt: GuestAddr,
  args: VariableArguments,
): GuestAddr {
  const { text } = format(services, services.memory.readString(fmt), args, INT_MAX);
  const addr = alloc(text.length + 1);
  if (addr !== 0) writeText(services.memory, addr, text);
  return asAddr(addr);
}
