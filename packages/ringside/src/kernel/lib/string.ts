import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import { isspace, tolower } from './ctype.ts';

/**
 * Strings and bytes in guest memory, byte by byte as the kernel's `lib/string.c` reads them, so that a fault or a
 * report comes at the same byte. Addresses in, addresses or numbers out.
 */

const E2BIG = 7;

export function strlen(memory: GuestMemory, s: GuestAddr): number {
  return memory.readCString(s).length;
}

export function strnlen(memory: GuestMemory, s: GuestAddr, count: number): number {
  return memory.readCString(s, count).length;
}

/** `strcpy`: includes the NUL. Returns `dest`. */
export function strcpy(memory: GuestMemory, dest: GuestAddr, src: GuestAddr): GuestAddr {
  for (let i = 0; ; i++) {
    const copied: number = memory.readU8(asAddr(src + i));
    memory.writeU8(asAddr(dest + i), copied);
    if (copied === 0) return dest;
  }
}

/** `strncpy`: fills the rest of `count` with NULs. */
export function strncpy(memory: GuestMemory, dest: GuestAddr, src: GuestAddr, count: number): GuestAddr {
  let ended = false;
  for (let i = 0; i < count; i++) {
    const byte: number = ended ? 0 : memory.readU8(asAddr(src + i));
    ended = byte === 0;
    memory.writeU8(asAddr(dest + i), byte);
  }
  return dest;
}

/** `strlcpy`: the source's length is returned, also when it did not fit. */
export function strlcpy(memory: GuestMemory, dest: GuestAddr, src: GuestAddr, size: number): number {
  const text = memory.readCString(src);
  if (size > 0) {
    const copied = text.subarray(0, size - 1);
    memory.writeBytes(dest, copied);
    memory.writeU8(asAddr(dest + copied.length), 0);
  }
  return text.length;
}

/** `strscpy`: the number of characters copied, or -E2BIG when the source was cut (or `count` is 0 or absurd). */
export function strscpy(memory: GuestMemory, dest: GuestAddr, src: GuestAddr, count: number): number {
  if (count === 0 || count > 0x7fff_ffff) return -E2BIG;
  for (let i = 0; i < count; i++) {
    const byte = memory.readU8(asAddr(src + i));
    if (i === count - 1 && byte !== 0) {
      memory.writeU8(asAddr(dest + i), 0);
      return -E2BIG;
    }
    memory.writeU8(asAddr(dest + i), byte);
    if (byte === 0) return i;
  }
  return -E2BIG;
}

export function strcat(memory: GuestMemory, dest: GuestAddr, src: GuestAddr): GuestAddr {
  strcpy(memory, asAddr(dest + strlen(memory, dest)), src);
  return dest;
}

export function strncat(memory: GuestMemory, dest: GuestAddr, src: GuestAddr, count: number): GuestAddr {
  if (count === 0) return dest;
  const end = dest + strlen(memory, dest);
  const text = memory.readCString(src, count);
  memory.writeBytes(asAddr(end), text);
  memory.writeU8(asAddr(end + text.length), 0);
  return dest;
}

/** -1, 0 or 1, as the kernel's own `strcmp` returns. */
export function strcmp(memory: GuestMemory, a: GuestAddr, b: GuestAddr): number {
  return strncmp(memory, a, b, Number.POSITIVE_INFINITY);
}

export function strncmp(memory: GuestMemory, a: GuestAddr, b: GuestAddr, count: number): number {
  for (let i = 0; i < count; i++) {
    const x = memory.readU8(asAddr(a + i));
    const y = memory.readU8(asAddr(b + i));
    if (x !== y) return x < y ? -1 : 1;
    if (x === 0) return 0;
  }
  return 0;
}

/** Difference of the first two lower-cased bytes that differ. */
export function strncasecmp(memory: GuestMemory, a: GuestAddr, b: GuestAddr, count: number): number {
  for (let i = 0; i < count; i++) {
    const x = tolower(memory.readU8(asAddr(a + i)));
    const y = tolower(memory.readU8(asAddr(b + i)));
    if (x !== y || x === 0) return x - y;
  }
  return 0;
}

export function strcasecmp(memory: GuestMemory, a: GuestAddr, b: GuestAddr): number {
  return strncasecmp(memory, a, b, Number.POSITIVE_INFINITY);
}

/** The first `byte` in the string, or NULL; the NUL itself can be found. */
export function strchr(memory: GuestMemory, s: GuestAddr, byte: number): GuestAddr {
  const at = strchrnul(memory, s, byte);
  return memory.readU8(at) === (byte & 0xff) ? at : NULL;
}

/** The first `byte`, or the string's end. */
export function strchrnul(memory: GuestMemory, s: GuestAddr, byte: number): GuestAddr {
  for (let i = 0; ; i++) {
    const found = memory.readU8(asAddr(s + i));
    if (found === 0 || found === (byte & 0xff)) return asAddr(s + i);
  }
}

