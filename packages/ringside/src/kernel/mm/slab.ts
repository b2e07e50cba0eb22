import { asAddr, type GuestAddr, InvariantError, NULL } from '../../bytes/index.ts';
import { type GuestMemory, PAGE_SHIFT, PAGE_SIZE, POISON } from '../../memory/index.ts';
import type { AllocationSite } from './kasan/track.ts';
import type { PageAllocator } from './page-alloc.ts';

/** What `kmalloc(0)` returns. Source: include/linux/slab.h, ZERO_SIZE_PTR. */
export const ZERO_SIZE_PTR = asAddr(16);

/** A cache of objects of one size. */
export interface SlabCache {
  readonly name: string;
  readonly objectSize: number;
  /** Distance between objects in bytes; what is between them is redzone. */
  readonly stride: number;
  readonly order: number;
  /** Where the first object of a slab is; what is before it is redzone. */
  readonly first: number;
  /** `struct kmem_cache` in guest memory. */
  addr: GuestAddr;
  /** Free slots, the next one to hand out last. */
  readonly free: GuestAddr[];
  readonly constructor_: GuestAddr;
}

/** An object, live or freed; a freed one is known until its place is given to another. */
export interface SlabObject {
  readonly cache: SlabCache;
  readonly addr: GuestAddr;
  /** The bytes that may be used: as many as were asked for, until `krealloc` or `ksize` says otherwise. */
  size: number;
  readonly allocated: AllocationSite;
  freed: AllocationSite | undefined;
}

/** What `kfree` and its siblings find wrong with a pointer. */
export type BadFree = 'double-free' | 'invalid-free';

export interface SlabOptions {
  readonly memory: GuestMemory;
  readonly pages: PageAllocator;
  /** Bytes of freed objects that wait before they are used again. */
  readonly quarantineBytes: number;
  /** CONFIG_INIT_ON_ALLOC_DEFAULT_ON: every allocation is zeroed. */
  readonly zeroOnAlloc: boolean;
  /** Told of all of an object's room when it is handed out; `zeroed`: its user has asked for zeroes. */
  readonly onAlloc?:
    | ((addr: GuestAddr, size: number, zeroed: boolean, site: AllocationSite) => void)
    | undefined;
}

const REDZONE = 16;

/**
 * The slab allocator. Objects of a power-of-two size are aligned to it, as Linux promises for kmalloc; each has
 * redzones on both sides, and the bytes between the size asked for and the object's size belong to them. A freed
 * object waits in a quarantine; it stays poisoned until its place is given to another.
 */
export class Slab {
  readonly #o: SlabOptions;
  /** Objects by address; of each place the last. */
  readonly #objects = new Map<GuestAddr, SlabObject>();
  /** Cache of the slab that a page belongs to, by page number of the address's low half. */
  readonly #slabs = new Map<number, { readonly cache: SlabCache; readonly start: GuestAddr }>();
  readonly #quarantine: SlabObject[] = [];
  #quarantineHead = 0;
  #quarantined = 0;

  constructor(options: SlabOptions) {
    this.#o = options;
  }

  createCache(name: string, objectSize: number, align: number, constructor_: GuestAddr = NULL): SlabCache {
    const alignment = Math.max(align, 8);
    const stride = Math.ceil((objectSize + REDZONE) / alignment) * alignment;
    const first = Math.ceil(REDZONE / alignment) * alignment;
    let order = 0;
    while (PAGE_SIZE << order < stride * 4 && order < 3) order++;
    while (PAGE_SIZE << order < first + 2 * stride) order++;
    return { name, objectSize, stride, order, first, addr: NULL, free: [], constructor_ };
  }

