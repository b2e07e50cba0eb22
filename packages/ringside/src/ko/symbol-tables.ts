import { FormatError } from '../bytes/index.ts';
import { type ElfFile, SHN_UNDEF, STB_WEAK } from '../elf/index.ts';
import type { ModuleExport, ModuleParam, SymbolVersion } from './module-spec.ts';
import { stringAt, TableFields } from './table-fields.ts';

const latin1 = new TextDecoder('latin1');

/** Size in bytes of `struct modversion_info`: a 64-bit CRC and the name. Source: include/linux/module.h. */
const MODVERSION_SIZE = 64;

export function readVersions(elf: ElfFile): SymbolVersion[] {
  const section = elf.section('__versions');
  if (section === undefined) return [];
  const fields = new TableFields(elf, section);
  const { reader } = fields;
  return [...fields.entries(MODVERSION_SIZE)].map((at) => {
    const bytes = reader.slice(at + 8, MODVERSION_SIZE - 8);
    const end = bytes.indexOf(0);
    if (end < 0)
      throw new FormatError('symbol name is not terminated', { section: section.name, offset: at + 8 });
    return { at, name: latin1.decode(bytes.subarray(0, end)), crc: reader.u32(at) };
  });
}

/** Source: include/linux/moduleparam.h: `struct kernel_param`, 40 bytes. */
export function readParams(elf: ElfFile): ModuleParam[] {
  const section = elf.section('__param');
  if (section === undefined) return [];
  const fields = new TableFields(elf, section);
  return [...fields.entries(40)].map((at) => {
    const name = stringAt(elf, fields.pointer(at));
    if (name === undefined) {
      throw new FormatError('parameter has no name', { section: section.name, offset: at });
    }
    return {
      at,
      name,
      mod: fields.pointer(at + 8),
      ops: fields.pointer(at + 16),
      perm: fields.reader.u16(at + 24),
      level: fields.reader.i8(at + 26),
      flags: fields.reader.u8(at + 27),
      arg: fields.pointer(at + 32),
    };
  });
}

/** Both export tables, the GPL-only one last. Source: include/linux/export.h (6.1): `struct kernel_symbol`. */
export function readExports(elf: ElfFile): ModuleExport[] {
  return [...readExportTable(elf, '', false), ...readExportTable(elf, '_gpl', true)];
}

function readExportTable(elf: ElfFile, suffix: string, gplOnly: boolean): ModuleExport[] {
  const section = elf.section(`__ksymtab${suffix}`);
  if (section === undefined) return [];
  const fields = new TableFields(elf, section);
  const crcSection = elf.section(`__kcrctab${suffix}`);
  const crcs = crcSection === undefined ? undefined : new TableFields(elf, crcSection);
  return [...fields.entries(12)].map((at, index) => {
    const name = stringAt(elf, fields.relative(at + 4));
    if (name === undefined)
      throw new FormatError('export has no name', { section: section.name, offset: at });
    return {
      at,
      name,
      gplOnly,
      namespace: stringAt(elf, fields.relative(at + 8)) ?? '',
      crc: crcs === undefined ? undefined : readCrc(crcs, index * 4),
      value: fields.relative(at),
    };
  });
}

/** The CRC at `at`: the number itself, or a relocation against an absolute `__crc_` symbol (older builds). */
function readCrc(crcs: TableFields, at: number): number | undefined {
  if (!crcs.isRelocated(at)) return crcs.reader.u32(at);
  const target = crcs.relative(at);
  return target.kind === 'absolute' ? target.value >>> 0 : undefined;
}

/** Undefined symbols, in table order. */
export function readImports(elf: ElfFile): { readonly name: string; readonly weak: boolean }[] {
  const { symbols } = elf;
  const imports: { readonly name: string; readonly weak: boolean }[] = [];
  for (let index = 1; index < (symbols?.count ?? 0); index++) {
    if (symbols!.section(index) !== SHN_UNDEF) continue;
    const name = symbols!.name(index);
    if (name !== '') imports.push({ name, weak: symbols!.bind(index) === STB_WEAK });
  }
  return imports;
}
