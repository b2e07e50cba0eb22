import { asAddr, InputError } from '../bytes/index.ts';
import { LineTable, type SourceLocation } from '../dwarf/index.ts';
import {
  type ElfFile,
  type ElfSection,
  type ElfSymbol,
  ET_REL,
  relocationType,
  relocationTypeName,
  SHF_ALLOC,
  SHN_UNDEF,
  SymbolTable,
} from '../elf/index.ts';
import type { Thunk } from '../translate/index.ts';

const SHF_EXECINSTR = 4;
const SHT_NOBITS = 8;
const STT_FUNC = 2;
/** Where a relocatable file's sections and imports are put: in the upper half, as 32-bit relocations of kernels need it. */
const BASE = -(2 ** 32);
const FIRST_SECTION = 0x1_0000;
const FIRST_IMPORT = 0x7000_0000;
/** Register numbers of `__x86_indirect_thunk_REG`. */
const THUNK_REGISTERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');

export interface TextFunction {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

export interface TextRelocation {
  readonly addr: number;
  readonly text: string;
}

/** The executable sections of a file, placed and relocated as far as the file itself says. */
export class FileText {
  /** The byte of an address at the address's low 32 bits. */
  readonly bytes: Uint8Array;
  readonly functions: readonly TextFunction[];
  readonly relocations: readonly TextRelocation[];
  readonly #elf: ElfFile;
  readonly #sections: { readonly section: ElfSection; readonly addr: number }[] = [];
  readonly #names = new Map<number, string>();
  readonly #byStart: readonly TextFunction[];
  readonly #lines: LineTable;

  constructor(elf: ElfFile) {
    this.#elf = elf;
    this.#lines = new LineTable(elf);
    const relocatable = elf.header.type === ET_REL;
    const placed = new Map<number, number>();
    let next = BASE + FIRST_SECTION;
    for (const section of elf.sections) {
      if (!(section.flags & SHF_ALLOC) || section.size === 0) continue;
      const addr = relocatable ? next : section.addr;
      placed.set(section.index, addr);
      next = Math.ceil((addr + section.size) / 4096) * 4096;
      if (section.flags & SHF_EXECINSTR && section.type !== SHT_NOBITS)
        this.#sections.push({ section, addr });
    }
    if (this.#sections.length === 0) throw new InputError('it has no machine code');
    const end = this.#sections.reduce((most, s) => Math.max(most, (s.addr >>> 0) + s.section.size), 0);
    this.bytes = new Uint8Array(end + 16);
    for (const { section, addr } of this.#sections) this.bytes.set(elf.data(section), addr >>> 0);
    const place = this.#symbolPlaces(placed, relocatable);
    this.relocations = relocatable ? this.#relocate(place) : [];
    this.#byStart = this.#readFunctions(place);
    this.functions = this.#byStart.filter(
      (f, i, all) => all[i - 1]?.start !== f.start || all[i - 1]?.name !== f.name,
    );
  }

  isText(addr: number): boolean {
    return this.#sectionAt(addr) !== undefined;
  }

  functionAt(addr: number): { start: number; size: number } | undefined {
    let low = 0;
    let high = this.#byStart.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#byStart[middle]!.start <= addr) low = middle;
      else high = middle - 1;
    }
    const found = this.#byStart[low];
    return found !== undefined && addr >= found.start && addr < found.start + found.size ? found : undefined;
  }

  /** `name`, `name+0x12`, or nothing for what has no name. */
  nameOf(addr: number): string | undefined {
    const exact = this.#names.get(addr);
    if (exact !== undefined) return exact;
    const around = this.functionAt(addr);
    return around === undefined
      ? undefined
      : `${this.#names.get(around.start)}+0x${(addr - around.start).toString(16)}`;
  }

  thunkAt(addr: number): Thunk | undefined {
    const name = this.#names.get(addr);
    if (name === '__x86_return_thunk') return { kind: 'return' };
    if (name === '__fentry__') return { kind: 'nop' };
    const register = THUNK_REGISTERS.indexOf(/^__x86_indirect_thunk_(\w+)$/.exec(name ?? '')?.[1] ?? '');
    return register < 0 ? undefined : { kind: 'indirect', register };
  }

