/**
 * A module's file with its sections placed in the module area and relocated as far as the file itself says: enough to
 * translate its functions without a machine. What it imports gets an address of its own, where nothing is mapped.
 */
import { asAddr, type GuestAddr } from '../../packages/ringside/src/bytes/index.ts';
import {
  ElfFile,
  relocationType,
  SHF_ALLOC,
  SHN_UNDEF,
  SymbolTable,
} from '../../packages/ringside/src/elf/index.ts';
import { type GuestMemory, MODULES, PROT_RW, PROT_RX } from '../../packages/ringside/src/memory/index.ts';
import type { Thunk } from '../../packages/ringside/src/translate/index.ts';

const SHF_EXECINSTR = 4;
const SHT_NOBITS = 8;
const STT_FUNC = 2;
const PAGE = 4096;
const CALL = 0xe8;
const NOP5 = [0x0f, 0x1f, 0x44, 0x00, 0x00];
/** Register numbers of `__x86_indirect_thunk_REG`. */
const THUNK_REGISTERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');

export interface PlacedFunction {
  readonly name: string;
  readonly start: GuestAddr;
  /** Bytes. */
  readonly size: number;
}

export interface PlacedModule {
  /** The addresses it takes, imports included. */
  readonly start: GuestAddr;
  readonly end: GuestAddr;
  /** By address, one per address. */
  readonly functions: readonly PlacedFunction[];
  functionAt(addr: GuestAddr): PlacedFunction | undefined;
  thunkAt(addr: GuestAddr): Thunk | undefined;
}

/** Puts the file into `memory`, `offset` bytes (whole pages) into the module area. */
export function placeModule(file: Uint8Array, memory: GuestMemory, offset = 0): PlacedModule {
  const elf = new ElfFile(file);
  const symbols = elf.symbols;
  if (symbols === undefined) throw new Error('the module has no symbols');
  const placed = new Map<number, number>();
  let next = MODULES.start + offset;
  for (const section of elf.sections) {
    if (!(section.flags & SHF_ALLOC) || section.size === 0) continue;
    placed.set(section.index, next);
    const pages = Math.ceil(section.size / PAGE) * PAGE;
    memory.map(asAddr(next), pages, section.flags & SHF_EXECINSTR ? PROT_RX : PROT_RW);
    if (section.type !== SHT_NOBITS) memory.raw.set(elf.data(section), next >>> 0);
    next += pages;
  }
  const importsStart = next;
  const names = new Map<number, string>();
  const imports = new Map<number, number>();
  const place = (index: number): number => {
    if (index === 0) return 0;
    const section = symbols.section(index);
    if (SymbolTable.isRealSection(section)) return (placed.get(section) ?? 0) + symbols.value(index);
    if (section !== SHN_UNDEF) return symbols.value(index);
    let addr = imports.get(index);
    if (addr === undefined) {
      addr = importsStart + 16 * imports.size;
      imports.set(index, addr);
      names.set(addr, symbols.name(index));
    }
    return addr;
  };
  for (const section of elf.sections) {
    const start = placed.get(section.index);
    if (start === undefined) continue;
    for (const table of elf.relocationsFor(section)) {
      for (const { offset: within, type, symbol, addend } of table) {
        const kind = relocationType(type);
        if (kind === undefined || kind.sizeBytes < 4) continue;
        const at = start + within;
        if (symbols.name(symbol) === '__fentry__' && memory.raw[(at - 1) >>> 0] === CALL) {
          // as the loader leaves it
          memory.raw.set(NOP5, (at - 1) >>> 0);
          continue;
        }
        const value = BigInt(place(symbol)) + BigInt(addend) - (kind.pcRelative ? BigInt(at) : 0n);
        if (kind.sizeBytes === 8) memory.view.setBigInt64(at >>> 0, BigInt.asIntN(64, value), true);
        else memory.view.setInt32(at >>> 0, Number(BigInt.asIntN(32, value)), true);
      }
    }
  }
  const byStart = new Map<number, PlacedFunction>();
  for (const symbol of symbols) {
    if (symbol.type !== STT_FUNC || !SymbolTable.isRealSection(symbol.section) || symbol.size === 0) continue;
    const section = elf.sections[symbol.section];
    if (section === undefined || !(section.flags & SHF_EXECINSTR)) continue;
    const start = asAddr(place(symbol.index));
    const known = byStart.get(start);
    if (known === undefined || known.size < symbol.size) {
      byStart.set(start, { name: symbol.name, start, size: symbol.size });
    }
  }
  const functions = [...byStart.values()].sort((a, b) => a.start - b.start);
  return {
    start: asAddr(MODULES.start + offset),
    end: asAddr(importsStart + Math.ceil((16 * imports.size) / PAGE) * PAGE),
    functions,
    functionAt: (addr) => {
      let low = 0;
      let high = functions.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (functions[middle]!.start <= addr) low = middle;
        else high = middle - 1;
      }
      const found = functions[low];
      return found !== undefined && addr >= found.start && addr < found.start + found.size
        ? found
        : undefined;
    },
    thunkAt: (addr) => {
      const name = names.get(addr);
      if (name === undefined) return undefined;
      if (name === '__x86_return_thunk') return { kind: 'return' };
      const register = THUNK_REGISTERS.indexOf(/^__x86_indirect_thunk_(\w+)$/.exec(name)?.[1] ?? '');
      return register < 0 ? undefined : { kind: 'indirect', register };
    },
  };
}
