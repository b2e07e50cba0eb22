import type { ElfFile } from '../elf/index.ts';
import type {
  AltInstruction,
  BugEntry,
  CodeSite,
  ExceptionEntry,
  JumpEntry,
  OrcEntry,
  ParavirtSite,
  StaticCallSite,
} from './module-spec.ts';
import { stringAt, TableFields, withoutFlagBits } from './table-fields.ts';

/** The fields of a section, or undefined when the module has no such section. */
function open(elf: ElfFile, name: string): TableFields | undefined {
  const section = elf.section(name);
  return section === undefined ? undefined : new TableFields(elf, section);
}

function* rows<T>(
  elf: ElfFile,
  name: string,
  size: number,
  row: (fields: TableFields, at: number) => T,
): Generator<T> {
  const fields = open(elf, name);
  if (fields === undefined) return;
  for (const at of fields.entries(size)) yield row(fields, at);
}

/** Source: arch/x86/include/asm/orc_types.h (6.1): `struct orc_entry`, 6 bytes, beside a table of 4-byte places. */
export function readOrc(elf: ElfFile): OrcEntry[] {
  const places = open(elf, '.orc_unwind_ip');
  if (places === undefined) return [];
  return [
    ...rows(elf, '.orc_unwind', 6, ({ reader }, at) => {
      const registers = reader.u8(at + 4);
      const flags = reader.u8(at + 5);
      return {
        at,
        ip: places.relative((at / 6) * 4),
        spOffset: reader.i16(at),
        bpOffset: reader.i16(at + 2),
        spReg: registers & 15,
        bpReg: registers >> 4,
        type: flags & 3,
        end: (flags & 4) !== 0,
      };
    }),
  ];
}

/** Source: arch/x86/include/asm/extable.h: `struct exception_table_entry`. */
export function readExceptionTable(elf: ElfFile): ExceptionEntry[] {
  return [
    ...rows(elf, '__ex_table', 12, (fields, at) => {
      const data = fields.reader.i32(at + 8);
      return { at, insn: fields.relative(at), fixup: fields.relative(at + 4), data, type: data & 0xff };
    }),
  ];
}

/** Source: include/asm-generic/bug.h: `struct bug_entry` with relative pointers and CONFIG_DEBUG_BUGVERBOSE. */
export function readBugTable(elf: ElfFile): BugEntry[] {
  return [
    ...rows(elf, '__bug_table', 12, (fields, at) => {
      const hasFile = fields.isRelocated(at + 4) || fields.reader.i32(at + 4) !== 0;
      const file = hasFile ? fields.relative(at + 4) : undefined;
      return {
        at,
        addr: fields.relative(at),
        file,
        fileName: stringAt(elf, file),
        line: fields.reader.u16(at + 8),
        flags: fields.reader.u16(at + 10),
      };
    }),
  ];
}

/** Source: include/linux/jump_label.h: `struct jump_entry`. */
export function readJumpTable(elf: ElfFile): JumpEntry[] {
  return [
    ...rows(elf, '__jump_table', 16, (fields, at) => {
      const { location, bits } = withoutFlagBits(fields.relative64(at + 8), 3);
      return {
        at,
        code: fields.relative(at),
        target: fields.relative(at + 4),
        key: location,
        branch: (bits & 1) !== 0,
      };
    }),
  ];
}

/** Source: arch/x86/include/asm/alternative.h (6.1): `struct alt_instr`. */
export function readAlternatives(elf: ElfFile): AltInstruction[] {
  return [
    ...rows(elf, '.altinstructions', 12, (fields, at) => {
      const feature = fields.reader.u16(at + 8);
      return {
        at,
        instr: fields.relative(at),
        replacement: fields.relative(at + 4),
        feature: feature & 0x7fff,
        inverted: (feature & 0x8000) !== 0,
        instrLength: fields.reader.u8(at + 10),
        replacementLength: fields.reader.u8(at + 11),
      };
    }),
  ];
}

/** Source: arch/x86/include/asm/paravirt_types.h (6.1): `struct paravirt_patch_site`. */
export function readParavirtSites(elf: ElfFile): ParavirtSite[] {
  return [
    ...rows(elf, '.parainstructions', 16, (fields, at) => ({
      at,
      instr: fields.pointer(at),
      type: fields.reader.u8(at + 8),
      length: fields.reader.u8(at + 9),
    })),
  ];
}

/** Source: include/linux/static_call_types.h: `struct static_call_site`. */
export function readStaticCallSites(elf: ElfFile): StaticCallSite[] {
  return [
    ...rows(elf, '.static_call_sites', 8, (fields, at) => {
      const { location, bits } = withoutFlagBits(fields.relative(at + 4), 3);
      return { at, addr: fields.relative(at), key: location, tail: (bits & 1) !== 0, init: (bits & 2) !== 0 };
    }),
  ];
}

/** A section of nothing but self-relative 32-bit places. */
export function readRelativeSites(elf: ElfFile, name: string): CodeSite[] {
  return [...rows(elf, name, 4, (fields, at) => ({ at, addr: fields.relative(at) }))];
}

/** `__mcount_loc`: 64-bit addresses of the calls to `__fentry__`. Null entries are left out. */
export function readMcountLocations(elf: ElfFile): CodeSite[] {
  const sites: CodeSite[] = [];
  for (const { at, addr } of rows(elf, '__mcount_loc', 8, (fields, at) => ({
    at,
    addr: fields.pointer(at),
  }))) {
    if (addr !== undefined) sites.push({ at, addr });
  }
  return sites;
}
