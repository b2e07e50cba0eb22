import { isdigit, isxdigit } from './ctype.ts';

/**
 * Numbers from text, with the kernel's rules. Strings are Latin-1 (one character a byte) without their NUL.
 * Source: Linux 6.1 lib/kstrtox.c, lib/vsprintf.c.
 */

const EINVAL = 22;
const ERANGE = 34;
const U64 = 2n ** 64n;

/** Either the number, or a negative errno. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errno: number };

function fail(errno: number): { readonly ok: false; readonly errno: number } {
  return { ok: false, errno: -errno };
}

function code(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0;
}

/** The base that a prefix stands for when `base` is 0, and where the digits begin. */
export function fixupRadix(text: string, start: number, base: number): { base: number; at: number } {
  const x = (code(text, start + 1) | 0x20) === 0x78;
  const zero = code(text, start) === 0x30;
  let radix = base;
  if (radix === 0) {
    if (!zero) radix = 10;
    else radix = x && isxdigit(code(text, start + 2)) ? 16 : 8;
  }
  return { base: radix, at: radix === 16 && zero && x ? start + 2 : start };
}

/** Digits of `base` from `start`, at most `limit`: the value modulo 2^64, how many, and whether it overflowed. */
export function parseInteger(
  text: string,
  start: number,
  base: number,
  limit: number,
): { value: bigint; count: number; overflow: boolean } {
  let exact = 0n;
  let count = 0;
  let overflow = false;
  const radix = BigInt(base);
  while (count < limit) {
    const c = code(text, start + count);
    const lower = c | 0x20;
    const digit = isdigit(c) ? c - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 99;
    if (digit >= base) break;
    exact = exact * radix + BigInt(digit);
    if (exact >= U64) {
      overflow = true;
      exact %= U64;
    }
    count++;
  }
  return { value: exact, count, overflow };
}

function unsigned(text: string, start: number, base: number): Parsed<bigint> {
  const radix = fixupRadix(text, start, base);
  const digits = parseInteger(text, radix.at, radix.base, 0x7fff_ffff);
  if (digits.overflow) return fail(ERANGE);
  if (digits.count === 0) return fail(EINVAL);
  let end = radix.at + digits.count;
  if (text[end] === '\n') end++;
  if (code(text, end) !== 0) return fail(EINVAL);
  return { ok: true, value: digits.value };
}

/** `kstrtoull`: one optional `+`, digits, one optional newline, nothing else. */
export function kstrtoull(text: string, base: number): Parsed<bigint> {
  return unsigned(text, text[0] === '+' ? 1 : 0, base);
}

/** `kstrtoll`: as `kstrtoull`, with an optional `-`. */
export function kstrtoll(text: string, base: number): Parsed<bigint> {
  if (text[0] === '-') {
    const magnitude = unsigned(text, 1, base);
    if (!magnitude.ok) return magnitude;
    if (magnitude.value > 2n ** 63n) return fail(ERANGE);
    return { ok: true, value: -magnitude.value };
  }
  const result = kstrtoull(text, base);
  return result.ok && result.value >= 2n ** 63n ? fail(ERANGE) : result;
}

/** The integer types that have a `kstrto*` of their own, by the function's suffix. */
export const KSTRTO_TYPES = {
  ull: { bits: 64, signed: false },
  ll: { bits: 64, signed: true },
  ul: { bits: 64, signed: false },
  l: { bits: 64, signed: true },
  uint: { bits: 32, signed: false },
  int: { bits: 32, signed: true },
  u16: { bits: 16, signed: false },
  s16: { bits: 16, signed: true },
  u8: { bits: 8, signed: false },
  s8: { bits: 8, signed: true },
} as const;

export type KstrtoType = keyof typeof KSTRTO_TYPES;

/** `kstrto<type>`: out of the type's range is -ERANGE. */
export function kstrto(type: KstrtoType, text: string, base: number): Parsed<bigint> {
  const { bits, signed } = KSTRTO_TYPES[type];
  const result = signed ? kstrtoll(text, base) : kstrtoull(text, base);
  if (!result.ok) return result;
  const fits =
    (signed ? BigInt.asIntN(bits, result.value) : BigInt.asUintN(bits, result.value)) === result.value;
  return fits ? result : fail(ERANGE);
}

/** `kstrtobool`: decided by the first character, and by the second after `o`. */
export function kstrtobool(text: string): Parsed<boolean> {
  const first = text[0]?.toLowerCase() ?? '';
  if (first === 'y' || first === 't' || first === '1') return { ok: true, value: true };
  if (first === 'n' || first === 'f' || first === '0') return { ok: true, value: false };
  if (first === 'o') {
    const second = text[1]?.toLowerCase();
    if (second === 'n') return { ok: true, value: true };
    if (second === 'f') return { ok: true, value: false };
  }
  return fail(EINVAL);
}

/** What `simple_strto*` reads: the value modulo 2^64, and the offset of the first character not used. */
export interface SimpleParse {
  readonly value: bigint;
  readonly end: number;
}

/** `simple_strtoull` on at most `limit` characters from `start`. */
export function simpleStrtoull(text: string, base: number, start = 0, limit = 0x7fff_ffff): SimpleParse {
  const radix = fixupRadix(text, start, base);
  const prefix = radix.at - start;
  // A prefix that fills the field is skipped as it stands, without a digit.
  if (prefix >= limit) return { value: 0n, end: start + limit };
  const digits = parseInteger(text, radix.at, radix.base, limit - prefix);
  return { value: digits.value, end: radix.at + digits.count };
}

/** `simple_strtoll`: a leading `-` negates, modulo 2^64. The value is signed. */
export function simpleStrtoll(text: string, base: number, start = 0, limit = 0x7fff_ffff): SimpleParse {
  if (text[start] === '-' && limit > 0) {
    const magnitude = simpleStrtoull(text, base, start + 1, limit - 1);
    return { value: BigInt.asIntN(64, -magnitude.value), end: magnitude.end };
  }
  const result = simpleStrtoull(text, base, start, limit);
  return { value: BigInt.asIntN(64, result.value), end: result.end };
}
