import { isdigit } from '../ctype.ts';

/** A conversion's flags, width and precision. */
export interface FormatSpec {
  left: boolean;
  plus: boolean;
  space: boolean;
  special: boolean;
  zero: boolean;
  /** Lower-case digits and prefix. */
  small: boolean;
  /** -1 when not given. */
  width: number;
  /** -1 when not given. */
  precision: number;
  base: 8 | 10 | 16;
  signed: boolean;
}

/** A spec with nothing set, changed by `changes`. */
export function spec(changes: Partial<FormatSpec> = {}): FormatSpec {
  return {
    left: false,
    plus: false,
    space: false,
    special: false,
    zero: false,
    small: false,
    width: -1,
    precision: -1,
    base: 10,
    signed: false,
    ...changes,
  };
}

/** Bits and kind of the integer argument that a conversion takes. */
export type IntegerSize = 8 | 16 | 32 | 64;

export type Conversion =
  | { readonly kind: 'integer'; readonly size: IntegerSize }
  | { readonly kind: 'char' | 'string' | 'pointer' | 'percent' }
  | { readonly kind: 'invalid'; readonly char: string };

/** The values that `*` stands for, taken from the arguments in order. */
export interface StarValues {
  width(): number;
  precision(): number;
}

function at(fmt: string, index: number): string {
  return index < fmt.length ? fmt[index]! : '\0';
}

/** Decimal digits with the wrap-around of a C `int`. */
function decimal(fmt: string, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  while (isdigit(at(fmt, end).charCodeAt(0))) {
    value = (Math.imul(value, 10) + at(fmt, end).charCodeAt(0) - 0x30) | 0;
    end++;
  }
  return { value, end };
}

const FLAGS: Readonly<Record<string, 'left' | 'plus' | 'space' | 'special' | 'zero'>> = {
  '-': 'left',
  '+': 'plus',
  ' ': 'space',
  '#': 'special',
  '0': 'zero',
};

/**
 * Reads one conversion; `start` is the index of its `%`. Width is kept in 24 bits and precision in 16, signed, as
 * the kernel's `struct printf_spec` does. `end` is the index of what follows; for `pointer` of its extension.
 */
export function decodeConversion(
  fmt: string,
  start: number,
  stars: StarValues,
): { spec: FormatSpec; conversion: Conversion; end: number } {
  const s = spec();
  let i = start + 1;
  for (let flag = FLAGS[at(fmt, i)]; flag !== undefined; flag = FLAGS[at(fmt, ++i)]) s[flag] = true;

  if (at(fmt, i) === '*') {
    i++;
    const width = stars.width();
    s.width = Math.abs(width);
    if (width < 0) s.left = true;
  } else if (isdigit(at(fmt, i).charCodeAt(0))) {
    const width = decimal(fmt, i);
    s.width = (width.value << 8) >> 8;
    i = width.end;
  }

  if (at(fmt, i) === '.') {
    i++;
    if (at(fmt, i) === '*') {
      i++;
      s.precision = Math.max(0, stars.precision());
    } else if (isdigit(at(fmt, i).charCodeAt(0))) {
      const precision = decimal(fmt, i);
      s.precision = Math.max(0, (precision.value << 16) >> 16);
      i = precision.end;
    }
  }

  let size: IntegerSize = 32;
  const qualifier = at(fmt, i);
  if ('hlLzt'.includes(qualifier)) {
    i++;
    const doubled = (qualifier === 'h' || qualifier === 'l') && at(fmt, i) === qualifier;
    if (doubled) i++;
    if (qualifier === 'h') size = doubled ? 8 : 16;
    else size = 64;
  }

  const conversion = decodeKind(at(fmt, i), s, size);
  return { spec: s, conversion, end: i + 1 };
}

function decodeKind(char: string, s: FormatSpec, size: IntegerSize): Conversion {
  switch (char) {
    case 'c':
      return { kind: 'char' };
    case 's':
      return { kind: 'string' };
    case 'p':
      return { kind: 'pointer' };
    case '%':
      return { kind: 'percent' };
    case 'o':
      s.base = 8;
      return { kind: 'integer', size };
    case 'x':
    case 'X':
      s.base = 16;
      s.small = char === 'x';
      return { kind: 'integer', size };
    case 'd':
    case 'i':
      s.signed = true;
      return { kind: 'integer', size };
    case 'u':
      return { kind: 'integer', size };
    default:
      return { kind: 'invalid', char };
  }
}
