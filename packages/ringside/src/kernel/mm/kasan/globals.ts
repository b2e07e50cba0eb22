import { asAddr, FormatError, type GuestAddr, UnsupportedError } from '../../../bytes/index.ts';
import {
  ElfFile,
  type ElfSection,
  R_X86_64_PC32,
  R_X86_64_PLT32,
  SHF_ALLOC,
  SHF_WRITE,
  SHT_NOBITS,
  STT_FILE,
  STT_OBJECT,
  STT_SECTION,
} from '../../../elf/index.ts';
import { type GuestMemory, POISON } from '../../../memory/index.ts';
import type { LoadedSection, Module } from '../../module/module.ts';

const GRANULE = 8;
const POINTER_SIZE = 8;
/** An instruction's operand ends at most this many bytes after the place that a PC-relative relocation counts from. */
const PC_BIAS = [4, 8] as const;

/** A variable of a module. */
export interface GlobalVariable {
  readonly name: string;
  readonly start: GuestAddr;
  readonly size: number;
}

/** Bytes of a section, as offsets. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

/**
 * Redzones around the variables of modules. Where a compiler that knows of KASAN would leave room behind each variable,
 * here is only what alignment has left: bytes between the end of a variable and the next one, and between the last
 * one and what the loader has put behind the section. They are poisoned only when nobody can own them:
 *
 * - Each variable has a symbol with its size (gcc and clang give one to every variable, static ones included; so
 *   no debug information is needed). A symbol without a size owns everything up to the next one.
 * - The gap is smaller than the alignment of what follows.
 * - It is zero in the file, with nothing to relocate in it.
 * - Constants may be nameless. In read-only sections no relocation may lead into the gap.
 *
 * What the shadow cannot say stays valid: gaps within 8 bytes that end in a variable again, and in read-only sections
 * the rest of the last 8 bytes of a variable.
 */
export class GlobalRedzones {
  readonly #memory: GuestMemory;
  readonly #variables = new WeakMap<Module, readonly GlobalVariable[]>();

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** Sets up the redzones of a module whose memory is complete. */
  add(module: Module): void {
    try {
      this.#variables.set(module, this.#poisonGaps(module, new ElfFile(module.file)));
    } catch (error) {
      // a file that the kernel's loader takes, but that is not all right, has no redzones
      if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
    }
  }

  /** The variable that an address is in, or the last one before it in the same section. */
  variableAt(module: Module, addr: GuestAddr): GlobalVariable | undefined {
    return this.#variables.get(module)?.findLast((variable) => variable.start <= addr);
  }

  #poisonGaps(module: Module, elf: ElfFile): GlobalVariable[] {
    const { symbols } = elf;
    if (symbols === undefined) return [];
    const loaded = module.sections.filter(({ name }) =>
      /^(?:\.init)?\.(?:data|bss|rodata)(?:$|\.)/.test(name),
    );
    const bySection = new Map<number, { name: string; start: number; size: number }[]>();
    for (let i = 1; i < symbols.count; i++) {
      const type = symbols.type(i);
      if (type === STT_SECTION || type === STT_FILE) continue;
      const list = bySection.get(symbols.section(i)) ?? [];
      if (list.length === 0) bySection.set(symbols.section(i), list);
      list.push({
        name: symbols.name(i),
        start: symbols.value(i),
        size: type === STT_OBJECT ? symbols.size(i) : 0,
      });
    }
    const found: GlobalVariable[] = [];
    for (const place of loaded) {
      const section = elf.section(place.name);
      const list = section && bySection.get(section.index);
      if (section === undefined || list === undefined) continue;
      list.sort((a, b) => a.start - b.start);
      const constant = (section.flags & SHF_WRITE) === 0;
      const behind = roomBehind(module, place);
      const owned = ownedBytes(elf, section, section.size + behind, constant);
      for (const gap of this.#gaps(list, section.size, section.addralign, behind)) {
        if (owned.subarray(gap.start, gap.end).some((byte) => byte !== 0)) continue;
        this.#poison(place.addr, gap, constant || /ro_after_init/.test(place.name));
      }
      for (const { name, start, size } of list)
        if (size > 0) found.push({ name, start: asAddr(place.addr + start), size });
    }
    return found.sort((a, b) => a.start - b.start);
  }

  /** What is between variables and owned by nobody. */
  *#gaps(
    symbols: readonly { readonly start: number; readonly size: number }[],
    sectionSize: number,
    alignment: number,
    behind: number,
  ): Generator<Extent> {
    let end = 0;
    for (const [index, { start, size }] of symbols.entries()) {
      if (start > end && start - end < Math.min(start & -start, alignment)) yield { start: end, end: start };
      end = Math.max(end, size === 0 ? nextStart(symbols, index, sectionSize) : start + size);
    }
    if (end >= sectionSize) yield { start: end, end: sectionSize + behind };
  }

  #poison(section: GuestAddr, gap: Extent, readOnly: boolean): void {
    const memory = this.#memory;
    const start = section + gap.start;
    const end = Math.floor((section + gap.end) / GRANULE) * GRANULE;
    const whole = Math.ceil(start / GRANULE) * GRANULE;
    if (!readOnly && start < whole && whole <= end) {
      const granule = asAddr(whole - GRANULE);
      if (memory.shadowAt(granule) === GRANULE) memory.unpoison(granule, start - granule);
    }
    if (whole < end) memory.poison(asAddr(whole), end - whole, POISON.globalRedzone);
  }
}

/** Bytes between the end of a section and what the loader has put behind it. */
function roomBehind(module: Module, { addr, size, init }: LoadedSection): number {
  const starts = module.sections
    .filter((other) => other.init === init && other.addr >= addr + size)
    .map((other) => other.addr);
  return starts.length === 0 ? 0 : Math.min(...starts) - (addr + size);
}

function nextStart(
  symbols: readonly { readonly start: number }[],
  index: number,
  sectionSize: number,
): number {
  const { start } = symbols[index]!;
  let next = index + 1;
  while (symbols[next]?.start === start) next++;
  return symbols[next]?.start ?? sectionSize;
}

/**
 * For each byte of a section something else than 0 when it is no padding: content, places to relocate, and of constants
 * where relocations lead to (of those relative to an instruction, where they can lead).
 */
function ownedBytes(elf: ElfFile, section: ElfSection, size: number, constant: boolean): Uint8Array {
  const { symbols } = elf;
  const owned = new Uint8Array(size);
  if (section.type !== SHT_NOBITS) owned.set(elf.data(section));
  for (const table of elf.relocationSections) {
    const here = table.info === section.index;
    if (!here && (!constant || (elf.sectionAt(table.info).flags & SHF_ALLOC) === 0)) continue;
    const relocations = elf.relocationTable(table);
    for (let i = 0; i < relocations.count; i++) {
      if (here) owned.fill(1, relocations.offset(i), relocations.offset(i) + POINTER_SIZE);
      const symbol = relocations.symbol(i);
      if (!constant || symbols?.section(symbol) !== section.index) continue;
      const at = symbols.value(symbol) + relocations.addend(i);
      const type = relocations.type(i);
      if (type !== R_X86_64_PC32 && type !== R_X86_64_PLT32) owned[at] = 1;
      else owned.fill(1, Math.max(0, at + PC_BIAS[0]), Math.max(0, at + PC_BIAS[1] + 1));
    }
  }
  return owned;
}
