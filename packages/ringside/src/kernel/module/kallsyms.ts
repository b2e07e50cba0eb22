import { addrFromParts, asAddr, FormatError, type GuestAddr, NULL } from '../../bytes/index.ts';
import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_WRITE,
  SHN_ABS,
  SHN_LORESERVE,
  SHN_UNDEF,
  SHT_NOBITS,
  STB_WEAK,
  STT_OBJECT,
  SYM_SIZE,
} from '../../elf/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { LoadInfo } from './load-info.ts';
import type { Module } from './module.ts';
import type { ModuleStructs } from './module-struct.ts';

/** No name is longer. Source: include/linux/kallsyms.h, KSYM_NAME_LEN. */
const NAME_LIMIT = 512;

/** Whether a symbol outlives init. Source: kernel/module/kallsyms.c, is_core_symbol; CONFIG_KALLSYMS_ALL. */
export function isCoreSymbol(info: LoadInfo, shndx: number, nameOffset: number): boolean {
  if (shndx === SHN_UNDEF || shndx >= info.shnum || nameOffset === 0) return false;
  // without per-CPU data the index is 0, which SHN_UNDEF has excluded
  if (shndx === info.index.pcpu) return true;
  const section = info.section(shndx);
  return (section.flags & SHF_ALLOC) !== 0 && section.place?.init !== true;
}

/** nm's letter for a symbol. Source: elf_type. */
function elfType(info: LoadInfo, symInfo: number, shndx: number): string {
  if (symInfo >> 4 === STB_WEAK) return (symInfo & 0xf) === STT_OBJECT ? 'v' : 'w';
  if (shndx === SHN_UNDEF) return 'U';
  if (shndx === SHN_ABS || shndx === info.index.pcpu) return 'a';
  if (shndx >= SHN_LORESERVE) return '?';
  const section = info.section(shndx);
  if (section.flags & SHF_EXECINSTR) return 't';
  if (section.flags & SHF_ALLOC && section.type !== SHT_NOBITS) return section.flags & SHF_WRITE ? 'd' : 'r';
  if (section.type === SHT_NOBITS) return 'b';
  return info.sectionName(section).startsWith('.debug') ? 'n' : '?';
}

/**
 * Fills the module's symbol tables: the whole one in init memory with its types, and the one that stays.
 * Preconditions: symbols are simplified (their values are addresses). Source: kernel/module/kallsyms.c, add_kallsyms.
 */
export function addKallsyms(info: LoadInfo, module: Module): void {
  const { memory } = info.host;
  const { view, raw } = memory;
  const { kallsyms: fields } = info.structs;
  const core = module.layout('core').base;
  const init = module.layout('init').base;
  const symtab = info.section(info.index.sym).addr;
  const strtab = info.section(info.index.str).addr;
  if (symtab === undefined || strtab === undefined)
    throw new FormatError('the symbol table has no place in memory');
  const count = info.symbolCount;
  const typetab = asAddr(init + info.initTypeoffs);
  const all = asAddr(init + info.kallsymsInitOff);
  module.setPtr('kallsyms', all);
  memory.writePtr(asAddr(all + fields.symtab), symtab);
  memory.writeU32(asAddr(all + fields.num_symtab), count);
  memory.writePtr(asAddr(all + fields.strtab), strtab);
  memory.writePtr(asAddr(all + fields.typetab), typetab);

  const coreSymtab = asAddr(core + info.symoffs);
  const coreStrtab = asAddr(core + info.stroffs);
  const coreTypetab = asAddr(core + info.coreTypeoffs);
  const coreTables = module.at('core_kallsyms');
  memory.writePtr(asAddr(coreTables + fields.symtab), coreSymtab);
  memory.writePtr(asAddr(coreTables + fields.strtab), coreStrtab);
  memory.writePtr(asAddr(coreTables + fields.typetab), coreTypetab);

  const strtabEnd = coreTypetab >>> 0;
  let kept = 0;
  let nextName = coreStrtab >>> 0;
  for (let i = 0; i < count; i++) {
    const src = (symtab >>> 0) + i * SYM_SIZE;
    const nameOffset = view.getUint32(src, true);
    const shndx = view.getUint16(src + 6, true);
    const letter = elfType(info, raw[src + 4]!, shndx).charCodeAt(0);
    raw[(typetab >>> 0) + i] = letter;
    if (i !== 0 && !info.klp && !isCoreSymbol(info, shndx, nameOffset)) continue;
    // names that do not fit any more: the table was changed after it was measured
    const name = (strtab >>> 0) + nameOffset;
    const end = raw.indexOf(0, name);
    const length = end - name;
    if (nextName + length + 1 > strtabEnd) break;
    raw[(coreTypetab >>> 0) + kept] = letter;
    const dest = (coreSymtab >>> 0) + kept * SYM_SIZE;
    raw.copyWithin(dest, src, src + SYM_SIZE);
    view.setUint32(dest, nextName - (coreStrtab >>> 0), true);
    kept++;
    raw.copyWithin(nextName, name, end + 1);
    nextName += length + 1;
  }
  memory.writeU32(asAddr(coreTables + fields.num_symtab), kept);
}

/** One symbol of a module, as `/proc/kallsyms` lists it. */
export interface ModuleSymbol {
  readonly name: string;
  /** nm's letter, lower case. */
  readonly type: string;
  readonly address: GuestAddr;
  readonly undefined: boolean;
}

