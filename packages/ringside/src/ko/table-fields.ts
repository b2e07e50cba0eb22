import { addrFromU64, asAddr, type ByteReader, FormatError } from '../bytes/index.ts';
import {
  type ElfFile,
  type ElfSection,
  type RelocationTable,
  SHN_ABS,
  SHN_UNDEF,
  STB_WEAK,
  STT_SECTION,
  SymbolTable,
} from '../elf/index.ts';
import type { ModuleLocation } from './module-spec.ts';

/**
 * One table section of a module: its bytes, and for each field the place its relocation points to. Fields of the
 * form `target - .` and absolute pointers both end as `symbol + addend`, because the assembler writes the
 * relocation's addend relative to the field itself.
 */
export class TableFields {
  readonly section: ElfSection;
  readonly reader: ByteReader;
  readonly #elf: ElfFile;
  readonly #tables: readonly RelocationTable[];
  #byOffset: Map<number, { readonly table: RelocationTable; readonly index: number }> | undefined;

  constructor(elf: ElfFile, section: ElfSection) {
    this.section = section;
    this.reader = elf.reader(section);
    this.#elf = elf;
    this.#tables = elf.relocationsFor(section);
  }

  /** Offsets of the entries of `size` bytes; `FormatError` when the section is no multiple of it. */
  *entries(size: number): Generator<number> {
    const total = this.reader.size;
    if (total % size !== 0) {
      throw new FormatError(`size ${total} is not a multiple of an entry's ${size}`, {
        section: this.section.name,
      });
    }
    for (let at = 0; at < total; at += size) yield at;
  }

  /** Where the pointer-sized field at `at` points; undefined for a null pointer. */
  pointer(at: number): ModuleLocation | undefined {
    const target = this.#relocated(at);
    if (target !== undefined) return target;
    const value = this.reader.u64(at);
    return value === 0n ? undefined : { kind: 'absolute', value: addrFromU64(value), symbol: '' };
  }

  /** Where the self-relative 32-bit field at `at` points. */
  relative(at: number): ModuleLocation {
    return this.#relocated(at) ?? this.#own(at + this.reader.i32(at));
  }

  /** Where the self-relative 64-bit field at `at` points. */
  relative64(at: number): ModuleLocation {
    return this.#relocated(at) ?? this.#own(at + Number(this.reader.i64(at)));
  }

  /** Whether a relocation applies at `at`. */
  isRelocated(at: number): boolean {
    return this.#index().has(at);
  }

  /** All relocated offsets, ascending. */
  get relocatedOffsets(): number[] {
    return [...this.#index().keys()].sort((a, b) => a - b);
  }

  #own(offset: number): ModuleLocation {
    return { kind: 'section', section: this.section, offset, symbol: '' };
  }

  #index(): Map<number, { readonly table: RelocationTable; readonly index: number }> {
    if (this.#byOffset === undefined) {
      this.#byOffset = new Map();
      for (const table of this.#tables) {
        for (let index = 0; index < table.count; index++)
          this.#byOffset.set(table.offset(index), { table, index });
      }
    }
    return this.#byOffset;
  }

  #relocated(at: number): ModuleLocation | undefined {
    const found = this.#index().get(at);
    if (found === undefined) return undefined;
    const { table, index } = found;
    const symbols = this.#elf.symbolTable(this.#elf.sectionAt(table.symbols));
    const symbol = table.symbol(index);
    if (symbol >= symbols.count) {
      throw new FormatError(`relocation names symbol ${symbol}, there are ${symbols.count}`, {
        section: this.section.name,
        offset: at,
      });
    }
    return resolveSymbol(this.#elf, symbols, symbol, table.addend(index));
  }
}

/** Where `symbol + addend` is, before anything has an address. */
export function resolveSymbol(
  elf: ElfFile,
  symbols: SymbolTable,
  index: number,
  addend: number,
): ModuleLocation {
  const number = symbols.section(index);
  const name = symbols.type(index) === STT_SECTION ? '' : symbols.name(index);
  const value = symbols.value(index);
  if (number === SHN_UNDEF) {
    return { kind: 'import', symbol: name, addend, weak: symbols.bind(index) === STB_WEAK };
  }
  if (number === SHN_ABS) return { kind: 'absolute', value: asAddr(value + addend), symbol: name };
  if (!SymbolTable.isRealSection(number)) {
    throw new FormatError(
      `symbol ${index} (${name}) has the reserved section number 0x${number.toString(16)}`,
    );
  }
  return { kind: 'section', section: elf.sectionAt(number), offset: value + addend, symbol: name };
}

/** The same place without the low bits in which tables keep flags. */
export function withoutFlagBits(
  location: ModuleLocation,
  mask: number,
): { location: ModuleLocation; bits: number } {
  switch (location.kind) {
    case 'section': {
      const bits = Math.abs(location.offset % (mask + 1)) & mask;
      return { location: { ...location, offset: location.offset - bits }, bits };
    }
    case 'import': {
      const bits = location.addend & mask;
      return { location: { ...location, addend: location.addend - bits }, bits };
    }
    case 'absolute': {
      const bits = location.value & mask;
      return { location: { ...location, value: asAddr(location.value - bits) }, bits };
    }
  }
}

/** The string a location points to, when it is in the file; undefined for imports and absolute places. */
export function stringAt(elf: ElfFile, location: ModuleLocation | undefined): string | undefined {
  if (location?.kind !== 'section') return undefined;
  return elf.reader(location.section).cString(location.offset);
}
