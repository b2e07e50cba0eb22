/**
 * ELF64 little-endian x86-64: relocatable (modules), executable (vmlinux, programs) and shared files.
 *
 *   bytes ──► RawElf    fields as they stand, predicates, never throws (for the loader's own checks)
 *        └──► ElfFile   strict; SymbolTable, RelocationTable, notes, segments, decoded when asked for
 *
 * Everything is a view of one shared immutable buffer; nobody owns or changes it.
 */
export * from './constants.ts';
export { ElfFile, type ElfSection, type ElfSegment } from './elf-file.ts';
export { type ElfNote, NT_GNU_BUILD_ID, readNotes } from './notes.ts';
export { RawElf, type RawElfHeader, type RawSectionHeader } from './raw-elf.ts';
export { type ElfRelocation, RelocationTable } from './relocation-table.ts';
export * from './relocation-types.ts';
export { type ElfSymbol, SymbolTable } from './symbol-table.ts';
