import { GFP, PAGE } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { PAGE_SIZE, PROT_RW } from '../../memory/index.ts';
import { data, type ExportTable, fn, partial } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import { format, ValueArguments } from '../lib/index.ts';
import { ZERO_SIZE_PTR } from './slab.ts';

const zeroed = (flags: number) => (flags & GFP.__GFP_ZERO) !== 0;

/** In place when the object has the room, as the real one. Source: mm/slab_common.c, __do_krealloc. */
function krealloc(k: Kernel): GuestAddr {
  const old = k.args.addr(0);
  const size = k.args.size(1);
  const flags = k.args.u32(2);
  if (size === 0) {
    k.kmalloc.free(old);
    return ZERO_SIZE_PTR;
  }
  if (old === NULL || old === ZERO_SIZE_PTR) return k.kmalloc.alloc(size, zeroed(flags));
  const had = usable(k, old);
  if (had >= size) {
    k.kmalloc.resize(old, size);
    return old;
  }
  const used = k.kmalloc.requestedSize(old) ?? had;
  const fresh = k.kmalloc.alloc(size, zeroed(flags));
  if (fresh === NULL) return NULL;
  k.memory.writeBytes(fresh, k.memory.readBytes(old, Math.min(used, size)));
  k.kmalloc.free(old);
  return fresh;
}

/** What an object really has room for. Of one that has been freed the real kernel would say the same. */
function usable(k: Kernel, addr: GuestAddr): number {
  const capacity = k.kmalloc.capacity(addr);
  if (capacity !== undefined) return capacity;
  k.memory.readU8(addr);
  return k.slab.find(addr)?.cache.objectSize ?? PAGE_SIZE;
}

/** `ksize`: whoever asks may use all of it. */
function ksize(k: Kernel): number {
  const addr = k.args.addr(0);
  if (addr === NULL || addr === ZERO_SIZE_PTR) return 0;
  const size = usable(k, addr);
  k.kmalloc.resize(addr, size);
  return size;
}

function vmalloc(k: Kernel, size: number, zero: boolean): GuestAddr {
  const site = k.tracks.site();
  const addr = size === 0 ? undefined : k.vmalloc.alloc(size, PROT_RW, site);
  if (addr === undefined) return NULL;
  k.kmsan?.allocated(addr, size, zero, site);
  return addr;
}

function getFreePages(k: Kernel, order: number, zero: boolean): GuestAddr {
  const request = { site: k.tracks.site(), use: 'pages', size: PAGE_SIZE << order } as const;
  const addr = order > 10 ? undefined : k.pages.alloc(order, request);
  if (addr === undefined) return NULL;
  if (zero || k.zeroOnAlloc) k.memory.raw.fill(0, addr >>> 0, (addr >>> 0) + (PAGE_SIZE << order));
  k.kmsan?.allocated(addr, PAGE_SIZE << order, zero, request.site);
  return addr;
}

function freePages(k: Kernel, addr: GuestAddr): void {
  if (addr === NULL) return;
  if (k.pages.orderOf(addr) !== undefined) k.pages.free(addr, k.tracks.site());
  else k.reports.badFree(addr, k.pages.blockAt(addr)?.start === addr ? 'double-free' : 'invalid-free');
}

function vfree(k: Kernel, addr: GuestAddr): void {
  if (addr === NULL) return;
  if (k.vmalloc.sizeOf(addr) !== undefined) {
    k.vmalloc.free(addr, k.tracks.site());
    return;
  }
  k.reports.badFree(addr, k.vmalloc.rangeAt(addr)?.start === addr ? 'double-free' : 'invalid-free');
  const what = addr % PAGE_SIZE === 0 ? 'nonexistent vm area' : 'bad address';
  const pointer = format(k.format, '%p', new ValueArguments([addr]), 32).text;
  k.warnInKernel('__vunmap', `Trying to vfree() ${what} (${pointer})`);
}

/** Source: include/linux/slab.h, __kmalloc_index: sizes by index of `kmalloc_caches`. */
const CACHE_SIZES = [
  0,
  96,
  192,
  8,
  16,
  32,
  64,
  128,
  256,
  512,
  1024,
  2048,
  4096,
  PAGE.KMALLOC_MAX_CACHE_SIZE,
] as const;

function initKmallocCaches(k: Kernel, addr: GuestAddr): void {
  const types = k.spec.types.enumValue('NR_KMALLOC_TYPES');
  const layout = k.spec.types.struct('kmem_cache');
  for (const cache of k.kmalloc.caches) k.describeCache(cache, layout);
  for (let type = 0; type < types; type++) {
    CACHE_SIZES.forEach((size, index) => {
      const cache = size === 0 ? undefined : k.kmalloc.cacheFor(size);
      if (cache !== undefined)
        k.memory.writePtr(asAddr(addr + (type * CACHE_SIZES.length + index) * 8), cache.addr);
    });
  }
}

