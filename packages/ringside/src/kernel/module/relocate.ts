import { ERRNO, LOGLEVEL } from '../../abi/index.ts';
import {
  addrFromParts,
  addrHigh,
  addrLow,
  FormatError,
  type GuestAddr,
  hex64,
  UnsupportedError,
} from '../../bytes/index.ts';
import {
  R_X86_64_32,
  R_X86_64_32S,
  R_X86_64_64,
  R_X86_64_NONE,
  R_X86_64_PC32,
  R_X86_64_PC64,
  R_X86_64_PLT32,
  RELA_SIZE,
  SHF_ALLOC,
  SHF_RELA_LIVEPATCH,
  SHT_REL,
  SHT_RELA,
  SYM_SIZE,
} from '../../elf/index.ts';
import type { LoadInfo, LoadSection } from './load-info.ts';

/** Applies every relocation of loaded sections. Source: kernel/module/main.c, apply_relocations. */
export function applyRelocations(info: LoadInfo, moduleName: string): number {
  for (const section of info.sections.slice(1)) {
    const target = info.sections[section.info];
    if (target === undefined || !(target.flags & SHF_ALLOC)) continue;
    let err = 0;
    if (section.flags & SHF_RELA_LIVEPATCH) err = livepatchRelocations(info, section);
    else if (section.type === SHT_REL) {
      info.host.printk(LOGLEVEL.LOGLEVEL_ERR, `module ${moduleName}: REL relocation unsupported`);
      err = -ERRNO.ENOEXEC;
    } else if (section.type === SHT_RELA) err = applyRelocateAdd(info, section, target, moduleName);
    if (err < 0) return err;
  }
  return 0;
}

/** Relocations of a live patch against the kernel itself would be applied now, against other objects later. */
function livepatchRelocations(info: LoadInfo, section: LoadSection): number {
  const name = info.sectionName(section);
  const object = /^\.klp\.rela\.([^.]{1,55})/.exec(name)?.[1];
  if (object === undefined) {
    info.host.printk(LOGLEVEL.LOGLEVEL_ERR, `livepatch: section ${name} has an incorrectly formatted name`);
    return -ERRNO.EINVAL;
  }
  if (object !== 'vmlinux') return 0;
  throw new UnsupportedError({ what: 'live patch relocations', neededBy: name });
}

/**
 * x86-64's `apply_relocate_add`: symbol value plus addend, less the place for PC-relative types. A place that is not zero
 * is refused, and so is a value that a 32-bit type cannot hold. Source: arch/x86/kernel/module.c.
 *
 * Deviation: a place outside its section, or a symbol outside the table, is a `FormatError`; the real kernel
 * would write and read there.
 */
function applyRelocateAdd(
  info: LoadInfo,
  relocations: LoadSection,
  target: LoadSection,
  moduleName: string,
): number {
  const { host } = info;
  const { view } = host.memory;
  const table = info.data(relocations);
  const rela = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const base = target.addr;
  const symtab = info.section(info.index.sym).addr;
  if (base === undefined || symtab === undefined)
    throw new FormatError('relocation of a section without a place');
  const symbols = info.symbolCount;
  const count = Math.floor(table.length / RELA_SIZE);

  for (let i = 0; i < count; i++) {
    const at = i * RELA_SIZE;
    const offset = rela.getUint32(at + 4, true) * 2 ** 32 + rela.getUint32(at, true);
    const type = rela.getUint32(at + 8, true);
    const symbol = rela.getUint32(at + 12, true);
    if (symbol >= symbols) {
      throw new FormatError(
        `relocation ${i} uses symbol ${symbol} of ${symbols}`,
        placeOf(info, relocations, at),
      );
    }
    const sym = (symtab >>> 0) + symbol * SYM_SIZE + 8;
    const sum = view.getUint32(sym, true) + rela.getUint32(at + 16, true);
    let low = sum >>> 0;
    let high = (view.getInt32(sym + 4, true) + rela.getInt32(at + 20, true) + (sum >= 2 ** 32 ? 1 : 0)) | 0;

    if (type === R_X86_64_NONE) continue;
    const size = SIZES.get(type);
    if (size === undefined) {
      host.printk(LOGLEVEL.LOGLEVEL_ERR, `module: ${moduleName}: Unknown rela relocation: ${type}`);
      return -ERRNO.ENOEXEC;
    }
    if (offset + size > target.size) {
      throw new FormatError(
        `relocation ${i} applies at 0x${offset.toString(16)} of a section of ${target.size} bytes`,
        placeOf(info, relocations, at),
      );
    }
    const place = base + offset;
    const loc = place >>> 0;
    const occupied = view.getUint32(loc, true) !== 0 || (size === 8 && view.getUint32(loc + 4, true) !== 0);
    if (occupied) {
      const shown = addrFromParts(high, low);
      host.printk(
        LOGLEVEL.LOGLEVEL_ERR,
        `module: x86/modules: Skipping invalid relocation target, existing value is nonzero for type ${type}, loc ${host.hashedPointer(place as GuestAddr)}, val ${hexValue(shown)}`,
      );
      return -ERRNO.ENOEXEC;
    }
    if (type === R_X86_64_PC32 || type === R_X86_64_PLT32 || type === R_X86_64_PC64) {
      const difference = low - addrLow(place);
      low = difference >>> 0;
      high = (high - addrHigh(place) - (difference < 0 ? 1 : 0)) | 0;
    }
    view.setUint32(loc, low, true);
    if (size === 8) view.setInt32(loc + 4, high, true);
    const fits = type === R_X86_64_32 ? high === 0 : type === R_X86_64_32S ? high === (low | 0) >> 31 : true;
    if (!fits) {
      const value = hexValue(addrFromParts(high, low));
      host.printk(LOGLEVEL.LOGLEVEL_ERR, `module: overflow in relocation type ${type} val ${value}`);
      host.printk(LOGLEVEL.LOGLEVEL_ERR, `module: \`${moduleName}' likely not compiled with -mcmodel=kernel`);
      return -ERRNO.ENOEXEC;
    }
  }
  return 0;
}

/** Bytes written by each type that the kernel knows; the GOT and TLS types do not occur in kernel code. */
const SIZES: ReadonlyMap<number, 4 | 8> = new Map([
  [R_X86_64_64, 8],
  [R_X86_64_32, 4],
  [R_X86_64_32S, 4],
  [R_X86_64_PC32, 4],
  [R_X86_64_PLT32, 4],
  [R_X86_64_PC64, 8],
]);

/** `%Lx` */
function hexValue(value: GuestAddr): string {
  return hex64(value).replace(/^0+(?=.)/, '');
}

function placeOf(info: LoadInfo, section: LoadSection, offset: number): { section: string; offset: number } {
  return { section: info.sectionName(section), offset };
}
