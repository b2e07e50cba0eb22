const latin1 = new TextDecoder('latin1');

/** A list of names kept as bytes, found through a hash table over the bytes that is built at the first search. */
export class ByteNames {
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  #heads: Int32Array | undefined;
  #next: Int32Array = new Int32Array(0);

  /** `starts` has one more entry than there are names: the end of the last. */
  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.#bytes = bytes;
    this.#starts = starts;
  }

  get length(): number {
    return Math.max(0, this.#starts.length - 1);
  }

  at(index: number): string {
    return latin1.decode(this.#bytes.subarray(this.#starts[index]!, this.#starts[index + 1]!));
  }

  /** Indexes of the names that equal `name`, ascending. */
  *find(name: string): Generator<number> {
    const heads = this.#index();
    let hash = FNV_BASIS;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), FNV_PRIME);
    for (let index = heads[hash & (heads.length - 1)]!; index >= 0; index = this.#next[index]!) {
      if (this.#equals(index, name)) yield index;
    }
  }

  #equals(index: number, name: string): boolean {
    const start = this.#starts[index]!;
    if (this.#starts[index + 1]! - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.#bytes[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #index(): Int32Array {
    if (this.#heads !== undefined) return this.#heads;
    const heads = new Int32Array(1 << Math.max(4, 32 - Math.clz32(this.length))).fill(-1);
    const next = new Int32Array(this.length);
    const bytes = this.#bytes;
    // Backwards, so that a bucket's chain runs through ascending indexes.
    for (let index = this.length - 1; index >= 0; index--) {
      const end = this.#starts[index + 1]!;
      let hash = FNV_BASIS;
      for (let i = this.#starts[index]!; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
      const bucket = hash & (heads.length - 1);
      next[index] = heads[bucket]!;
      heads[bucket] = index;
    }
    this.#next = next;
    this.#heads = heads;
    return heads;
  }
}

const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
