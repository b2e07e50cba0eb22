import { ByteReader, FormatError, UnsupportedError } from '../bytes/index.ts';
import { type ElfFile, type ElfSection, SymbolTable } from '../elf/index.ts';

/** Source: System V psABI for x86-64, table 4.9. */
const R_X86_64_NONE = 0;
const R_X86_64_64 = 1;
const R_X86_64_PC32 = 2;
const R_X86_64_32 = 10;
const R_X86_64_32S = 11;
const R_X86_64_DTPOFF64 = 17;
const R_X86_64_DTPOFF32 = 21;

const ET_REL = 1;
const SHF_ALLOC = 2;
const SHF_COMPRESSED = 0x800;
const TWO_32 = 0x1_0000_0000;

/** A place in the program: offset in bytes from the start of a section of the file. */
export interface SectionPlace {
  readonly section: number;
  readonly offset: number;
}

/**
 * The debug sections of a file with their relocations applied, each when first asked for.
 *
 * In a relocatable file every section starts at 0, so addresses of different sections would be mixed up. Here
 * section N is laid out at N * 2^32, which keeps them apart and lets one number stand for a place; debug
 * sections are laid out at 0, since what refers to them are offsets. In a linked file addresses are as linked.
 */
export class DebugSections {
  readonly elf: ElfFile;
  readonly #relocatable: boolean;
  readonly #readers = new Map<string, ByteReader>();

  constructor(elf: ElfFile) {
    this.elf = elf;
    this.#relocatable = elf.header.type === ET_REL;
  }

  has(name: string): boolean {
    return this.elf.section(name) !== undefined;
  }

  /** A reader over the relocated section; over nothing when the file has no such section. */
  get(name: string): ByteReader {
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      const section = this.elf.section(name);
      reader = new ByteReader(section === undefined ? new Uint8Array() : this.#relocated(section), name);
      this.#readers.set(name, reader);
    }
    return reader;
  }

  /** The number that stands for a place in the debug information. */
  addressOf(place: SectionPlace): number {
    const section = this.elf.sections[place.section];
    if (section === undefined) return Number.NaN;
    return this.#base(section) + place.offset;
  }

  /** The place an address of the debug information names; undefined when it lies in no section. */
  placeOf(address: number): SectionPlace | undefined {
    for (const section of this.elf.sections) {
      const offset = address - this.#base(section);
      if (section.flags & SHF_ALLOC && offset >= 0 && offset < Math.max(section.size, 1)) {
        return { section: section.index, offset };
      }
    }
    return undefined;
  }

  #base(section: ElfSection): number {
    if (!this.#relocatable) return section.addr;
    return section.flags & SHF_ALLOC ? section.index * TWO_32 : 0;
  }

  #relocated(section: ElfSection): Uint8Array {
    if (section.flags & SHF_COMPRESSED) {
      throw new UnsupportedError({
        what: `compressed debug section ${section.name}`,
        advice: 'decompress it with "objcopy --decompress-debug-sections"',
      });
    }
    const bytes = this.elf.data(section);
    const tables = this.#relocatable ? this.elf.relocationsFor(section) : [];
    if (tables.length === 0) return bytes;
    const copy = Uint8Array.from(bytes);
    const view = new DataView(copy.buffer);
    for (const table of tables) {
      const values = this.#symbolValues(this.elf.sectionAt(table.symbols));
      for (let index = 0; index < table.count; index += 1) {
        const symbol = table.symbol(index);
        const value = values(symbol) + table.addend(index);
        const offset = table.offset(index);
        const wide = relocationSize(table.type(index), section.name, offset);
        if (wide === 0) continue;
        if (offset + wide > copy.length) {
          throw new FormatError('relocation applies outside its section', { section: section.name, offset });
        }
        view.setUint32(offset, value >>> 0, true);
        if (wide === 8) view.setInt32(offset + 4, Math.floor(value / TWO_32) | 0, true);
      }
    }
    return copy;
  }

  /** Gives symbol values, remembering them: thousands of relocations name the same few section symbols. */
  #symbolValues(section: ElfSection): (index: number) => number {
    const symbols = this.elf.symbolTable(section);
    const cache = new Map<number, number>();
    return (index) => {
      let value = cache.get(index);
      if (value === undefined) {
        const home = symbols.section(index);
        const base = SymbolTable.isRealSection(home) ? this.#base(this.elf.sectionAt(home)) : 0;
        value = base + symbols.value(index);
        cache.set(index, value);
      }
      return value;
    };
  }
}

/** Bytes that a relocation writes; 0 for none. */
function relocationSize(type: number, section: string, offset: number): 0 | 4 | 8 {
  switch (type) {
    case R_X86_64_NONE:
      return 0;
    case R_X86_64_64:
    case R_X86_64_DTPOFF64:
      return 8;
    case R_X86_64_32:
    case R_X86_64_32S:
    case R_X86_64_DTPOFF32:
      return 4;
    case R_X86_64_PC32:
      throw new FormatError('PC-relative relocation in debug information', { section, offset });
    default:
      throw new FormatError(`relocation type ${type} in debug information`, { section, offset });
  }
}
