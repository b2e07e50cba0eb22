import { LineTable } from '../dwarf/index.ts';
import {
  type ElfFile,
  type ElfSection,
  ET_REL,
  relocationTypeName,
  SHN_ABS,
  SHN_COMMON,
  SHN_UNDEF,
  SHT_NOTE,
  SHT_NULL,
  STT_SECTION,
  type SymbolTable,
} from '../elf/index.ts';
import { address, hexBytes, type Row, type Views } from './inspect-table.ts';

const sectionTypes = new Map([
  [0, 'NULL'],
  [1, 'PROGBITS'],
  [2, 'SYMTAB'],
  [3, 'STRTAB'],
  [4, 'RELA'],
  [5, 'HASH'],
  [6, 'DYNAMIC'],
  [7, 'NOTE'],
  [8, 'NOBITS'],
  [9, 'REL'],
  [11, 'DYNSYM'],
  [14, 'INIT_ARRAY'],
  [15, 'FINI_ARRAY'],
  [17, 'GROUP'],
  [18, 'SYMTAB_SHNDX'],
]);
const segmentTypes = new Map([
  [0, 'NULL'],
  [1, 'LOAD'],
  [2, 'DYNAMIC'],
  [3, 'INTERP'],
  [4, 'NOTE'],
  [6, 'PHDR'],
  [7, 'TLS'],
  [0x6474e550, 'GNU_EH_FRAME'],
  [0x6474e551, 'GNU_STACK'],
  [0x6474e552, 'GNU_RELRO'],
  [0x6474e553, 'GNU_PROPERTY'],
]);
const symbolTypes = ['NOTYPE', 'OBJECT', 'FUNC', 'SECTION', 'FILE', 'COMMON', 'TLS'];
const bindings = ['LOCAL', 'GLOBAL', 'WEAK'];
const sectionFlags: readonly (readonly [number, string])[] = [
  [0x1, 'W'],
  [0x2, 'A'],
  [0x4, 'X'],
  [0x10, 'M'],
  [0x20, 'S'],
  [0x40, 'I'],
  [0x80, 'L'],
  [0x200, 'G'],
  [0x400, 'T'],
  [0x800, 'C'],
];

/** What any ELF file has. */
export function elfViews(elf: ElfFile): Views {
  return {
    sections: {
      summary: 'section headers',
      hex: ['offset', 'size'],
      rows: () => elf.sections.filter(({ type }) => type !== SHT_NULL).map(sectionRow),
    },
    segments: {
      summary: 'program headers',
      hex: ['offset', 'fileSize', 'memSize', 'align'],
      rows: () =>
        elf.segments.map(({ type, flags, offset, vaddr, fileSize, memSize, align }) => ({
          type: segmentTypes.get(type) ?? `0x${type.toString(16)}`,
          flags: `${flags & 4 ? 'R' : ' '}${flags & 2 ? 'W' : ' '}${flags & 1 ? 'X' : ' '}`.trimEnd(),
          address: address(vaddr),
          offset,
          fileSize,
          memSize,
          align,
        })),
    },
    symbols: {
      summary: 'symbol table',
      rows: () => (elf.symbols === undefined ? [] : symbolRows(elf, elf.symbols)),
    },
    relocs: {
      summary: 'relocations of every section',
      hex: ['offset', 'addend'],
      rows: () => elf.relocationSections.flatMap((section) => relocationRows(elf, section)),
    },
    notes: {
      summary: 'notes: build id, build salt',
      hex: ['type'],
      rows: () =>
        elf.sections
          .filter(({ type }) => type === SHT_NOTE)
          .flatMap((section) =>
            elf.notes(section).map(({ name, type, desc }) => ({
              section: section.name,
              owner: name,
              type,
              description: hexBytes(desc),
            })),
          ),
    },
    lines: {
      summary: 'source lines, from debug information',
      hex: ['offset'],
      rows: () => lineRows(elf),
    },
  };
}

function sectionRow(section: ElfSection): Row {
  const { index, name, type, flags, addr, offset, size, link, info, addralign, entsize } = section;
  return {
    index,
    name,
    type: sectionTypes.get(type) ?? `0x${type.toString(16)}`,
    flags: sectionFlags.map(([bit, letter]) => (flags & bit ? letter : '')).join(''),
    address: address(addr),
    offset,
    size,
    entsize,
    link,
    info,
    align: addralign,
  };
}

function* symbolRows(elf: ElfFile, symbols: SymbolTable): Generator<Row> {
  for (const symbol of symbols) {
    if (symbol.index === 0) continue;
    yield {
      index: symbol.index,
      value: address(symbol.value),
      size: symbol.size,
      type: symbolTypes[symbol.type] ?? String(symbol.type),
      bind: bindings[symbol.bind] ?? String(symbol.bind),
      section: sectionName(elf, symbol.section),
      name: symbolName(elf, symbols, symbol.index),
    };
  }
}

function sectionName(elf: ElfFile, index: number): string {
  if (index === SHN_UNDEF) return 'UND';
  if (index === SHN_ABS) return 'ABS';
  if (index === SHN_COMMON) return 'COM';
  return elf.sections[index]?.name ?? `<${index}>`;
}

function symbolName(elf: ElfFile, symbols: SymbolTable, index: number): string {
  if (symbols.type(index) !== STT_SECTION) return symbols.name(index);
  return sectionName(elf, symbols.section(index));
}

function relocationRows(elf: ElfFile, section: ElfSection): Row[] {
  const table = elf.relocationTable(section);
  const symbols = table.symbols === 0 ? undefined : elf.symbolTable(elf.sectionAt(table.symbols));
  const target = elf.sections[table.target]?.name ?? '';
  return [...table].map(({ offset, type, symbol, addend }) => ({
    section: target,
    offset,
    type: relocationTypeName(type),
    symbol: symbols === undefined || symbol === 0 ? '' : symbolName(elf, symbols, symbol),
    addend,
  }));
}

function lineRows(elf: ElfFile): Row[] {
  const linked = elf.header.type !== ET_REL;
  return [...new LineTable(elf).rows()]
    .sort((a, b) => a.section - b.section || a.offset - b.offset)
    .map(({ section, offset, file, line, column }) => {
      const found = elf.sections[section];
      const place: Row = linked
        ? { address: address((found?.addr ?? 0) + offset) }
        : { section: found?.name ?? '', offset };
      return { ...place, file, line, column };
    });
}
