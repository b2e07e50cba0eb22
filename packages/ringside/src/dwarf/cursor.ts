import { type ByteReader, FormatError } from '../bytes/index.ts';

const TWO_32 = 0x1_0000_0000;
/** Bytes in the longest LEB128 number of 64 bits. */
const LEB_MAX = 10;

/** Reads DWARF's encodings one after the other. Numbers beyond 2^53 are rounded: no file has such sizes. */
export class Cursor {
  readonly reader: ByteReader;
  /** 8 within a unit in the 64-bit DWARF format, 4 otherwise. */
  offsetSize: 4 | 8 = 4;
  position: number;
  /** Reading stops here. */
  readonly end: number;

  constructor(reader: ByteReader, position = 0, end = reader.size) {
    reader.check(position, 0);
    reader.check(end, 0);
    this.reader = reader;
    this.position = position;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  u8(): number {
    return this.reader.u8(this.#advance(1));
  }

  u16(): number {
    return this.reader.u16(this.#advance(2));
  }

  u24(): number {
    const at = this.#advance(3);
    return this.reader.u16(at) + this.reader.u8(at + 2) * 0x1_0000;
  }

  u32(): number {
    return this.reader.u32(this.#advance(4));
  }

  u64(): number {
    const at = this.#advance(8);
    return this.reader.u32(at + 4) * TWO_32 + this.reader.u32(at);
  }

  /** A target address: 64 bits as a signed number. */
  address(): number {
    const at = this.#advance(8);
    return this.reader.i32(at + 4) * TWO_32 + this.reader.u32(at);
  }

  /** An offset in the unit's format. */
  offset(): number {
    return this.offsetSize === 8 ? this.u64() : this.u32();
  }

  uleb(): number {
    const start = this.position;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (this.position - start >= LEB_MAX) this.fail('LEB128 number is longer than 64 bits', start);
    }
  }

  sleb(): number {
    const start = this.position;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return byte & 0x40 ? value - scale * 128 : value;
      if (this.position - start >= LEB_MAX) this.fail('LEB128 number is longer than 64 bits', start);
    }
  }

  /** A NUL-terminated string in place. */
  string(): string {
    const text = this.reader.cString(this.position, 'utf-8');
    this.skipString();
    return text;
  }

  skipString(): void {
    const end = this.reader.bytes.indexOf(0, this.position);
    if (end < 0 || end >= this.end) this.fail('string is not terminated');
    this.position = end + 1;
  }

  skip(size: number): void {
    this.#advance(size);
  }

  /**
   * The length that opens a unit or table; sets `offsetSize`, and gives a cursor of the same position and format
   * that ends where the unit ends.
   */
  enterUnit(): Cursor {
    const start = this.position;
    let size = this.u32();
    this.offsetSize = 4;
    if (size === 0xffff_ffff) {
      this.offsetSize = 8;
      size = this.u64();
    } else if (size >= 0xffff_fff0) {
      this.fail(`unit length 0x${size.toString(16)} is reserved`, start);
    }
    if (size > this.end - this.position) this.fail(`unit of ${size} bytes does not fit`, start);
    const inner = new Cursor(this.reader, this.position, this.position + size);
    inner.offsetSize = this.offsetSize;
    return inner;
  }

  fail(message: string, offset = this.position): never {
    throw new FormatError(message, { section: this.reader.what, offset });
  }

  #advance(size: number): number {
    const at = this.position;
    if (!(size <= this.end - at)) this.fail(`${size} bytes needed, ${this.end - at} left`, at);
    this.position = at + size;
    return at;
  }
}