/** The symbol table a module has now: the whole one while init runs, then what is left. */
class SymbolView {
  readonly memory: GuestMemory;
  readonly symtab: number;
  readonly strtab: number;
  readonly typetab: number;
  readonly count: number;

  constructor(memory: GuestMemory, structs: ModuleStructs, tables: GuestAddr) {
    const { kallsyms: fields } = structs;
    this.memory = memory;
    this.symtab = memory.readPtr(asAddr(tables + fields.symtab)) >>> 0;
    this.strtab = memory.readPtr(asAddr(tables + fields.strtab)) >>> 0;
    this.typetab = memory.readPtr(asAddr(tables + fields.typetab)) >>> 0;
    this.count = memory.readU32(asAddr(tables + fields.num_symtab));
  }

  value(i: number): GuestAddr {
    const at = this.symtab + i * SYM_SIZE + 8;
    return addrFromParts(this.memory.view.getInt32(at + 4, true), this.memory.view.getUint32(at, true));
  }

  isUndefined(i: number): boolean {
    return this.memory.view.getUint16(this.symtab + i * SYM_SIZE + 6, true) === SHN_UNDEF;
  }

  name(i: number): string {
    const { raw, view } = this.memory;
    const start = this.strtab + view.getUint32(this.symtab + i * SYM_SIZE, true);
    let text = '';
    const end = Math.min(raw.length, start + NAME_LIMIT);
    for (let at = start; at < end && raw[at] !== 0; at++) text += String.fromCharCode(raw[at]!);
    return text;
  }

  type(i: number): string {
    return String.fromCharCode(this.memory.raw[this.typetab + i]!);
  }
}

function viewOf(memory: GuestMemory, module: Module): SymbolView | undefined {
  const tables = module.ptr('kallsyms');
  if (tables === NULL) return undefined;
  const { kallsyms: fields } = module.structs;
  const pointers = [fields.symtab, fields.strtab, fields.typetab, fields.num_symtab];
  if (!pointers.every((field) => memory.canRead(asAddr(tables + field), 8))) return undefined;
  // the pointers lie in the module, which may have written over them: then it has no names any more
  const count = memory.readU32(asAddr(tables + fields.num_symtab));
  const at = (field: number): GuestAddr => memory.readPtr(asAddr(tables + field));
  if (count > 0 && !memory.canRead(at(fields.symtab), count * SYM_SIZE)) return undefined;
  if (!memory.canRead(at(fields.strtab), 1) || !memory.canRead(at(fields.typetab), 1)) return undefined;
  return new SymbolView(memory, module.structs, tables);
}

/** Mapping symbols of ARM and assembler labels, which the kernel skips everywhere. */
function isMappingSymbol(name: string): boolean {
  return name.startsWith('.L') || /^\$[axtd](\.|$)/.test(name);
}

/** Unsigned order of addresses, which are signed numbers here. */
function isBelow(a: number, b: number): boolean {
  return a < 0 === b < 0 ? a < b : b < 0;
}

export interface ModuleSymbolAt {
  readonly name: string;
  /** Of the address, from the symbol's start. */
  readonly offset: number;
  /** To the next symbol, or to the end of the text. */
  readonly size: number;
}

/** The symbol that covers an address of a module. Source: kernel/module/kallsyms.c, find_kallsyms_symbol. */
export function findKallsymsSymbol(
  memory: GuestMemory,
  module: Module,
  addr: GuestAddr,
): ModuleSymbolAt | undefined {
  const table = viewOf(memory, module);
  if (table === undefined) return undefined;
  const layout = module.layout(module.within('init', addr) ? 'init' : 'core');
  let next: number = layout.base + layout.textSize;
  let best = 0;
  let bestValue: number = table.count > 0 ? table.value(0) : 0;
  for (let i = 1; i < table.count; i++) {
    const value = table.value(i);
    const better = !isBelow(addr, value) && isBelow(bestValue, value);
    const nearer = isBelow(addr, value) && isBelow(value, next);
    if (!better && !nearer) continue;
    if (table.isUndefined(i)) continue;
    const name = table.name(i);
    if (name === '' || isMappingSymbol(name)) continue;
    if (better) {
      best = i;
      bestValue = value;
    }
    if (nearer) next = value;
  }
  if (best === 0) return undefined;
  return { name: table.name(best), offset: addr - bestValue, size: next - bestValue };
}

/** All symbols of a module in table order, the unnamed first one included. */
export function* moduleSymbols(memory: GuestMemory, module: Module): Generator<ModuleSymbol> {
  const table = viewOf(memory, module);
  if (table === undefined) return;
  for (let i = 0; i < table.count; i++) {
    yield {
      name: table.name(i),
      type: table.type(i),
      address: table.value(i),
      undefined: table.isUndefined(i),
    };
  }
}

/** The value of a module's symbol by name; NULL when it has none. Source: find_kallsyms_symbol_value. */
export function findKallsymsSymbolValue(memory: GuestMemory, module: Module, name: string): GuestAddr {
  for (const symbol of moduleSymbols(memory, module)) {
    if (symbol.name === name && !symbol.undefined) return symbol.address;
  }
  return NULL;
}
