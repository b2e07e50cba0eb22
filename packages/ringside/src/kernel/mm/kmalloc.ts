import { PAGE } from '../../abi/index.ts';
import { addrFromU64, addrToU64, asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { DIRECT_MAP, PAGE_SHIFT, PAGE_SIZE, POISON, VMEMMAP } from '../../memory/index.ts';
import type { Kernel } from '../kernel.ts';
import { type AllocationSite, type SlabCache, ZERO_SIZE_PTR } from './slab.ts';

/** Sizes of the kmalloc caches. Source: mm/slab_common.c, kmalloc_info; include/linux/slab.h, KMALLOC_SHIFT_HIGH for SLUB. */
const SIZES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192] as const;

/** `__START_KERNEL_map`. Source: arch/x86/include/asm/page_64_types.h. */
const START_KERNEL_MAP = 0xffff_ffff_8000_0000n;

/** A large allocation: whole pages. */
interface LargeObject {
  size: number;
  readonly bytes: number;
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
      return k.slab.createCache(name, size, (size & (size - 1)) === 0 ? size : 8);
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
    this.#large.set(addr, { size, bytes, allocated: site });
    return addr;
  }

  /** Bytes that an allocation really has, or undefined when `addr` is none. */
  capacity(addr: GuestAddr): number | undefined {
    return this.#k.slab.objectAt(addr)?.cache.objectSize ?? this.#large.get(addr)?.bytes;
  }

  /** The bytes that may be used: those asked for, until `resize`. */
  requestedSize(addr: GuestAddr): number | undefined {
    return this.#k.slab.objectAt(addr)?.size ?? this.#large.get(addr)?.size;
  }

  /** Lets `size` bytes of an allocation be used, at most its capacity. */
  resize(addr: GuestAddr, size: number): void {
    const { slab, memory } = this.#k;
    const object = slab.objectAt(addr);
    if (object !== undefined) {
      slab.resize(object, size);
      return;
    }
    const large = this.#large.get(addr);
    if (large === undefined) return;
    large.size = size;
    memory.poison(addr, large.bytes, POISON.pageRedzone);
    memory.unpoison(addr, size);
  }

  /**
   * Frees; false when the pointer is not one to free (it has been reported). Where the real kernel would have looked
   * for the page's descriptor outside of all memory, that faults.
   */
  free(addr: GuestAddr): boolean {
    if (addr === NULL || addr === ZERO_SIZE_PTR) return true;
    const site = this.#k.allocationSite();
    if (this.#large.delete(addr)) {
      this.#k.pages.free(addr);
      return true;
    }
    const bad = this.#k.slab.free(addr, site);
    if (bad === undefined) return true;
    this.#k.reports.badFree(asAddr(addr), bad, site);
    if (!this.#k.pages.isRam(addr)) this.#k.memory.readPtr(this.#pageOf(addr));
    return false;
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
