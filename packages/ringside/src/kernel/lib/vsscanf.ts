import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import { isdigit, isspace, isxdigit } from './ctype.ts';
import { simpleStrtoll, simpleStrtoull } from './kstrtox.ts';
import type { VariableArguments } from './vsprintf/arguments.ts';

const SHRT_MAX = 0x7fff;

function code(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0;
}

function skipSpaces(text: string, at: number): number {
  let i = at;
  while (isspace(code(text, i))) i++;
  return i;
}

function writeBytes(memory: GuestMemory, addr: GuestAddr, text: string): void {
  for (let i = 0; i < text.length; i++) memory.writeU8(asAddr(addr + i), text.charCodeAt(i));
}

/** One conversion of a `scanf` format, between its `%` (and `*`) and what follows it. */
interface ScanConversion {
  /** -1 when not given. */
  readonly width: number;
  readonly sizeBytes: 1 | 2 | 4 | 8;
  readonly at: number;
}

function decode(fmt: string, start: number): ScanConversion | undefined {
  let i = start;
  let width = -1;
  if (isdigit(code(fmt, i))) {
    let value = 0;
    for (; isdigit(code(fmt, i)); i++) value = (Math.imul(value, 10) + code(fmt, i) - 0x30) | 0;
    width = (value << 16) >> 16;
    if (width <= 0) return undefined;
  }
  let sizeBytes: 1 | 2 | 4 | 8 = 4;
  const qualifier = fmt[i] ?? '\0';
  if ('hlLz'.includes(qualifier)) {
    i++;
    const doubled = (qualifier === 'h' || qualifier === 'l') && fmt[i] === qualifier;
    if (doubled) i++;
    if (qualifier === 'h') sizeBytes = doubled ? 1 : 2;
    else sizeBytes = 8;
  }
  return { width, sizeBytes, at: i };
}

const BASES: Readonly<Record<string, { base: number; signed: boolean }>> = {
  o: { base: 8, signed: false },
  x: { base: 16, signed: false },
  X: { base: 16, signed: false },
  i: { base: 0, signed: true },
  d: { base: 10, signed: true },
  u: { base: 10, signed: false },
};

function startsNumber(char: number, base: number): boolean {
  if (base === 16) return isxdigit(char);
  return isdigit(char) && (base !== 8 || char <= 0x37);
}

/**
 * `vsscanf`: reads `text` as `fmt` says and stores what it finds where the arguments point.
 * @returns How many conversions were stored. Source: Linux 6.1 lib/vsprintf.c.
 */
export function vsscanf(memory: GuestMemory, text: string, fmt: string, args: VariableArguments): number {
  let str = 0;
  let i = 0;
  let stored = 0;
  while (i < fmt.length) {
    if (isspace(code(fmt, i))) {
      i = skipSpaces(fmt, i + 1);
      str = skipSpaces(text, str);
    }
    if (i >= fmt.length) break;
    if (fmt[i] !== '%') {
      if (code(fmt, i++) !== code(text, str++)) break;
      continue;
    }
    i++;
    if (fmt[i] === '*') {
      // A skipped conversion goes to the next white space, whatever its kind.
      if (str >= text.length) break;
      for (; i < fmt.length && fmt[i] !== '%' && !isspace(code(fmt, i)); i++)
        if (fmt[i] === '[') return stored;
      while (str < text.length && !isspace(code(text, str))) str++;
      continue;
    }
    const conversion = decode(fmt, i);
    if (conversion === undefined || conversion.at >= fmt.length) break;
    const { width } = conversion;
    const kind = fmt[conversion.at]!;
    i = conversion.at + 1;
    if (kind === 'n') {
      memory.writeU32(args.addr(), str);
      continue;
    }
    if (str >= text.length) break;

    if (kind === 'c') {
      const end = Math.min(text.length, str + (width === -1 ? 1 : width));
      writeBytes(memory, args.addr(), text.slice(str, end));
      str = end;
      stored++;
    } else if (kind === 's') {
      str = skipSpaces(text, str);
      let end = str;
      const limit = width === -1 ? SHRT_MAX : width;
      while (end < text.length && end - str < limit && !isspace(code(text, end))) end++;
      writeBytes(memory, args.addr(), `${text.slice(str, end)}\0`);
      str = end;
      stored++;
    } else if (kind === '[') {
      const to = args.addr();
      if (width === -1) return stored;
      const negate = fmt[i] === '^';
      const first = negate ? i + 1 : i;
      const close = fmt.indexOf(']', first);
      if (close <= first) return stored;
      const set = fmt.slice(first, close);
      i = close + 1;
      let end = str;
      while (end < text.length && end - str < width && set.includes(text[end]!) !== negate) end++;
      if (end === str) return stored;
      writeBytes(memory, to, `${text.slice(str, end)}\0`);
      str = end;
      stored++;
    } else if (kind === '%') {
      if (text[str++] !== '%') return stored;
    } else {
      const number = BASES[kind];
      if (number === undefined) return stored;
      const { base, signed } = number;
      str = skipSpaces(text, str);
      const minus = signed && text[str] === '-';
      if (minus && width === 1) break;
      if (!startsNumber(code(text, minus ? str + 1 : str), base)) break;
      const limit = width >= 0 ? width : 0x7fff_ffff;
      const parsed = signed ? simpleStrtoll(text, base, str, limit) : simpleStrtoull(text, base, str, limit);
      store(memory, args.addr(), parsed.value, conversion.sizeBytes);
      stored++;
      str = parsed.end;
    }
  }
  return stored;
}

function store(memory: GuestMemory, addr: GuestAddr, value: bigint, sizeBytes: 1 | 2 | 4 | 8): void {
  const low = Number(BigInt.asUintN(32, value));
  if (sizeBytes === 1) memory.writeU8(addr, low & 0xff);
  else if (sizeBytes === 2) memory.writeU16(addr, low & 0xffff);
  else if (sizeBytes === 4) memory.writeU32(addr, low);
  else memory.writeU64(addr, BigInt.asUintN(64, value));
}
