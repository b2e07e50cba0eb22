import { type FormatSpec, spec } from './format-spec.ts';
import type { Output } from './output.ts';

/**
 * One integer in the given base with sign, prefix, precision and padding. `value` is the mathematical value: with
 * `signed` it may be negative, without it must not be. Unlike C99, zero padding holds beside a precision, and
 * a precision of 0 still prints a zero, as in the kernel.
 */
export function putNumber(out: Output, value: number | bigint, s: FormatSpec): void {
  const negative = value < 0;
  const digits = negative ? (-value).toString(s.base) : value.toString(s.base);
  const isZero = digits === '0';
  const sign = s.signed ? (negative ? '-' : s.plus ? '+' : s.space ? ' ' : '') : '';
  let prefix = '';
  if (s.special && s.base === 16) prefix = s.small ? '0x' : '0X';
  else if (s.special && s.base === 8 && !isZero) prefix = '0';
  const digitCount = Math.max(digits.length, s.precision);
  const padding = s.width - sign.length - prefix.length - digitCount;
  if (!s.zero && !s.left) out.pad(' ', padding);
  out.put(sign + prefix);
  if (s.zero && !s.left) out.pad('0', padding);
  out.pad('0', digitCount - digits.length);
  out.put(s.base === 16 && !s.small ? digits.toUpperCase() : digits);
  if (s.left) out.pad(' ', padding);
}

/** `0x` and all digits of a value of `sizeBytes` bytes. */
export function putSpecialHex(out: Output, value: bigint, sizeBytes: number): void {
  putNumber(out, value, spec({ width: 2 + 2 * sizeBytes, special: true, small: true, zero: true, base: 16 }));
}

/** A string padded to the width; `precision` limits its characters. */
export function putString(out: Output, text: string, s: FormatSpec): void {
  const shown = s.precision >= 0 && s.precision < text.length ? text.slice(0, s.precision) : text;
  putPadded(out, shown, s);
}

/** A string padded to the width, as it is. */
export function putPadded(out: Output, text: string, s: FormatSpec): void {
  if (!s.left) out.pad(' ', s.width - text.length);
  out.put(text);
  if (s.left) out.pad(' ', s.width - text.length);
}

/** A text like `(null)` in place of what a bad pointer should have shown: at most 16 characters by default. */
export function putError(out: Output, text: string, s: FormatSpec): void {
  putString(out, text, s.precision === -1 ? { ...s, precision: 16 } : s);
}
