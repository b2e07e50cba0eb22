import { asAddr, type GuestAddr, UnsupportedError } from '../../../bytes/index.ts';
import { PAGE_SIZE } from '../../../memory/index.ts';
import { isalnum } from '../ctype.ts';
import { VaListArguments, type VariableArguments } from './arguments.ts';
import { decodeConversion, type FormatSpec, type IntegerSize } from './format-spec.ts';
import { putError, putNumber, putString } from './number.ts';
import { Output } from './output.ts';
import { putPointer } from './pointer.ts';
import type { FormatServices } from './services.ts';

const FIELD_WIDTH_MAX = 2 ** 23 - 1;
const PRECISION_MAX = 2 ** 15 - 1;
/** Nested `%pV` beyond this would have run over the real kernel's 16 KiB stack. */
const MAX_DEPTH = 48;

/** What formatting gave: the first characters, and the length of all. */
export interface Formatted {
  readonly text: string;
  readonly length: number;
}

/** Whether the address is an error pointer, `ERR_PTR(-1)` to `ERR_PTR(-4095)`. */
export function isErrorPointer(addr: GuestAddr): boolean {
  return addr < 0 && addr >= -4095;
}

/** What is shown instead of what `addr` points to, when it cannot be a pointer at all. */
export function pointerError(addr: GuestAddr): string | undefined {
  if (addr === 0) return '(null)';
  if ((addr > 0 && addr < PAGE_SIZE) || isErrorPointer(addr)) return '(efault)';
  return undefined;
}

/**
 * One run of `vsnprintf` over a format: the conversions' state, shared by nested `%pV` runs.
 *
 * Source: Linux 6.1 lib/vsprintf.c. Output and arguments are bytes; a string here has one character a byte.
 */
export class Formatter {
  readonly services: FormatServices;
  readonly out: Output;
  #depth = 0;

  constructor(services: FormatServices, out: Output) {
    this.services = services;
    this.out = out;
  }

  run(fmt: string, args: VariableArguments): void {
    const stars = {
      width: (): number => this.#starWidth(args.i32()),
      precision: (): number => this.#starPrecision(args.i32()),
    };
    let i = 0;
    while (i < fmt.length) {
      const percent = fmt.indexOf('%', i);
      if (percent < 0) {
        this.out.put(fmt.slice(i));
        return;
      }
      if (percent > i) this.out.put(fmt.slice(i, percent));
      const { spec, conversion, end } = decodeConversion(fmt, percent, stars);
      i = end;
      switch (conversion.kind) {
        case 'integer':
          putNumber(this.out, integerArgument(args, conversion.size, spec.signed), spec);
          break;
        case 'char':
          this.#char(args.i32() & 0xff, spec);
          break;
        case 'string':
          this.string(args.addr(), spec);
          break;
        case 'percent':
          this.out.put('%');
          break;
        case 'pointer':
          putPointer(this, fmt, i, args.addr(), spec);
          while (i < fmt.length && isalnum(fmt.charCodeAt(i))) i++;
          break;
        case 'invalid':
          this.services.warnOnce(
            'format_decode',
            `Please remove unsupported %${conversion.char} in format string\n`,
          );
          return;
      }
    }
  }

  /** Shows the text for a pointer that is none, and says whether it did. */
  refuses(addr: GuestAddr, spec: FormatSpec): boolean {
    const error = pointerError(addr);
    if (error !== undefined) putError(this.out, error, spec);
    return error !== undefined;
  }

  /** `%s`: a C string in guest memory. */
  string(addr: GuestAddr, spec: FormatSpec): void {
    if (this.refuses(addr, spec)) return;
    const limit = spec.precision >= 0 ? spec.precision : Number.POSITIVE_INFINITY;
    putString(this.out, this.services.memory.readString(addr, limit), spec);
  }

  /** `%pV`: a format and a `va_list` of its own. */
  nested(addr: GuestAddr, spec: FormatSpec): void {
    if (this.refuses(addr, spec)) return;
    const { memory, types } = this.services;
    const layout = types.struct('va_format');
    const fmt = memory.readPtr(asAddr(addr + layout.offsetOf('fmt')));
    const list = memory.readPtr(asAddr(addr + layout.offsetOf('va')));
    if (++this.#depth > MAX_DEPTH) {
      throw new UnsupportedError({
        what: `%pV nested more than ${MAX_DEPTH} deep`,
        advice: 'the real kernel would run over its stack here',
      });
    }
    this.run(memory.readString(fmt), new VaListArguments(memory, list));
    this.#depth--;
  }

  #char(byte: number, spec: FormatSpec): void {
    if (!spec.left) this.out.pad(' ', spec.width - 1);
    this.out.put(String.fromCharCode(byte));
    if (spec.left) this.out.pad(' ', spec.width - 1);
  }

  #starWidth(width: number): number {
    if ((width << 8) >> 8 === width) return width;
    this.services.warnOnce('set_field_width', `field width ${width} too large`);
    return Math.min(Math.max(width, -FIELD_WIDTH_MAX), FIELD_WIDTH_MAX);
  }

  #starPrecision(precision: number): number {
    if ((precision << 16) >> 16 === precision) return precision;
    this.services.warnOnce('set_precision', `precision ${precision} too large`);
    return Math.min(Math.max(precision, 0), PRECISION_MAX);
  }
}

function integerArgument(args: VariableArguments, size: IntegerSize, signed: boolean): number | bigint {
  switch (size) {
    case 8: {
      const value = args.i32();
      return signed ? (value << 24) >> 24 : value & 0xff;
    }
    case 16: {
      const value = args.i32();
      return signed ? (value << 16) >> 16 : value & 0xffff;
    }
    case 32: {
      const value = args.i32();
      return signed ? value : value >>> 0;
    }
    case 64: {
      const value = args.u64();
      return signed ? BigInt.asIntN(64, value) : value;
    }
  }
}

/**
 * Formats as `vsnprintf` does and keeps at most `limit` characters.
 * @param fmt One character a byte, without its NUL.
 */
export function format(
  services: FormatServices,
  fmt: string,
  args: VariableArguments,
  limit = Number.POSITIVE_INFINITY,
): Formatted {
  const out = new Output(limit);
  new Formatter(services, out).run(fmt, args);
  return { text: out.text, length: out.length };
}
