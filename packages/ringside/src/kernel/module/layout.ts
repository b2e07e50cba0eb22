import { ERRNO } from '../../abi/index.ts';
import { asAddr, FormatError, type GuestAddr, NULL } from '../../bytes/index.ts';
import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_RO_AFTER_INIT,
  SHF_WRITE,
  SHT_NOBITS,
  SYM_SIZE,
} from '../../elf/index.ts';
import { PAGE_SIZE } from '../../memory/index.ts';
import { isCoreSymbol } from './kallsyms.ts';
import type { LoadInfo, LoadSection } from './load-info.ts';

const U32 = 2 ** 32;

/** `ALIGN(size, align ?: 1)` as C computes it, also for alignments that are no power of two. Result modulo 2^64. */
function alignUp(size: number, align: number): number {
  if (align <= 1) return size;
  if (Number.isSafeInteger(Math.log2(align)) && align < U32) return Math.ceil(size / align) * align;
  const mask = BigInt.asUintN(64, BigInt(align) - 1n);
  return Number(BigInt.asUintN(64, (BigInt(size) + mask) & ~mask));
}

/** Sizes are `unsigned int`: a sum beyond 32 bits loses its top, and what is placed there cannot be loaded. */
function toU32(size: number): number {
  return size < U32 ? size : Number(BigInt.asUintN(32, BigInt(size)));
}

function pageAlign(size: number): number {
  return toU32(Math.ceil(size / PAGE_SIZE) * PAGE_SIZE);
}

/** Places a section behind what `area` already holds and gives its offset. */
function moduleGetOffset(area: { size: number }, section: LoadSection): number {
  const offset = alignUp(area.size, section.addralign);
  area.size = toU32(offset + section.size);
  return offset;
}

/**
 * Which sections belong to each part of an area, in order: flags wanted, flags not wanted. The last is small data,
 * which does not exist on x86: it takes what the others left.
 */
const PARTS = [
  [SHF_EXECINSTR | SHF_ALLOC, 0],
  [SHF_ALLOC, SHF_WRITE],
  [SHF_RO_AFTER_INIT | SHF_ALLOC, 0],
  [SHF_WRITE | SHF_ALLOC, 0],
  [SHF_ALLOC, 0],
] as const;

/**
 * Gives every loaded section its place: in the core area or, by its name, in the init area, sorted by what may be
 * done with it, each part on pages of its own. Source: kernel/module/main.c, layout_sections; CONFIG_STRICT_MODULE_RWX.
 */
export function layoutSections(info: LoadInfo): void {
  for (const section of info.sections) section.place = undefined;
  for (const init of [false, true]) {
    const area = init ? info.init : info.core;
    PARTS.forEach(([wanted, unwanted], part) => {
      for (const section of info.sections) {
        if (section.place !== undefined) continue;
        if ((section.flags & wanted) !== wanted || section.flags & unwanted) continue;
        if (info.sectionName(section).startsWith('.init') !== init) continue;
        section.place = { init, offset: moduleGetOffset(area, section) };
      }
      if (part === 3) return;
      // the part after init does not exist in the init area
      if (part === 2 && init) {
        area.roAfterInitSize = area.roSize;
        return;
      }
      area.size = pageAlign(area.size);
      if (part === 0) area.textSize = area.size;
      else if (part === 1) area.roSize = area.size;
      else if (part === 2) area.roAfterInitSize = area.size;
    });
  }
}

/**
 * Room for the symbols: the whole table at the end of the init area, and those symbols that outlive init at the
 * end of the core area. Source: kernel/module/kallsyms.c, layout_symtab.
 */
export function layoutSymtab(info: LoadInfo): void {
  const symsect = info.section(info.index.sym);
  const strsect = info.section(info.index.str);
  symsect.flags |= SHF_ALLOC;
  symsect.place = { init: true, offset: moduleGetOffset(info.init, symsect) };

  const symbols = info.data(symsect);
  const view = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
  const count = info.symbolCount;
  let kept = 0;
  let strtabSize = 0;
  for (let i = 0; i < count; i++) {
    const at = i * SYM_SIZE;
    const nameOffset = view.getUint32(at, true);
    if (i === 0 || info.klp || isCoreSymbol(info, view.getUint16(at + 6, true), nameOffset)) {
      strtabSize += info.symbolName(nameOffset).length + 1;
      kept++;
    }
  }

  info.symoffs = alignUp(info.core.size, symsect.addralign);
  info.stroffs = info.core.size = toU32(info.symoffs + kept * SYM_SIZE);
  info.core.size = toU32(info.core.size + strtabSize);
  info.coreTypeoffs = info.core.size;
  info.core.size = pageAlign(info.core.size + kept);

  strsect.flags |= SHF_ALLOC;
  strsect.place = { init: true, offset: moduleGetOffset(info.init, strsect) };
  info.init.size = alignUp(info.init.size, 8);
  info.kallsymsInitOff = info.init.size;
  info.init.size = toU32(info.init.size + info.structs.kallsyms.size);
  info.initTypeoffs = info.init.size;
  info.init.size = pageAlign(info.init.size + count);
}

/** The module's two memory areas. */
export interface ModuleMemory {
  readonly core: GuestAddr;
  readonly init: GuestAddr;
}

/**
 * Allocates the areas and copies the sections there; from then on each section's `addr` is its guest address.
 * A negative errno when there is no room. Source: kernel/module/main.c, move_module.
 */
export function moveModule(info: LoadInfo): ModuleMemory | number {
  const { host } = info;
  const core = host.moduleAlloc(info.core.size);
  if (core === undefined) return -ERRNO.ENOMEM;
  let init: GuestAddr | undefined = NULL;
  if (info.init.size > 0) {
    init = host.moduleAlloc(info.init.size);
    if (init === undefined) {
      host.moduleFree(core);
      return -ERRNO.ENOMEM;
    }
  }
  try {
    for (const section of info.sections) {
      if (section.flags & SHF_ALLOC) moveSection(info, section, core, init);
    }
  } catch (error) {
    host.moduleFree(core);
    if (init !== NULL) host.moduleFree(init);
    throw error;
  }
  return { core, init };
}

function moveSection(info: LoadInfo, section: LoadSection, core: GuestAddr, init: GuestAddr): void {
  const { place } = section;
  if (place === undefined) throw new FormatError(`section ${section.index} has no place in memory`);
  const area = place.init ? info.init : info.core;
  if (!(place.offset + section.size <= area.size)) {
    throw new FormatError(
      `section ${section.index} of ${section.size} bytes does not fit in the module's memory; the real kernel would write beyond it`,
    );
  }
  const dest = asAddr((place.init ? init : core) + place.offset);
  if (section.type !== SHT_NOBITS) info.host.memory.raw.set(info.data(section), dest >>> 0);
  section.addr = dest;
}
