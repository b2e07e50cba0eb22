const PAGE = 4096;
/** Bytes that share an origin. Source: mm/kmsan/kmsan.h, KMSAN_ORIGIN_SIZE. */
const ORIGIN_SHIFT = 2;

/** Who made bits undefined: a number that whoever tracks them gives out; 0 is nobody. */
export type Origin = number;

/** A range of bytes as it was: masks, and the origin of each 4 bytes. */
export interface DefinednessCopy {
  /** A set bit is an undefined bit. */
  readonly masks: Uint8Array;
  /** The origin of each byte. */
  readonly origins: Uint32Array;
}

interface Page {
  readonly masks: Uint8Array;
  readonly origins: Uint32Array;
}

/**
 * Which bits of memory are undefined: nobody has given them a value since the memory was allocated, or they were made of
 * such bits. A bit for a bit, and an origin for each 4 bytes, for pages that ever had undefined bits. Addresses are offsets in the
 * guest's memory (`addr >>> 0`).
 */
export class Definedness {
  readonly #pages = new Map<number, Page>();

  /** The undefined bits of up to 16 bytes, little endian. */
  mask(at: number, size: number): bigint {
    const page = this.#pages.get(at >>> 12);
    const offset = at & (PAGE - 1);
    if (page === undefined && offset + size <= PAGE) return 0n;
    let mask = 0n;
    for (let i = size - 1; i >= 0; i--) mask = (mask << 8n) | BigInt(this.#maskByte(at + i));
    return mask;
  }

  /** The origin of the first undefined byte of the range; 0 when there is none. */
  originOf(at: number, size: number): Origin {
    for (let i = 0; i < size; i++) {
      if (this.#maskByte(at + i) === 0) continue;
      const page = this.#pages.get(((at + i) >>> 0) >>> 12)!;
      return page.origins[((at + i) & (PAGE - 1)) >>> ORIGIN_SHIFT]!;
    }
    return 0;
  }

  /** The first undefined byte of the range and the first defined one behind it, as offsets in the range. */
  undefinedBytes(at: number, size: number): { readonly start: number; readonly end: number } | undefined {
    for (let i = 0; i < size; i++) {
      if (this.#maskByte(at + i) === 0) continue;
      let end = i + 1;
      while (end < size && this.#maskByte(at + end) !== 0) end++;
      return { start: i, end };
    }
    return undefined;
  }

  setMask(at: number, size: number, mask: bigint, origin: Origin): void {
    if (mask === 0n) {
      this.define(at, size);
      return;
    }
    for (let i = 0; i < size; i++) this.#set(at + i, Number((mask >> BigInt(8 * i)) & 0xffn), origin);
  }

  define(at: number, size: number): void {
    this.#fill(at, size, 0, 0);
  }

  undefine(at: number, size: number, origin: Origin): void {
    this.#fill(at, size, 0xff, origin);
  }

  /** Undefined when all of it is defined. */
  copy(at: number, size: number): DefinednessCopy | undefined {
    if (this.undefinedBytes(at, size) === undefined) return undefined;
    const masks = new Uint8Array(size);
    const origins = new Uint32Array(size);
    for (let i = 0; i < size; i++) {
      masks[i] = this.#maskByte(at + i);
      if (masks[i] !== 0) origins[i] = this.originOf(at + i, 1);
    }
    return { masks, origins };
  }

  /** `stored` says what becomes of an origin whose bits are stored anew. */
  paste(at: number, { masks, origins }: DefinednessCopy, stored: (origin: Origin) => Origin): void {
    for (const [i, mask] of masks.entries()) this.#set(at + i, mask, mask === 0 ? 0 : stored(origins[i]!));
  }

  #maskByte(at: number): number {
    const offset = at >>> 0;
    return this.#pages.get(offset >>> 12)?.masks[offset & (PAGE - 1)] ?? 0;
  }

  #set(at: number, mask: number, origin: Origin): void {
    const offset = at >>> 0;
    const page = mask === 0 ? this.#pages.get(offset >>> 12) : this.#page(offset >>> 12);
    if (page === undefined) return;
    page.masks[offset & (PAGE - 1)] = mask;
    if (mask !== 0) page.origins[(offset & (PAGE - 1)) >>> ORIGIN_SHIFT] = origin;
  }

  #fill(at: number, size: number, mask: number, origin: Origin): void {
    let start = at >>> 0;
    const end = start + size;
    while (start < end) {
      const index = start >>> 12;
      const stop = Math.min(end, (index + 1) * PAGE);
      const page = mask === 0 ? this.#pages.get(index) : this.#page(index);
      if (page !== undefined) {
        const [from, to] = [start & (PAGE - 1), stop - index * PAGE];
        page.masks.fill(mask, from, to);
        if (mask !== 0) page.origins.fill(origin, from >>> ORIGIN_SHIFT, (to + 3) >>> ORIGIN_SHIFT);
      }
      start = stop;
    }
  }

  #page(index: number): Page {
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = { masks: new Uint8Array(PAGE), origins: new Uint32Array(PAGE >>> ORIGIN_SHIFT) };
      this.#pages.set(index, page);
    }
    return page;
  }
}
