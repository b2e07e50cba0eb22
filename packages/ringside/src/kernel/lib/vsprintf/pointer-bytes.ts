import { asAddr } from '../../../bytes/index.ts';
import { spec as makeSpec } from './format-spec.ts';
import { putNumber, putString } from './number.ts';
import type { PointerConversion } from './pointer.ts';

const HEX_STRING_MAX = 64;

function hexBytes(bytes: Iterable<number>): string[] {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
}

/** `%*ph[CDN]`: up to 64 bytes in hexadecimal. */
export function putHexString({ f, ptr, spec, ext }: PointerConversion): void {
  if (spec.width === 0 || f.refuses(ptr, spec)) return;
  const length = spec.width > 0 ? Math.min(spec.width, HEX_STRING_MAX) : 1;
  const separator = { C: ':', D: '-', N: '' }[ext(1)] ?? ' ';
  f.out.put(hexBytes(f.services.memory.readBytes(ptr, length)).join(separator));
}

/** `%pM`, `%pm`: a six-byte hardware address. */
export function putMac({ f, ptr, spec, ext }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  const bytes = hexBytes(f.services.memory.readBytes(ptr, 6));
  if (ext(1) === 'R') bytes.reverse();
  putString(f.out, bytes.join(ext(0) !== 'M' ? '' : ext(1) === 'F' ? '-' : ':'), spec);
}

/** Byte order of a GUID, whose first three fields are little-endian. Source: RFC 4122 and EFI. */
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

export function putUuid({ f, ptr, spec, ext }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  const bytes = f.services.memory.readBytes(ptr, 16);
  const little = ext(1) === 'l' || ext(1) === 'L';
  const hex = hexBytes(little ? GUID_ORDER.map((i) => bytes[i]!) : bytes).join('');
  const text = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  );
  putString(f.out, ext(1) === 'L' || ext(1) === 'B' ? text.toUpperCase() : text, spec);
}

/** `%*pb`: a bitmap as 32-bit hexadecimal words, the highest first. The width is the number of bits. */
export function putBitmap({ f, ptr, spec }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  const bits = Math.max(spec.width, 0);
  const top = bits % 32 || 32;
  for (let start = Math.ceil(bits / 32) * 32 - 32, size = top; start >= 0; start -= 32, size = 32) {
    if (size !== top || start + size < bits) f.out.put(',');
    const word = f.services.memory.readU64(asAddr(ptr + Math.floor(start / 64) * 8));
    const value = (word >> BigInt(start % 64)) & ((1n << BigInt(size)) - 1n);
    putNumber(f.out, value, makeSpec({ base: 16, small: true, zero: true, width: Math.ceil(size / 4) }));
  }
}

/** `%*pbl`: a bitmap as ranges, `0-3,8`. */
export function putBitmapList({ f, ptr, spec }: PointerConversion): void {
  if (f.refuses(ptr, spec)) return;
  const bits = Math.max(spec.width, 0);
  let word = 0n;
  let start = -1;
  let separator = '';
  for (let bit = 0; bit <= bits; bit++) {
    if (bit < bits && bit % 64 === 0) word = f.services.memory.readU64(asAddr(ptr + bit / 8));
    const set = bit < bits && ((word >> BigInt(bit % 64)) & 1n) === 1n;
    if (set && start < 0) start = bit;
    if (!set && start >= 0) {
      f.out.put(separator + (bit - 1 === start ? `${start}` : `${start}-${bit - 1}`));
      separator = ',';
      start = -1;
    }
  }
}
