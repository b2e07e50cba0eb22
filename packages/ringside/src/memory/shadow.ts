/**
 * The shadow: one signed byte for every 8 bytes (a granule) of guest memory. Memory that nobody touched has
 * shadow 0 and is invalid, so the shadow of unused memory never costs a page of the host.
 *
 *   8        all 8 bytes may be read and written        a load is right when shadow >= 8,
 *   9        all 8 bytes may be read                     a store when shadow == 8
 *   1 .. 7   the first N bytes may be read and written
 *   0        nothing is mapped here, or a slow page (alias, MMIO)
 *   < 0      mapped, but not for use: the value tells why (KASAN's own byte values)
 */
export const SHADOW_RW = 8;
export const SHADOW_RO = 9;
export const SHADOW_NONE = 0;

/** Why mapped memory is poisoned. Source: the byte values of mm/kasan/kasan.h, as signed bytes. */
export const POISON = {
  /** Freed page. */
  page: 0xff - 0x100,
  /** Redzone of a page allocation. */
  pageRedzone: 0xfe - 0x100,
  /** Redzone around a slab object, or between its size and the size asked for. */
  slabRedzone: 0xfc - 0x100,
  /** Freed slab object. */
  slabFreed: 0xfb - 0x100,
  /** The first granule of one in quarantine: who freed it is known. */
  slabFreeTrack: 0xfa - 0x100,
  /** Redzone behind a global variable. */
  globalRedzone: 0xf9 - 0x100,
  /** Behind the size asked for in a vmalloc area. */
  vmallocInvalid: 0xf8 - 0x100,
  /** Per-CPU memory that nobody has: ours alone, no value of KASAN's. */
  percpuFree: 0xf7 - 0x100,
  /** A variable of the kernel image that nobody has set up: ours alone, no value of KASAN's. */
  notProvided: 0x80 - 0x100,
} as const;

export type Poison = (typeof POISON)[keyof typeof POISON];

/** Logarithm of the granule's size in bytes. */
export const GRANULE_SHIFT = 3;
