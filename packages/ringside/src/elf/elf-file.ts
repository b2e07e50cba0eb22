import { addrFromU64, ByteReader, FormatError, type GuestAddr } from '../bytes/index.ts';
import {
  EHDR_SIZE,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_X86_64,
  PHDR_SIZE,
  SHDR_SIZE,
  SHN_UNDEF,
  SHN_XINDEX,
  SHT_DYNSYM,
  SHT_NOBITS,
  SHT_NULL,
  SHT_RELA,
  SHT_SYMTAB,
  SHT_SYMTAB_SHNDX,
} from './constants.ts';
import { type ElfNote, readNotes } from './notes.ts';
import { RawElf, type RawElfHeader, type RawSectionHeader } from './raw-elf.ts';
import { RelocationTable } from './relocation-table.ts';
import { SymbolTable } from './symbol-table.ts';

/** A section header whose name is looked up and whose bytes are known to lie within the file. */
export interface ElfSection extends RawSectionHeader {
  readonly name: string;
}

/** One `Elf64_Phdr`. Offsets and sizes in bytes. */
export interface ElfSegment {
  readonly index: number;
  /** `PT_*` */
  readonly type: number;
  /** `PF_*` */
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: GuestAddr;
  readonly paddr: GuestAddr;
  readonly fileSize: number;
  readonly memSize: number;
  readonly align: number;
}

/**
 * The strict reader: an ELF64 little-endian x86-64 file, relocatable, executable or shared. The constructor
 * checks the header and all section headers; tables are decoded when asked for. Every method throws
 * `FormatError` where the bytes are not what they must be, and nothing else. The bytes are shared, never copied
 * and never changed.
 */
export class ElfFile {
  readonly bytes: Uint8Array;
  readonly raw: RawElf;
  readonly header: RawElfHeader;
  readonly sections: readonly ElfSection[];
  readonly #byName = new Map<string, ElfSection>();
  #segments: readonly ElfSegment[] | undefined;
  readonly #symbolTables = new Map<number, SymbolTable>();
  #relocations: ReadonlyMap<number, readonly ElfSection[]> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.raw = new RawElf(bytes);
    this.header = checkedHeader(this.raw);
    this.sections = this.#readSections();
    for (const section of this.sections) {
      if (section.type !== SHT_NULL && !this.#byName.has(section.name))
        this.#byName.set(section.name, section);
    }
  }

  /** The first section with this name. */
  section(name: string): ElfSection | undefined {
    return this.#byName.get(name);
  }

  /** Section `index`; `FormatError` when there is none. */
  sectionAt(index: number): ElfSection {
    const section = this.sections[index];
    if (section === undefined) {
      throw new FormatError(`section ${index} does not exist, the file has ${this.sections.length}`);
    }
    return section;
  }

  /** The bytes of a section, a view. A NOBITS section has none: empty. */
  data(section: ElfSection): Uint8Array {
    if (section.type === SHT_NOBITS) return new Uint8Array(0);
    return this.bytes.subarray(section.offset, section.offset + section.size);
  }

  /** A bounds-checked reader over a section, which names the section in its errors. */
  reader(section: ElfSection): ByteReader {
    return new ByteReader(this.data(section), section.name);
  }

  /** The symbol table (`SHT_SYMTAB`), or undefined in a stripped file. */
  get symbols(): SymbolTable | undefined {
    const section = this.sections.find((candidate) => candidate.type === SHT_SYMTAB);
    return section === undefined ? undefined : this.symbolTable(section);
  }

  /** The dynamic symbol table (`SHT_DYNSYM`). */
  get dynamicSymbols(): SymbolTable | undefined {
    const section = this.sections.find((candidate) => candidate.type === SHT_DYNSYM);
    return section === undefined ? undefined : this.symbolTable(section);
  }

  symbolTable(section: ElfSection): SymbolTable {
    let table = this.#symbolTables.get(section.index);
    if (table === undefined) {
      const extended = this.sections.find(
        (candidate) => candidate.type === SHT_SYMTAB_SHNDX && candidate.link === section.index,
      );
      table = new SymbolTable(
        this.data(section),
        this.data(this.sectionAt(section.link)),
        section.info,
        section.name,
        extended === undefined ? undefined : this.data(extended),
      );
      this.#symbolTables.set(section.index, table);
    }
    return table;
  }

  /** The sections of relocations with addends, in file order. */
  get relocationSections(): readonly ElfSection[] {
    return this.sections.filter((section) => section.type === SHT_RELA);
  }

  relocationTable(section: ElfSection): RelocationTable {
    return new RelocationTable(this.data(section), section.info, section.link, section.name);
  }

