/** WebAssembly bytes, written into one buffer that grows. */
export class CodeWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  #reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + size));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Unsigned LEB128 of a 32-bit number. */
  u32(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.byte(value);
      return;
    }
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit number. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of an exact integer below 2^53 in size. */
  s53(value: number): void {
    if (value === (value | 0)) this.s32(value);
    else this.#halves(value | 0, Math.floor(value / 2 ** 32) | 0);
  }

  /** Signed LEB128 of a 64-bit number. */
  s64(value: bigint): void {
    this.#halves(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Signed LEB128 of the 64-bit number with these two halves. */
  #halves(lowHalf: number, highHalf: number): void {
    let low = lowHalf;
    let high = highHalf;
    for (;;) {
      const part = low & 0x7f;
      low = (low >>> 7) | (high << 25);
      high >>= 7;
      if (low === high && ((low === 0 && (part & 0x40) === 0) || (low === -1 && (part & 0x40) !== 0))) {
        this.byte(part);
        return;
      }
      this.byte(part | 0x80);
    }
  }

  /** A name: its length in bytes and ASCII characters. */
  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  append(other: CodeWriter): void {
    this.appendBytes(other.bytes.subarray(0, other.length));
  }

  appendBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  reset(): void {
    this.length = 0;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}
