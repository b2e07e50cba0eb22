import { PAGE } from '../../abi/index.ts';
import { addrFromU64, addrToU64, asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { DIRECT_MAP, PAGE_SHIFT, PAGE_SIZE, VMEMMAP } from '../../memory/index.ts';
import type { Kernel } from '../kernel.ts';
import type { PageBlock } from './page-owner.ts';
import { type SlabCache, ZERO_SIZE_PTR } from './slab.ts';

/** Sizes of the kmalloc caches. Source: mm/slab_common.c, kmalloc_info; include/linux/slab.h, KMALLOC_SHIFT_HIGH for SLUB. */
const SIZES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192] as const;

/** `__START_KERNEL_map`. Source: arch/x86/include/asm/page_64_types.h. */
const START_KERNEL_MAP = 0xffff_ffff_8000_0000n;

/** `kmalloc`: the general caches, and pages for what is larger. */
export class Kmalloc {
  readonly #k: Kernel;
  /** By name of the family as kallsyms knows it: kmalloc-N, kmalloc-cg-N, dma-kmalloc-N, kmalloc-rcl-N. */
  readonly caches: readonly SlabCache[];

  constructor(k: Kernel) {
    this.#k = k;
    this.caches = SIZES.map((size) => {
      const name = size >= 1024 ? `kmalloc-${size / 1024}k` : `kmalloc-${size}`;
      return k.slab.createCache(name, size, (size & (size - 1)) === 0 ? size : 8);
    });
  }

  /** The cache for a size, or undefined when whole pages are used. */
  cacheFor(size: number): SlabCache | undefined {
    return this.caches.find((cache) => cache.objectSize >= size);
  }

  /** `size` bytes; NULL when there is no memory or the size is more than KMALLOC_MAX_SIZE. */
  alloc(size: number, zero = false, site = this.#k.tracks.site()): GuestAddr {
    if (size === 0) return ZERO_SIZE_PTR;
    const cache = this.cacheFor(size);
    if (cache !== undefined) return this.#k.slab.alloc(cache, size, zero, site)?.addr ?? NULL;
    if (!(size <= PAGE.KMALLOC_MAX_SIZE)) return NULL;
    const order = Math.max(0, Math.ceil(Math.log2(size / PAGE_SIZE)));
    const addr = this.#k.pages.alloc(order, { site, use: 'kmalloc', size });
    if (addr === undefined) return NULL;
    this.#k.memory.raw.fill(0, addr >>> 0, (addr >>> 0) + (PAGE_SIZE << order));
    this.#k.kmsan?.allocated(addr, PAGE_SIZE << order, zero, site);
    return addr;
  }

  /** The allocation of whole pages that begins at `addr`. */
  #large(addr: GuestAddr): PageBlock | undefined {
    const block = this.#k.pages.ownedAt(addr);
    return block?.use === 'kmalloc' ? block : undefined;
  }

  /** Bytes that an allocation really has, or undefined when `addr` is none. */
  capacity(addr: GuestAddr): number | undefined {
    const large = this.#large(addr);
    return this.#k.slab.objectAt(addr)?.cache.objectSize ?? (large && PAGE_SIZE << large.order);
  }

  /** The bytes that may be used: those asked for, until `resize`. */
  requestedSize(addr: GuestAddr): number | undefined {
    return this.#k.slab.objectAt(addr)?.size ?? this.#large(addr)?.size;
  }

  /** Lets `size` bytes of an allocation be used, at most its capacity. */
  resize(addr: GuestAddr, size: number): void {
    const { slab, pages } = this.#k;
    const object = slab.objectAt(addr);
    if (object !== undefined) slab.resize(object, size);
    else if (this.#large(addr) !== undefined) pages.limit(addr, size);
  }

  /**
   * Frees; false when the pointer is not one to free (it has been reported). Where the real kernel would have looked
   * for the page's descriptor outside of all memory, that faults.
   */
  free(addr: GuestAddr): boolean {
    if (addr === NULL || addr === ZERO_SIZE_PTR) return true;
    const site = this.#k.tracks.site();
    if (this.#large(addr) !== undefined) {
      this.#k.pages.free(addr, site);
      return true;
    }
    const bad = this.#k.slab.free(addr, site);
    if (bad === undefined) return true;
    this.#k.reports.badFree(asAddr(addr), this.#freedBefore(addr) ? 'double-free' : bad);
    if (!this.#k.pages.isRam(addr)) this.#k.memory.readPtr(this.#pageOf(addr));
    return false;
  }

  #freedBefore(addr: GuestAddr): boolean {
    const block = this.#k.pages.blockAt(addr);
    return block?.start === addr && block.freed !== undefined;
  }

  /** `compound_head` in the `struct page` that `virt_to_page` computes. Source: arch/x86/include/asm/page_64.h. */
  #pageOf(addr: GuestAddr): GuestAddr {
    const { types } = this.#k.spec;
    const bits = addrToU64(addr);
    const base = bits >= START_KERNEL_MAP ? START_KERNEL_MAP : addrToU64(DIRECT_MAP.start);
    const frame = BigInt.asUintN(64, bits - base) >> BigInt(PAGE_SHIFT);
    const page = types.struct('page');
    return addrFromU64(
      addrToU64(VMEMMAP.start) + frame * BigInt(page.size) + BigInt(page.offsetOf('compound_head')),
    );
  }
}