export function strrchr(memory: GuestMemory, s: GuestAddr, byte: number): GuestAddr {
  const text = memory.readCString(s);
  if ((byte & 0xff) === 0) return asAddr(s + text.length);
  const index = text.lastIndexOf(byte & 0xff);
  return index < 0 ? NULL : asAddr(s + index);
}

export function strnchr(memory: GuestMemory, s: GuestAddr, count: number, byte: number): GuestAddr {
  for (let i = 0; i < count; i++) {
    const found = memory.readU8(asAddr(s + i));
    if (found === (byte & 0xff)) return asAddr(s + i);
    if (found === 0) break;
  }
  return NULL;
}

export function strstr(memory: GuestMemory, s: GuestAddr, needle: GuestAddr): GuestAddr {
  const index = memory.readString(s).indexOf(memory.readString(needle));
  return index < 0 ? NULL : asAddr(s + index);
}

export function strnstr(memory: GuestMemory, s: GuestAddr, needle: GuestAddr, count: number): GuestAddr {
  const index = memory.readString(s, count).indexOf(memory.readString(needle));
  return index < 0 ? NULL : asAddr(s + index);
}

function spanLength(memory: GuestMemory, s: GuestAddr, set: GuestAddr, inSet: boolean): number {
  const accepted = new Set(memory.readCString(set));
  const text = memory.readCString(s);
  const end = text.findIndex((byte) => accepted.has(byte) !== inSet);
  return end < 0 ? text.length : end;
}

export function strspn(memory: GuestMemory, s: GuestAddr, accept: GuestAddr): number {
  return spanLength(memory, s, accept, true);
}

export function strcspn(memory: GuestMemory, s: GuestAddr, reject: GuestAddr): number {
  return spanLength(memory, s, reject, false);
}

export function strpbrk(memory: GuestMemory, s: GuestAddr, accept: GuestAddr): GuestAddr {
  const at = asAddr(s + strcspn(memory, s, accept));
  return memory.readU8(at) === 0 ? NULL : at;
}

/** `strsep`: cuts the string that the pointer at `stringp` points to at the next delimiter. */
export function strsep(memory: GuestMemory, stringp: GuestAddr, delimiters: GuestAddr): GuestAddr {
  const start = memory.readPtr(stringp);
  if (start === NULL) return NULL;
  const end = strpbrk(memory, start, delimiters);
  if (end !== NULL) memory.writeU8(end, 0);
  memory.writePtr(stringp, end === NULL ? NULL : asAddr(end + 1));
  return start;
}

export function skipSpaces(memory: GuestMemory, s: GuestAddr): GuestAddr {
  let at = s as number;
  while (isspace(memory.readU8(asAddr(at)))) at++;
  return asAddr(at);
}

/** `strim`: ends the string before its trailing spaces and returns where its text begins. */
export function strim(memory: GuestMemory, s: GuestAddr): GuestAddr {
  const text = memory.readCString(s);
  let end = text.length;
  while (end > 0 && isspace(text[end - 1]!)) end--;
  if (text.length > 0) memory.writeU8(asAddr(s + end), 0);
  return skipSpaces(memory, s);
}

/** `sysfs_streq`: equal but for one trailing newline. */
export function sysfsStreq(memory: GuestMemory, a: GuestAddr, b: GuestAddr): boolean {
  const x = memory.readString(a);
  const y = memory.readString(b);
  return x === y || x === `${y}\n` || y === `${x}\n`;
}

/** `match_string`: the index of the string in an array of `count` pointers (up to a NULL), or -EINVAL. */
export function matchString(memory: GuestMemory, array: GuestAddr, count: number, s: GuestAddr): number {
  const wanted = memory.readString(s);
  for (let i = 0; i < count; i++) {
    const item = memory.readPtr(asAddr(array + 8 * i));
    if (item === NULL) break;
    if (memory.readString(item) === wanted) return i;
  }
  return -22;
}

/** The difference of the first bytes that differ. */
export function memcmp(memory: GuestMemory, a: GuestAddr, b: GuestAddr, count: number): number {
  const x = memory.readBytes(a, count);
  const y = memory.readBytes(b, count);
  for (let i = 0; i < count; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return 0;
}

export function memchr(memory: GuestMemory, s: GuestAddr, byte: number, count: number): GuestAddr {
  for (let i = 0; i < count; i++) if (memory.readU8(asAddr(s + i)) === (byte & 0xff)) return asAddr(s + i);
  return NULL;
}

/** The first byte that is not `byte`, or NULL. */
export function memchrInv(memory: GuestMemory, s: GuestAddr, byte: number, count: number): GuestAddr {
  for (let i = 0; i < count; i++) if (memory.readU8(asAddr(s + i)) !== (byte & 0xff)) return asAddr(s + i);
  return NULL;
}
