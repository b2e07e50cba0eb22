import { addrFromParts, ByteReader, FormatError, type GuestAddr } from '../bytes/index.ts';
import { RELA_SIZE } from './constants.ts';

const TWO_32 = 0x1_0000_0000;

/** One `Elf64_Rela`. */
export interface ElfRelocation {
  /** Where it applies: an offset in the target section for relocatable files, an address otherwise. */
  readonly offset: number;
  /** `R_X86_64_*` */
  readonly type: number;
  /** Index in the symbol table; 0 for none. */
  readonly symbol: number;
  /** The addend, as a signed number; see `RelocationTable.addendBits` when it may be beyond 2^53. */
  readonly addend: number;
}

/**
 * A table of relocations with addends over the file's bytes. The accessors by index decode one field each, for
 * loops over a hundred thousand entries; iterating yields objects.
 */
export class RelocationTable {
  readonly count: number;
  /** Index of the section the relocations apply to (`sh_info`); 0 for a dynamic table. */
  readonly target: number;
  /** Index of the symbol table's section (`sh_link`). */
  readonly symbols: number;
  readonly #data: ByteReader;

  /** Throws `FormatError` when the size is not a multiple of an entry's. */
  constructor(data: Uint8Array, target: number, symbols: number, what = '.rela') {
    if (data.length % RELA_SIZE !== 0) {
      throw new FormatError(`size ${data.length} is not a multiple of ${RELA_SIZE}`, { section: what });
    }
    this.count = data.length / RELA_SIZE;
    this.target = target;
    this.symbols = symbols;
    this.#data = new ByteReader(data, what);
  }

  /** `r_offset`, unsigned; rounded above 2^53, where no section reaches. */
  offset(index: number): number {
    const at = index * RELA_SIZE;
    return this.#data.u32(at + 4) * TWO_32 + this.#data.u32(at);
  }

  type(index: number): number {
    return this.#data.u32(index * RELA_SIZE + 8);
  }

  symbol(index: number): number {
    return this.#data.u32(index * RELA_SIZE + 12);
  }

  /** `r_addend`, signed; rounded beyond 2^53. */
  addend(index: number): number {
    const at = index * RELA_SIZE + 16;
    return this.#data.i32(at + 4) * TWO_32 + this.#data.u32(at);
  }

  /** `r_addend` as an exact 64-bit pattern. */
  addendBits(index: number): GuestAddr {
    const at = index * RELA_SIZE + 16;
    return addrFromParts(this.#data.u32(at + 4), this.#data.u32(at));
  }

  at(index: number): ElfRelocation {
    return {
      offset: this.offset(index),
      type: this.type(index),
      symbol: this.symbol(index),
      addend: this.addend(index),
    };
  }

  *[Symbol.iterator](): Generator<ElfRelocation> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }
}