/** mm/slab_common.c, mm/slub.c, mm/vmalloc.c, mm/page_alloc.c, mm/percpu.c, mm/util.c */
export const mmExports: ExportTable = {
  __kmalloc: fn('void *__kmalloc(size_t size, gfp_t flags)', (k) =>
    k.kmalloc.alloc(k.args.size(0), zeroed(k.args.u32(1))),
  ),
  __kmalloc_node: fn('void *__kmalloc_node(size_t size, gfp_t flags, int node)', (k) =>
    k.kmalloc.alloc(k.args.size(0), zeroed(k.args.u32(1))),
  ),
  __kmalloc_node_track_caller: fn(
    'void *__kmalloc_node_track_caller(size_t size, gfp_t flags, int node, unsigned long caller)',
    (k) => k.kmalloc.alloc(k.args.size(0), zeroed(k.args.u32(1))),
  ),
  kmalloc_trace: fn('void *kmalloc_trace(struct kmem_cache *s, gfp_t gfpflags, size_t size)', (k) =>
    k.kmalloc.alloc(k.args.size(2), zeroed(k.args.u32(1))),
  ),
  kmalloc_node_trace: fn(
    'void *kmalloc_node_trace(struct kmem_cache *s, gfp_t gfpflags, int node, size_t size)',
    (k) => k.kmalloc.alloc(k.args.size(3), zeroed(k.args.u32(1))),
  ),
  kmalloc_large: fn('void *kmalloc_large(size_t size, gfp_t flags)', (k) =>
    k.kmalloc.alloc(k.args.size(0), zeroed(k.args.u32(1))),
  ),
  kfree: fn('void kfree(const void *object)', (k) => {
    k.kmalloc.free(k.args.addr(0));
  }),
  kfree_sensitive: fn('void kfree_sensitive(const void *p)', (k) => {
    const addr = k.args.addr(0);
    const size = k.kmalloc.requestedSize(addr);
    if (size !== undefined) k.memory.fill(addr, 0, size);
    k.kmalloc.free(addr);
  }),
  krealloc: fn('void *krealloc(const void *p, size_t new_size, gfp_t flags)', krealloc),
  ksize: fn('size_t ksize(const void *objp)', ksize),
  kmalloc_caches: data(
    'struct kmem_cache *kmalloc_caches[NR_KMALLOC_TYPES][KMALLOC_SHIFT_HIGH + 1]',
    initKmallocCaches,
  ),

  vmalloc: fn('void *vmalloc(unsigned long size)', (k) => vmalloc(k, k.args.size(0), false)),
  vzalloc: fn('void *vzalloc(unsigned long size)', (k) => vmalloc(k, k.args.size(0), true)),
  vfree: fn('void vfree(const void *addr)', (k) => vfree(k, k.args.addr(0))),
  kvmalloc_node: fn('void *kvmalloc_node(size_t size, gfp_t flags, int node)', (k) => {
    const size = k.args.size(0);
    const small = size <= PAGE.KMALLOC_MAX_CACHE_SIZE ? k.kmalloc.alloc(size, zeroed(k.args.u32(1))) : NULL;
    return small === NULL ? vmalloc(k, size, zeroed(k.args.u32(1))) : small;
  }),
  kvfree: fn('void kvfree(const void *addr)', (k) => {
    const addr = k.args.addr(0);
    if (k.vmalloc.sizeOf(addr) === undefined) k.kmalloc.free(addr);
    else k.vmalloc.free(addr, k.tracks.site());
  }),

  __get_free_pages: fn('unsigned long __get_free_pages(gfp_t gfp_mask, unsigned int order)', (k) =>
    getFreePages(k, k.args.u32(1), zeroed(k.args.u32(0))),
  ),
  get_zeroed_page: fn('unsigned long get_zeroed_page(gfp_t gfp_mask)', (k) => getFreePages(k, 0, true)),
  free_pages: fn('void free_pages(unsigned long addr, unsigned int order)', (k) =>
    freePages(k, k.args.addr(0)),
  ),

  __alloc_percpu: partial('void *__alloc_percpu(size_t size, size_t align)', 'at most 1 MiB in all', (k) => {
    const [size, align] = [k.args.size(0), k.args.size(1)];
    const sound = size > 0 && align > 0 && align <= PAGE_SIZE && (align & (align - 1)) === 0;
    return (sound ? k.percpu.alloc(size, align, k.tracks.site()) : undefined) ?? NULL;
  }),
  free_percpu: fn('void free_percpu(void *ptr)', (k) => {
    const offset = k.args.addr(0);
    if (offset === NULL || k.percpu.free(offset, k.tracks.site())) return;
    k.reports.badFree(offset, k.percpu.pieceAt(offset)?.freed === undefined ? 'invalid-free' : 'double-free');
  }),
  page_offset_base: data('unsigned long page_offset_base', (k, addr) =>
    k.memory.writePtr(addr, k.regions.directMap),
  ),
  vmalloc_base: data('unsigned long vmalloc_base', (k, addr) => k.memory.writePtr(addr, k.regions.vmalloc)),
  vmemmap_base: data('unsigned long vmemmap_base', (k, addr) => k.memory.writePtr(addr, k.regions.vmemmap)),
};