  /** An object for `size` bytes (at most the cache's object size); undefined when memory is used up. */
  alloc(cache: SlabCache, size: number, zero: boolean, site: AllocationSite): SlabObject | undefined {
    if (cache.free.length === 0 && !this.#grow(cache)) {
      this.#drain(0);
      if (cache.free.length === 0) return undefined;
    }
    const addr = cache.free.pop()!;
    const { memory } = this.#o;
    if (this.#objects.has(addr)) memory.poison(addr, cache.objectSize, POISON.slabRedzone);
    memory.unpoison(addr, size);
    if (zero || this.#o.zeroOnAlloc) memory.raw.fill(0, addr >>> 0, (addr >>> 0) + cache.objectSize);
    this.#o.onAlloc?.(addr, cache.objectSize, zero, site);
    const object: SlabObject = { cache, addr, size, allocated: site, freed: undefined };
    this.#objects.set(addr, object);
    return object;
  }

  /** Frees an object; what is wrong with the pointer, if anything (then nothing is freed). */
  free(addr: GuestAddr, site: AllocationSite): BadFree | undefined {
    const object = this.#objects.get(addr);
    if (object === undefined) return 'invalid-free';
    if (object.freed !== undefined) return 'double-free';
    object.freed = site;
    this.#o.memory.poison(addr, object.cache.objectSize, POISON.slabFreed);
    this.#o.memory.poison(addr, 8, POISON.slabFreeTrack);
    this.#quarantine.push(object);
    this.#quarantined += object.cache.objectSize;
    this.#drain(this.#o.quarantineBytes);
    return undefined;
  }

  /** Lets `size` bytes of a live object be used, at most what its cache has. */
  resize(object: SlabObject, size: number): void {
    const { memory } = this.#o;
    object.size = size;
    memory.poison(object.addr, object.cache.objectSize, POISON.slabRedzone);
    memory.unpoison(object.addr, size);
  }

  /** The live object at exactly this address. */
  objectAt(addr: GuestAddr): SlabObject | undefined {
    const object = this.#objects.get(addr);
    return object?.freed === undefined ? object : undefined;
  }

  /** The object that `addr` belongs to, live or freed: of redzones, the one whose bytes are nearer. */
  find(addr: GuestAddr): SlabObject | undefined {
    const slab = this.#slabs.get((addr >>> 0) >>> PAGE_SHIFT);
    if (slab === undefined) return undefined;
    const { stride, first } = slab.cache;
    const slot = Math.floor((addr - slab.start - first) / stride);
    const before = this.#objects.get(asAddr(slab.start + first + slot * stride));
    const after = this.#objects.get(asAddr(slab.start + first + (slot + 1) * stride));
    if (before === undefined || after === undefined) return before ?? after;
    return addr - (before.addr + before.size) < after.addr - addr ? before : after;
  }

  /** The slab that holds `addr`. */
  slabAt(addr: GuestAddr): { readonly cache: SlabCache; readonly start: GuestAddr } | undefined {
    return this.#slabs.get((addr >>> 0) >>> PAGE_SHIFT);
  }

  /** Objects not freed, for leak reports and cache destruction. */
  *live(cache?: SlabCache): Generator<SlabObject> {
    for (const object of this.#objects.values()) {
      if (object.freed === undefined && (cache === undefined || object.cache === cache)) yield object;
    }
  }

  #grow(cache: SlabCache): boolean {
    const { memory, pages } = this.#o;
    const start = pages.alloc(cache.order);
    if (start === undefined) return false;
    const bytes = PAGE_SIZE << cache.order;
    memory.poison(start, bytes, POISON.slabRedzone);
    // the last has its redzone too
    const count = Math.floor((bytes - cache.first - cache.objectSize - REDZONE) / cache.stride) + 1;
    if (count <= 0) throw new InvariantError(`cache ${cache.name} has no room for an object`);
    for (let page = 0; page < bytes; page += PAGE_SIZE) {
      this.#slabs.set(((start + page) >>> 0) >>> PAGE_SHIFT, { cache, start });
    }
    for (let i = count - 1; i >= 0; i--) cache.free.push(asAddr(start + cache.first + i * cache.stride));
    return true;
  }

  /** Gives the oldest quarantined objects back to their caches until `limit` bytes are left. */
  #drain(limit: number): void {
    const { memory } = this.#o;
    while (this.#quarantined > limit) {
      const object = this.#quarantine[this.#quarantineHead++]!;
      this.#quarantined -= object.cache.objectSize;
      memory.poison(object.addr, 8, POISON.slabFreed);
      object.cache.free.push(object.addr);
    }
    if (this.#quarantineHead > 1024 && this.#quarantineHead * 2 > this.#quarantine.length) {
      this.#quarantine.splice(0, this.#quarantineHead);
      this.#quarantineHead = 0;
    }
  }
}
