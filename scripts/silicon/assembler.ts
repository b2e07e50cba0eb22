/** Machine code with labels: as much of an assembler as generated functions need. */
export class Assembler {
  readonly #bytes: number[] = [];
  readonly #labels: (number | undefined)[] = [];
  readonly #fixups: { readonly at: number; readonly label: number; readonly size: 1 | 4 }[] = [];
  /** 8-byte words that hold a label's address. */
  readonly #addresses: { readonly at: number; readonly label: number }[] = [];

  get size(): number {
    return this.#bytes.length;
  }

  label(): number {
    this.#labels.push(undefined);
    return this.#labels.length - 1;
  }

  here(): number {
    const label = this.label();
    this.place(label);
    return label;
  }

  place(label: number): void {
    this.#labels[label] = this.#bytes.length;
  }

  /** Where a label has been placed; undefined: not yet. */
  offsetOf(label: number): number | undefined {
    return this.#labels[label];
  }

  emit(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
  }

  emit32(value: number): void {
    this.emit(value, value >> 8, value >> 16, value >> 24);
  }

  /** The distance from behind itself to the label, in four bytes. */
  relative(label: number): void {
    this.#fixups.push({ at: this.size, label, size: 4 });
    this.emit32(0);
  }

  relativeShort(label: number): void {
    this.#fixups.push({ at: this.size, label, size: 1 });
    this.emit(0);
  }

  /** The distance from `base` to the label, in four bytes. */
  distance(label: number, base: number): void {
    const at = this.size;
    this.#fixups.push({ at, label, size: 4 });
    // What `relative` would give is from behind itself.
    this.emit32(at + 4 - base);
  }

  address(label: number): void {
    this.#addresses.push({ at: this.size, label });
    for (let i = 0; i < 8; i++) this.emit(0);
  }

  align(to: number): void {
    while (this.size % to !== 0) this.emit(0xcc);
  }

  /** The code as it is when it begins at `base`. */
  finish(base: bigint): Uint8Array {
    const code = Uint8Array.from(this.#bytes);
    const view = new DataView(code.buffer);
    const to = (label: number): number => {
      const offset = this.#labels[label];
      if (offset === undefined) throw new Error(`label ${label} is nowhere`);
      return offset;
    };
    for (const { at, label, size } of this.#fixups) {
      const distance = to(label) - (at + size);
      if (size === 4) view.setInt32(at, view.getInt32(at, true) + distance, true);
      else if (distance < -128 || distance > 127)
        throw new Error(`a short jump of ${distance} at ${at.toString(16)}`);
      else view.setInt8(at, distance);
    }
    for (const { at, label } of this.#addresses)
      view.setBigUint64(at, BigInt.asUintN(64, base + BigInt(to(label))), true);
    return code;
  }
}
