/**
 * Character classes of single bytes, as the kernel's `ctype.h` has them: Latin-1, so that letters, spaces and
 * punctuation go on above 127. All take a byte (0 to 255). Source: Linux 6.1 lib/ctype.c.
 */

export function isdigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

export function isxdigit(byte: number): boolean {
  const lower = byte | 0x20;
  return isdigit(byte) || (lower >= 0x61 && lower <= 0x66);
}

export function isupper(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xde && byte !== 0xd7);
}

export function islower(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0xdf && byte <= 0xff && byte !== 0xf7);
}

export function isalpha(byte: number): boolean {
  return isupper(byte) || islower(byte);
}

export function isalnum(byte: number): boolean {
  return isalpha(byte) || isdigit(byte);
}

/** Tab to carriage return, space, and the no-break space 0xa0. */
export function isspace(byte: number): boolean {
  return (byte >= 9 && byte <= 13) || byte === 0x20 || byte === 0xa0;
}

export function isprint(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte >= 0xa0;
}

export function isascii(byte: number): boolean {
  return byte < 0x80;
}

export function tolower(byte: number): number {
  return isupper(byte) ? byte + 0x20 : byte;
}
