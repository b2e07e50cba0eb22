import { isspace } from '../lib/index.ts';

const QUOTE = 0x22;
const EQUALS = 0x3d;

/** One argument of a command line: offsets into its bytes. */
export interface Argument {
  readonly param: number;
  /** Undefined when there is no `=`. */
  readonly value: number | undefined;
  /** Where the next argument begins. */
  readonly next: number;
  /** Offsets at which a NUL now ends a name or a value. */
  readonly ends: readonly number[];
}

export function skipSpaces(bytes: Uint8Array, start: number): number {
  let i = start;
  while (isspace(bytes[i]!)) i++;
  return i;
}

/**
 * Splits one argument off: `name`, `name=value`, with `"` around spaces in the value or around the whole. Puts NULs
 * into `bytes`, which ends with one. Source: Linux 6.1 lib/cmdline.c, `next_arg`.
 */
export function nextArg(bytes: Uint8Array, start: number): Argument {
  const quoted = bytes[start] === QUOTE;
  const param = quoted ? start + 1 : start;
  let inQuote = quoted;
  let equals: number | undefined;
  let end = param;
  for (; bytes[end] !== 0 && (inQuote || !isspace(bytes[end]!)); end++) {
    // A name has at least one character, be it an equals sign.
    if (equals === undefined && bytes[end] === EQUALS && end > param) equals = end;
    if (bytes[end] === QUOTE) inQuote = !inQuote;
  }
  const ends: number[] = [];
  const terminate = (at: number): void => {
    bytes[at] = 0;
    ends.push(at);
  };
  let value: number | undefined;
  if (equals !== undefined) {
    terminate(equals);
    value = equals + 1;
    if (bytes[value] === QUOTE) {
      value++;
      if (bytes[end - 1] === QUOTE) terminate(end - 1);
    }
  }
  if (quoted && end > param && bytes[end - 1] === QUOTE) terminate(end - 1);
  let next = end;
  if (bytes[end] !== 0) {
    terminate(end);
    next = end + 1;
  }
  return { param, value, next: skipSpaces(bytes, next), ends };
}

/** The C string at an offset, as Latin-1. */
export function textAt(bytes: Uint8Array, start: number): string {
  return String.fromCharCode(...bytes.subarray(start, bytes.indexOf(0, start)));
}

/** Whether two parameter names are the same; dashes and underscores are. */
export function parameq(a: string, b: string): boolean {
  return a.replaceAll('-', '_') === b.replaceAll('-', '_');
}
