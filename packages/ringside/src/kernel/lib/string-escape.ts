import { isascii, isprint, isxdigit } from './ctype.ts';

/** Classes of characters that `string_escape_mem` escapes. Source: Linux 6.1 include/linux/string_helpers.h. */
export const ESCAPE_SPACE = 0x01;
export const ESCAPE_SPECIAL = 0x02;
export const ESCAPE_NULL = 0x04;
export const ESCAPE_OCTAL = 0x08;
export const ESCAPE_ANY = ESCAPE_SPACE | ESCAPE_OCTAL | ESCAPE_SPECIAL | ESCAPE_NULL;
export const ESCAPE_NP = 0x10;
export const ESCAPE_ANY_NP = ESCAPE_ANY | ESCAPE_NP;
export const ESCAPE_HEX = 0x20;
export const ESCAPE_NA = 0x40;
export const ESCAPE_NAP = 0x80;
export const ESCAPE_APPEND = 0x100;

export const UNESCAPE_SPACE = 0x01;
export const UNESCAPE_OCTAL = 0x02;
export const UNESCAPE_HEX = 0x04;
export const UNESCAPE_SPECIAL = 0x08;

const LETTERS: Readonly<Record<string, number>> = {
  a: ESCAPE_ANY,
  c: ESCAPE_SPECIAL,
  h: ESCAPE_HEX,
  n: ESCAPE_NULL,
  o: ESCAPE_OCTAL,
  p: ESCAPE_NP,
  s: ESCAPE_SPACE,
};

/** The flags that the letters of `%pE` stand for. */
export function escapeFlags(letters: string): number {
  let flags = 0;
  for (const letter of letters) flags |= LETTERS[letter] ?? 0;
  return flags;
}

const SPACES: Readonly<Record<number, string>> = { 10: 'n', 13: 'r', 9: 't', 11: 'v', 12: 'f' };
const SPECIALS: Readonly<Record<number, string>> = { 92: '\\', 7: 'a', 27: 'e', 34: '"' };

function escapeByte(byte: number, flags: number, only: string): string {
  const char = String.fromCharCode(byte);
  // As C's strchr does, a dictionary also contains its own NUL.
  const inDictionary = only !== '' && (byte === 0 || only.includes(char));
  const append = (flags & ESCAPE_APPEND) !== 0;
  if (only !== '' && !append && !inDictionary) return char;
  if (!(append && inDictionary)) {
    if (flags & ESCAPE_NAP && isascii(byte) && isprint(byte)) return char;
    if (flags & ESCAPE_NP && isprint(byte)) return char;
    if (flags & ESCAPE_NA && isascii(byte)) return char;
  }
  if (flags & ESCAPE_SPACE && SPACES[byte] !== undefined) return `\\${SPACES[byte]}`;
  if (flags & ESCAPE_SPECIAL && SPECIALS[byte] !== undefined) return `\\${SPECIALS[byte]}`;
  if (flags & ESCAPE_NULL && byte === 0) return '\\0';
  if (flags & ESCAPE_OCTAL) return `\\${byte.toString(8).padStart(3, '0')}`;
  if (flags & ESCAPE_HEX) return `\\x${byte.toString(16).padStart(2, '0')}`;
  return char;
}

/**
 * `string_escape_mem`, without its buffer: the whole escaped text.
 * @param only Limits escaping to these characters, or with `ESCAPE_APPEND` adds them; empty for none.
 */
export function stringEscape(bytes: Uint8Array, flags: number, only: string): string {
  let text = '';
  for (const byte of bytes) text += escapeByte(byte, flags, only);
  return text;
}

const UNESCAPED_SPACE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f' };
const UNESCAPED_SPECIAL: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', a: '\x07', e: '\x1b' };

/** One escape sequence after its backslash: what it stands for and how long it is. */
function unescapeOne(text: string, at: number, flags: number): { char: string; used: number } | undefined {
  const char = text[at]!;
  if (flags & UNESCAPE_SPACE && UNESCAPED_SPACE[char]) return { char: UNESCAPED_SPACE[char], used: 1 };
  if (flags & UNESCAPE_OCTAL && char >= '0' && char <= '7') {
    let value = 0;
    let used = 0;
    while (used < 3 && value < 32 && text[at + used] !== undefined && /[0-7]/.test(text[at + used]!)) {
      value = value * 8 + Number(text[at + used]);
      used++;
    }
    return { char: String.fromCharCode(value & 0xff), used };
  }
  if (flags & UNESCAPE_HEX && char === 'x' && isHex(text, at + 1)) {
    const used = isHex(text, at + 2) ? 3 : 2;
    return { char: String.fromCharCode(Number.parseInt(text.slice(at + 1, at + used), 16)), used };
  }
  if (flags & UNESCAPE_SPECIAL && UNESCAPED_SPECIAL[char]) return { char: UNESCAPED_SPECIAL[char], used: 1 };
  return undefined;
}

function isHex(text: string, at: number): boolean {
  return at < text.length && isxdigit(text.charCodeAt(at));
}

/**
 * `string_unescape`: at most `size - 1` characters of source are used (0: all), a backslash counting as one.
 */
export function stringUnescape(text: string, size: number, flags: number): string {
  let left = size === 0 ? Number.POSITIVE_INFINITY : size;
  let out = '';
  let i = 0;
  while (i < text.length && --left > 0) {
    if (text[i] === '\\' && i + 1 < text.length && left > 1) {
      i++;
      left--;
      const sequence = unescapeOne(text, i, flags);
      if (sequence !== undefined) {
        out += sequence.char;
        i += sequence.used;
        continue;
      }
      out += '\\';
    }
    out += text[i++];
  }
  return out;
}
