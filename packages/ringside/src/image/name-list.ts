/** How many names lie between two whose place is remembered. */
export const NAMES_PER_BLOCK = 16;

const utf8 = new TextDecoder();
const latin1 = new TextDecoder('latin1');

/**
 * A long list of names as bytes, each ended by a NUL, with the start of every 16th. Nothing is built to use it: a
 * name by its index is a short walk, an index by its name a search through the text.
 */
export class NameList {
  readonly #bytes: Uint8Array;
  readonly #blocks: Uint32Array;
  #text: string | undefined;

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
    this.#text ??= `\0${decodeAscii(this.#bytes)}`;
    const wanted = `\0${name}\0`;
    // The NUL put in front makes up for the one that `wanted` begins with: positions are the bytes' own.
    for (let at = this.#text.indexOf(wanted); at >= 0; at = this.#text.indexOf(wanted, at + 1)) {
      yield this.#indexOf(at);
    }
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
