import { PAGE } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { PAGE_SIZE, POISON } from '../../memory/index.ts';
import type { Kernel } from '../kernel.ts';
import { type AllocationSite, type SlabCache, ZERO_SIZE_PTR } from './slab.ts';

/** Sizes of the kmalloc caches. Source: mm/slab_common.c, kmalloc_info; include/linux/slab.h, KMALLOC_SHIFT_HIGH for SLUB. */
const SIZES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192] as const;

/** A large allocation: whole pages. */
interface LargeObject {
  readonly size: number;
  readonly allocated: AllocationSite;
}

/** `kmalloc`: the general caches, and pages for what is larger. */
export class Kmalloc {
  readonly #k: Kernel;
  /** By name of the family as kallsyms knows it: kmalloc-N, kmalloc-cg-N, dma-kmalloc-N, kmalloc-rcl-N. */
  readonly caches: readonly SlabCache[];
  readonly #large = new Map<GuestAddr, LargeObject>();

  constructor(k: Kernel) {
    this.#k = k;
    this.caches = SIZES.map((size) => {
      const name = size >= 1024 ? `kmalloc-${size / 1024}k` : `kmalloc-${size}`;
      return k.slab.createCache(name, size, (size & (size - 1)) === 0 ? Math.min(size, PAGE_SIZE) : 8);
    });
  }

  /** The cache for a size, or undefined when whole pages are used. */
  cacheFor(size: number): SlabCache | undefined {
    return this.caches.find((cache) => cache.objectSize >= size);
  }

  /** `size` bytes; NULL when there is no memory or the size is more than KMALLOC_MAX_SIZE. */
  alloc(size: number, zero = false, site = this.#k.allocationSite()): GuestAddr {
    if (size === 0) return ZERO_SIZE_PTR;
    const cache = this.cacheFor(size);
    if (cache !== undefined) return this.#k.slab.alloc(cache, size, zero, site)?.addr ?? NULL;
    if (!(size <= PAGE.KMALLOC_MAX_SIZE)) return NULL;
    const order = Math.max(0, Math.ceil(Math.log2(size / PAGE_SIZE)));
    const addr = this.#k.pages.alloc(order);
    if (addr === undefined) return NULL;
    const bytes = PAGE_SIZE << order;
    this.#k.memory.raw.fill(0, addr >>> 0, (addr >>> 0) + bytes);
    this.#k.memory.poison(addr, bytes, POISON.pageRedzone);
    this.#k.memory.unpoison(addr, size);
    this.#large.set(addr, { size, allocated: site });
    return addr;
  }

  /** Usable bytes of an allocation (`ksize`), or undefined when `addr` is none. */
  usableSize(addr: GuestAddr): number | undefined {
    return this.#k.slab.objectAt(addr)?.cache.objectSize ?? this.#large.get(addr)?.size;
  }

  /** The size that was asked for. */
  requestedSize(addr: GuestAddr): number | undefined {
    return this.#k.slab.objectAt(addr)?.size ?? this.#large.get(addr)?.size;
  }

  /** Frees; false when the pointer is not one to free (it has been reported). */
  free(addr: GuestAddr): boolean {
    if (addr === NULL || addr === ZERO_SIZE_PTR) return true;
    const site = this.#k.allocationSite();
    if (this.#large.delete(addr)) {
      this.#k.pages.free(addr);
      return true;
    }
    const bad = this.#k.slab.free(addr, site);
    if (bad !== undefined) this.#k.reports.badFree(asAddr(addr), bad, site);
    return bad === undefined;
  }
}
