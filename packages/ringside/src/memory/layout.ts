import { addrFromU64, type GuestAddr } from '../bytes/index.ts';

/**
 * Where things are in the guest's address space. The guest's one memory stores the byte of an address at the
 * address's low 32 bits, so the regions' low halves must not overlap. They are chosen so that the usual bad
 * pointers (user addresses, physical addresses, 0x6b6b6b6b, ERR_PTR values, the first pages) hit nothing.
 *
 * Image and modules are where Linux puts them without KASLR. `page_offset_base`, `vmalloc_base` and
 * `vmemmap_base` are variables in the real kernel too; ours have other values in their low halves.
 */
export interface Region {
  readonly name: 'direct map' | 'image' | 'vmalloc' | 'vmemmap' | 'modules';
  readonly start: GuestAddr;
  /** Size in bytes. */
  readonly size: number;
}

/** `page_offset_base`: physical address 0. */
export const DIRECT_MAP: Region = {
  name: 'direct map',
  start: addrFromU64(0xffff_8880_4000_0000n),
  size: 0x4000_0000,
};
/** The kernel image at its link address; Source: `__START_KERNEL_map` plus CONFIG_PHYSICAL_START. */
export const IMAGE: Region = { name: 'image', start: addrFromU64(0xffff_ffff_8100_0000n), size: 0x0f00_0000 };
export const VMALLOC: Region = {
  name: 'vmalloc',
  start: addrFromU64(0xffff_c900_9000_0000n),
  size: 0x2000_0000,
};
export const VMEMMAP: Region = {
  name: 'vmemmap',
  start: addrFromU64(0xffff_ea00_b000_0000n),
  size: 0x1000_0000,
};
/** Source: MODULES_VADDR to MODULES_END without KASLR. */
export const MODULES: Region = {
  name: 'modules',
  start: addrFromU64(0xffff_ffff_c000_0000n),
  size: 0x3f00_0000,
};

export const REGIONS: readonly Region[] = [DIRECT_MAP, IMAGE, VMALLOC, VMEMMAP, MODULES];

/**
 * Offsets in the guest's memory below the lowest region: nothing there is mapped for the guest. The engine's
 * register file and tables live from `ENGINE_START` to `SHADOW_BASE`, the shadow of the whole 4 GiB above.
 */
export const ENGINE_START = 0x0000_1000;
/**
 * For each 16 MiB of offsets a word with the upper 32 bits of the addresses that belong there; 0 where there is no region. Regions begin and end at
 * such pieces.
 */
export const HIGH_HALVES = 0x0002_0000;
export const HIGH_HALVES_SHIFT = 24;

/** The upper 32 bits (signed) of addresses whose low 32 bits are these; 0 when there are none. */
export function highHalfOf(low: number): number {
  const piece = (low >>> HIGH_HALVES_SHIFT) * 2 ** HIGH_HALVES_SHIFT;
  const region = REGIONS.find(({ start, size }) => start >>> 0 <= piece && piece < (start >>> 0) + size);
  return region === undefined ? 0 : Math.floor(region.start / 2 ** 32);
}

/** The shadow byte of memory offset `o` is at `SHADOW_BASE + (o >>> 3)`. */
export const SHADOW_BASE = 0x2000_0000;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 1 << PAGE_SHIFT;
