import { addrFromParts, ByteReader, FormatError, type GuestAddr } from '../bytes/index.ts';
import { SHN_LORESERVE, SHN_XINDEX, SYM_SIZE } from './constants.ts';

const TWO_32 = 0x1_0000_0000;

/** One entry of a symbol table. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  /** `st_value`: an offset in the section for relocatable files, an address otherwise. */
  readonly value: GuestAddr;
  /** `st_size` in bytes; rounded above 2^53. */
  readonly size: number;
  /** `STT_*` */
  readonly type: number;
  /** `STB_*` */
  readonly bind: number;
  /** `STV_*`: the low two bits of `st_other`. */
  readonly visibility: number;
  /** Section index or `SHN_*`; an index behind `SHN_XINDEX` is already looked up. */
  readonly section: number;
}

/** A symbol table over the file's bytes: nothing is decoded until asked for, and then only that field. */
export class SymbolTable {
  readonly count: number;
  /** Index of the first symbol that is not local (`sh_info`). */
  readonly firstGlobal: number;
  readonly #data: ByteReader;
  readonly #strings: ByteReader;
  readonly #extendedIndex: ByteReader | undefined;
  #byName: Map<string, number[]> | undefined;

  /** Throws `FormatError` when the size is not a multiple of an entry's. */
  constructor(
    data: Uint8Array,
    strings: Uint8Array,
    firstGlobal: number,
    what = '.symtab',
    extendedIndex?: Uint8Array,
  ) {
    if (data.length % SYM_SIZE !== 0) {
      throw new FormatError(`size ${data.length} is not a multiple of ${SYM_SIZE}`, { section: what });
    }
    this.count = data.length / SYM_SIZE;
    this.firstGlobal = firstGlobal;
    this.#data = new ByteReader(data, what);
    this.#strings = new ByteReader(strings, `${what}'s strings`);
    this.#extendedIndex =
      extendedIndex === undefined ? undefined : new ByteReader(extendedIndex, '.symtab_shndx');
  }

  name(index: number): string {
    return this.#strings.cString(this.#data.u32(index * SYM_SIZE));
  }

  /** `STT_*` */
  type(index: number): number {
    return this.#data.u8(index * SYM_SIZE + 4) & 0xf;
  }

  /** `STB_*` */
  bind(index: number): number {
    return this.#data.u8(index * SYM_SIZE + 4) >> 4;
  }

  visibility(index: number): number {
    return this.#data.u8(index * SYM_SIZE + 5) & 3;
  }

  section(index: number): number {
    const shndx = this.#data.u16(index * SYM_SIZE + 6);
    if (shndx !== SHN_XINDEX) return shndx;
    if (this.#extendedIndex === undefined) {
      throw new FormatError('symbol has an extended section index, but there is no table of them', {
        section: this.#data.what,
        offset: index * SYM_SIZE,
      });
    }
    return this.#extendedIndex.u32(index * 4);
  }

  value(index: number): GuestAddr {
    const at = index * SYM_SIZE + 8;
    return addrFromParts(this.#data.u32(at + 4), this.#data.u32(at));
  }

  size(index: number): number {
    const at = index * SYM_SIZE + 16;
    return this.#data.u32(at + 4) * TWO_32 + this.#data.u32(at);
  }

  at(index: number): ElfSymbol {
    return {
      index,
      name: this.name(index),
      value: this.value(index),
      size: this.size(index),
      type: this.type(index),
      bind: this.bind(index),
      visibility: this.visibility(index),
      section: this.section(index),
    };
  }

  *[Symbol.iterator](): Generator<ElfSymbol> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }

  /** All symbols with this name, in table order. The first call builds an index over every name. */
  named(name: string): readonly ElfSymbol[] {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (let index = 1; index < this.count; index++) {
        const key = this.name(index);
        const list = this.#byName.get(key);
        if (list === undefined) this.#byName.set(key, [index]);
        else list.push(index);
      }
    }
    return (this.#byName.get(name) ?? []).map((index) => this.at(index));
  }

  /** Whether the section number of a symbol is a section of the file, not one of the reserved meanings. */
  static isRealSection(section: number): boolean {
    return section > 0 && (section < SHN_LORESERVE || section > SHN_XINDEX);
  }
}
