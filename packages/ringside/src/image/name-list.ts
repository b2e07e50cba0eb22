/** How many names lie between two whose place is remembered. */
export const NAMES_PER_BLOCK = 16;

/** From here on an index of all names costs less than further searches. */
const SEARCHES_BEFORE_INDEX = 8;

const utf8 = new TextDecoder();
const latin1 = new TextDecoder('latin1');

/**
 * A long list of names as bytes, each ended by a NUL, with the start of every 16th. Nothing is built to use it at
 * first: a name by its index is a short walk, an index by its name a search through the text. Who searches often
 * gets a hash table over the bytes.
 */
export class NameList {
  readonly #bytes: Uint8Array;
  readonly #blocks: Uint32Array;
  #text: string | undefined;
  #searches = 0;
  #heads: Int32Array | undefined;
  #next: Int32Array = new Int32Array(0);
  #starts: Uint32Array = new Uint32Array(0);

  constructor(bytes: Uint8Array, blocks: Uint32Array) {
    this.#bytes = bytes;
    this.#blocks = blocks;
  }

  at(index: number): string {
    let start = this.#blocks[Math.floor(index / NAMES_PER_BLOCK)] ?? this.#bytes.length;
    for (let left = index % NAMES_PER_BLOCK; left > 0; left--) {
      const end = this.#bytes.indexOf(0, start);
      if (end < 0) return '';
      start = end + 1;
    }
    const end = this.#bytes.indexOf(0, start);
    return latin1.decode(this.#bytes.subarray(start, end < 0 ? start : end));
  }

  /** Indexes of the names that equal `name`, ascending. */
  *find(name: string): Generator<number> {
    if (name === '' || name.includes('\0')) return;
    if (++this.#searches > SEARCHES_BEFORE_INDEX) {
      yield* this.#findHashed(name);
      return;
    }
    this.#text ??= `\0${decodeAscii(this.#bytes)}`;
    const wanted = `\0${name}\0`;
    // The NUL put in front makes up for the one that `wanted` begins with: positions are the bytes' own.
    for (let at = this.#text.indexOf(wanted); at >= 0; at = this.#text.indexOf(wanted, at + 1)) {
      yield this.#indexOf(at);
    }
  }

  *#findHashed(name: string): Generator<number> {
    const heads = this.#heads ?? this.#buildIndex();
    let hash = FNV_BASIS;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), FNV_PRIME);
    for (let index = heads[hash & (heads.length - 1)]!; index >= 0; index = this.#next[index]!) {
      if (this.#equals(this.#starts[index]!, name)) yield index;
    }
  }

  #equals(start: number, name: string): boolean {
    for (let i = 0; i < name.length; i++) if (this.#bytes[start + i] !== name.charCodeAt(i)) return false;
    return this.#bytes[start + name.length] === 0;
  }

  #buildIndex(): Int32Array {
    const bytes = this.#bytes;
    const capacity = this.#blocks.length * NAMES_PER_BLOCK;
    const starts = new Uint32Array(capacity);
    const hashes = new Int32Array(capacity);
    let count = 0;
    for (let at = 0, start = 0, hash = FNV_BASIS; at < bytes.length && count < capacity; at++) {
      if (bytes[at] !== 0) {
        hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
        continue;
      }
      starts[count] = start;
      hashes[count++] = hash;
      start = at + 1;
      hash = FNV_BASIS;
    }
    const heads = new Int32Array(1 << Math.max(4, 32 - Math.clz32(count))).fill(-1);
    const next = new Int32Array(count);
    // Backwards, so that a bucket's chain runs through ascending indexes.
    for (let index = count - 1; index >= 0; index--) {
      const bucket = hashes[index]! & (heads.length - 1);
      next[index] = heads[bucket]!;
      heads[bucket] = index;
    }
    this.#starts = starts;
    this.#next = next;
    this.#heads = heads;
    return heads;
  }

  #indexOf(start: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]! <= start) low = middle;
      else high = middle;
    }
    let index = low * NAMES_PER_BLOCK;
    for (let at = this.#blocks[low] ?? start; at < start; at = this.#bytes.indexOf(0, at) + 1) index++;
    return index;
  }
}

/** The start of every 16th name, given the start of each. */
export function blocksOf(starts: ArrayLike<number>, count: number): Uint32Array {
  const blocks = new Uint32Array(Math.ceil(count / NAMES_PER_BLOCK));
  for (let block = 0; block < blocks.length; block++) blocks[block] = starts[block * NAMES_PER_BLOCK]!;
  return blocks;
}

function decodeAscii(bytes: Uint8Array): string {
  // UTF-8 is the decoder with the fast path; names are ASCII, or else offsets must still count bytes.
  const text = utf8.decode(bytes);
  return text.length === bytes.length ? text : latin1.decode(bytes);
}

const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