  /** `.text+0x40` in a relocatable file, the address in others. */
  placeOf(addr: number): string {
    const found = this.#sectionAt(addr);
    if (found === undefined || this.#elf.header.type !== ET_REL)
      return `0x${BigInt.asUintN(64, BigInt(addr)).toString(16)}`;
    return `${found.section.name}+0x${(addr - found.addr).toString(16)}`;
  }

  sourceOf(addr: number): SourceLocation | undefined {
    const found = this.#sectionAt(addr);
    if (found === undefined || !this.#lines.isPresent) return undefined;
    return this.#elf.header.type === ET_REL
      ? this.#lines.at(found.section.index, addr - found.addr)
      : this.#lines.atAddress(addr);
  }

  #sectionAt(addr: number): { readonly section: ElfSection; readonly addr: number } | undefined {
    return this.#sections.find((s) => addr >= s.addr && addr < s.addr + s.section.size);
  }

  /** The address of each symbol; what the file imports gets one of its own. */
  #symbolPlaces(placed: ReadonlyMap<number, number>, relocatable: boolean): (index: number) => number {
    const symbols = this.#elf.symbols;
    const imports = new Map<number, number>();
    return (index) => {
      if (symbols === undefined || index === 0 || index >= symbols.count) return 0;
      const section = symbols.section(index);
      if (!SymbolTable.isRealSection(section)) {
        if (section !== SHN_UNDEF) return symbols.value(index);
        let addr = imports.get(index);
        if (addr === undefined) {
          addr = BASE + FIRST_IMPORT + 16 * imports.size;
          imports.set(index, addr);
          this.#names.set(addr, symbols.name(index));
        }
        return addr;
      }
      return (relocatable ? (placed.get(section) ?? 0) : 0) + symbols.value(index);
    };
  }

  #readFunctions(place: (index: number) => number): TextFunction[] {
    const list: TextFunction[] = [];
    for (const symbol of this.#elf.symbols ?? []) {
      if (symbol.type !== STT_FUNC || symbol.section === SHN_UNDEF || symbol.size === 0) continue;
      const start = place(symbol.index);
      if (!this.isText(start)) continue;
      list.push({ name: symbol.name, start, size: symbol.size });
      if (!this.#names.has(start)) this.#names.set(start, symbol.name);
    }
    return list.sort((a, b) => a.start - b.start || a.size - b.size);
  }

  #relocate(place: (index: number) => number): TextRelocation[] {
    const done: TextRelocation[] = [];
    const view = new DataView(this.bytes.buffer);
    for (const { section, addr } of this.#sections) {
      for (const table of this.#elf.relocationsFor(section)) {
        for (const { offset, type, symbol, addend } of table) {
          const kind = relocationType(type);
          const at = asAddr(addr + offset);
          done.push({
            addr: at,
            text: `${relocationTypeName(type)} ${this.#symbolText(symbol)}${signed(addend)}`,
          });
          if (kind === undefined || kind.sizeBytes < 4 || offset + kind.sizeBytes > section.size) continue;
          const value = BigInt(place(symbol)) + BigInt(addend) - (kind.pcRelative ? BigInt(at) : 0n);
          if (kind.sizeBytes === 8) view.setBigInt64(at >>> 0, BigInt.asIntN(64, value), true);
          else view.setInt32(at >>> 0, Number(BigInt.asIntN(32, value)), true);
        }
      }
    }
    return done.sort((a, b) => a.addr - b.addr);
  }

  #symbolText(index: number): string {
    const symbols = this.#elf.symbols;
    if (symbols === undefined || index >= symbols.count) return `symbol ${index}`;
    const symbol: ElfSymbol = symbols.at(index);
    return symbol.name !== '' ? symbol.name : (this.#elf.sections[symbol.section]?.name ?? 'nothing');
  }
}

function signed(addend: number): string {
  if (addend === 0) return '';
  return addend < 0 ? `-0x${(-addend).toString(16)}` : `+0x${addend.toString(16)}`;
}
