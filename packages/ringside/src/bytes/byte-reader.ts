import { FormatError } from './errors.ts';

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8');

/**
 * Bounds-checked little-endian reads over an immutable byte range. All offsets are in bytes from the start of
 * the range; a read outside throws `FormatError` that names `what` and the offset.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly what: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.what = what;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get size(): number {
    return this.bytes.length;
  }

  /** Throws unless `[offset, offset + size)` lies within the range. */
  check(offset: number, size: number): void {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.bytes.length)) {
      throw new FormatError(`${size} bytes needed, range has ${this.bytes.length}`, {
        section: this.what,
        offset,
      });
    }
  }

  u8(offset: number): number {
    this.check(offset, 1);
    return this.#view.getUint8(offset);
  }

  i8(offset: number): number {
    this.check(offset, 1);
    return this.#view.getInt8(offset);
  }

  u16(offset: number): number {
    this.check(offset, 2);
    return this.#view.getUint16(offset, true);
  }

  i16(offset: number): number {
    this.check(offset, 2);
    return this.#view.getInt16(offset, true);
  }

  u32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getInt32(offset, true);
  }

  u64(offset: number): bigint {
    this.check(offset, 8);
    return this.#view.getBigUint64(offset, true);
  }

  i64(offset: number): bigint {
    this.check(offset, 8);
    return this.#view.getBigInt64(offset, true);
  }

  /** An unsigned 64-bit value that must be a size or file offset: larger than 2^53 is a `FormatError`. */
  size64(offset: number): number {
    const value = this.u64(offset);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new FormatError(`size 0x${value.toString(16)} is out of range`, { section: this.what, offset });
    }
    return Number(value);
  }

  /** A view (no copy) of `size` bytes. */
  slice(offset: number, size: number): Uint8Array {
    this.check(offset, size);
    return this.bytes.subarray(offset, offset + size);
  }

  /** A reader over a part of this range. */
  sub(offset: number, size: number, what = this.what): ByteReader {
    return new ByteReader(this.slice(offset, size), what);
  }

  /** The NUL-terminated string at `offset`, as Latin-1 (ELF names) or UTF-8. Without a NUL: `FormatError`. */
  cString(offset: number, encoding: 'latin1' | 'utf-8' = 'latin1'): string {
    this.check(offset, 1);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0) throw new FormatError('string is not terminated', { section: this.what, offset });
    return (encoding === 'latin1' ? latin1 : utf8).decode(this.bytes.subarray(offset, end));
  }
}