  /** The relocation tables that apply to a section (usually none or one). */
  relocationsFor(section: ElfSection): readonly RelocationTable[] {
    if (this.#relocations === undefined) {
      const byTarget = new Map<number, ElfSection[]>();
      for (const candidate of this.relocationSections) {
        const list = byTarget.get(candidate.info);
        if (list === undefined) byTarget.set(candidate.info, [candidate]);
        else list.push(candidate);
      }
      this.#relocations = byTarget;
    }
    return (this.#relocations.get(section.index) ?? []).map((candidate) => this.relocationTable(candidate));
  }

  notes(section: ElfSection): ElfNote[] {
    return readNotes(this.data(section), section.name);
  }

  /** The program headers. */
  get segments(): readonly ElfSegment[] {
    this.#segments ??= this.#readSegments();
    return this.#segments;
  }

  #readSections(): ElfSection[] {
    const { raw, header } = this;
    if (header.shoff === 0) return [];
    if (header.shentsize !== SHDR_SIZE) {
      throw new FormatError(`section headers of ${header.shentsize} bytes, ${SHDR_SIZE} expected`);
    }
    const first = raw.sectionHeader(0);
    // gABI: counts that do not fit 16 bits stand in section header 0.
    const count = header.shnum !== 0 ? header.shnum : (first?.size ?? 0);
    const shstrndx = header.shstrndx === SHN_XINDEX ? (first?.link ?? 0) : header.shstrndx;
    if (!raw.inFile(header.shoff, count * SHDR_SIZE)) {
      throw new FormatError(`${count} section headers do not fit in the file of ${this.bytes.length} bytes`, {
        offset: header.shoff,
      });
    }
    const headers = Array.from({ length: count }, (_, index) => raw.sectionHeader(index)!);
    const names = headers[shstrndx];
    if (shstrndx !== SHN_UNDEF && (names === undefined || !raw.sectionInFile(names))) {
      throw new FormatError(`section ${shstrndx}, which should hold the section names, is not in the file`);
    }
    const nameAt = (section: RawSectionHeader): string => {
      if (names === undefined || shstrndx === SHN_UNDEF) return '';
      const name = raw.cString(names.offset + section.nameOffset, names.offset + names.size);
      if (name === undefined)
        throw new FormatError(`name of section ${section.index} is not in the string table`);
      return name;
    };
    return headers.map((section) => {
      const name = section.type === SHT_NULL ? '' : nameAt(section);
      if (section.type !== SHT_NULL && !raw.sectionInFile(section)) {
        throw new FormatError(
          `section ${section.index} (${section.size} bytes at 0x${section.offset.toString(16)}) reaches beyond the file`,
          { section: name },
        );
      }
      return { ...section, name };
    });
  }

  #readSegments(): ElfSegment[] {
    const { header, bytes } = this;
    if (header.phoff === 0 || header.phnum === 0) return [];
    if (header.phentsize !== PHDR_SIZE) {
      throw new FormatError(`program headers of ${header.phentsize} bytes, ${PHDR_SIZE} expected`);
    }
    const reader = new ByteReader(bytes, 'program headers');
    reader.check(header.phoff, header.phnum * PHDR_SIZE);
    return Array.from({ length: header.phnum }, (_, index) => {
      const at = header.phoff + index * PHDR_SIZE;
      const offset = reader.size64(at + 8);
      const fileSize = reader.size64(at + 32);
      reader.check(offset, fileSize);
      return {
        index,
        type: reader.u32(at),
        flags: reader.u32(at + 4),
        offset,
        vaddr: addrFromU64(reader.u64(at + 16)),
        paddr: addrFromU64(reader.u64(at + 24)),
        fileSize,
        memSize: reader.size64(at + 40),
        align: reader.size64(at + 48),
      };
    });
  }
}

function checkedHeader(raw: RawElf): RawElfHeader {
  const header = raw.header;
  if (!raw.hasMagic) throw new FormatError('not an ELF file: it does not begin with 7f 45 4c 46');
  if (header === undefined) {
    throw new FormatError(`ELF header needs ${EHDR_SIZE} bytes, the file has ${raw.bytes.length}`);
  }
  if (header.ident[4] !== ELFCLASS64) throw new FormatError('not a 64-bit ELF file', { offset: 4 });
  if (header.ident[5] !== ELFDATA2LSB) throw new FormatError('not a little-endian ELF file', { offset: 5 });
  if (header.machine !== EM_X86_64) {
    throw new FormatError(`ELF file is for machine ${header.machine}, not x86-64 (${EM_X86_64})`, {
      offset: 18,
    });
  }
  return header;
}
