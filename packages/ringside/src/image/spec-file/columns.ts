import { ByteReader, FormatError } from '../../bytes/index.ts';

/** Writes arrays one behind another, each with its length in bytes, aligned to 4. */
export function packArrays(arrays: readonly ArrayBufferView[]): Uint8Array {
  const padded = (size: number): number => (size + 3) & ~3;
  const size = arrays.reduce((sum, { byteLength }) => sum + 4 + padded(byteLength), 0);
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const array of arrays) {
    view.setUint32(at, array.byteLength, true);
    packed.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at + 4);
    at += 4 + padded(array.byteLength);
  }
  return packed;
}

/** Reads back what `packArrays` wrote. Throws `FormatError` when it does not fit. */
export class ArrayUnpacker {
  readonly #reader: ByteReader;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#reader = new ByteReader(bytes, what);
  }

  bytes(): Uint8Array {
    const size = this.#reader.u32(this.#at);
    const slice = this.#reader.slice(this.#at + 4, size);
    this.#at += 4 + ((size + 3) & ~3);
    return slice;
  }

  u16(): Uint16Array {
    return new Uint16Array(this.#aligned(2));
  }

  u32(): Uint32Array {
    return new Uint32Array(this.#aligned(4));
  }

  i32(): Int32Array {
    return new Int32Array(this.#aligned(4));
  }

  #aligned(unit: number): ArrayBuffer {
    const bytes = this.bytes();
    if (bytes.length % unit !== 0) {
      throw new FormatError(`${bytes.length} bytes are no whole array`, { section: this.#reader.what });
    }
    // A copy by constructor: it is aligned, and the `slice` of a Node Buffer would not copy.
    return new Uint8Array(bytes).buffer;
  }
}

/** Byte 0 of every element, then byte 1, ...: neighbours that are alike deflate better. */
export function splitPlanes(values: Uint32Array): Uint8Array {
  const planes = new Uint8Array(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    for (let plane = 0; plane < 4; plane++) planes[plane * values.length + i] = values[i]! >>> (8 * plane);
  }
  return planes;
}

export function joinPlanes(planes: Uint8Array): Int32Array {
  const count = Math.floor(planes.length / 4);
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] =
      planes[i]! |
      (planes[count + i]! << 8) |
      (planes[2 * count + i]! << 16) |
      (planes[3 * count + i]! << 24);
  }
  return values;
}
