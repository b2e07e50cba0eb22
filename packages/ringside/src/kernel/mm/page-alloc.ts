import { PAGE } from '../../abi/index.ts';
import { asAddr, type GuestAddr, hex64, InvariantError } from '../../bytes/index.ts';
import { DIRECT_MAP, type GuestMemory, PAGE_SHIFT, PAGE_SIZE, POISON, PROT_RW } from '../../memory/index.ts';
import type { AllocationSite } from './kasan/track.ts';
import { type PageBlock, PageOwner } from './page-owner.ts';

const { MAX_ORDER } = PAGE;
const FREE = 0xff;
const TAIL = 0xfe;

/** Who asks for pages, and for what. */
export interface PageRequest {
  readonly site: AllocationSite;
  readonly use: PageBlock['use'];
  /** Bytes that may be used; the rest of the block is redzone. */
  readonly size: number;
}

/**
 * The page allocator: a buddy system over the machine's RAM, addressed through the direct map. Free pages are
 * poisoned, so that a stale pointer into one is seen. RAM is mapped in blocks of 4 MiB when a part of it is first handed
 * out, or first touched by a stray pointer, so that the shadow of a machine that uses little stays small.
 */
export class PageAllocator {
  readonly totalPages: number;
  readonly #memory: GuestMemory;
  readonly owner = new PageOwner();
  /** Free blocks of each order as page numbers, lowest first. */
  readonly #free: Set<number>[] = Array.from({ length: MAX_ORDER }, () => new Set());
  /** Order of the block that starts at a page; FREE blocks keep theirs in `#freeOrder`. */
  readonly #order: Uint8Array;
  readonly #freeOrder: Uint8Array;
  #freePages = 0;

  /** `ramBytes`: multiple of 4 MiB, at most the direct map's size. The first MiB is not handed out. */
  constructor(memory: GuestMemory, ramBytes: number) {
    this.#memory = memory;
    this.totalPages = ramBytes >>> PAGE_SHIFT;
    this.#order = new Uint8Array(this.totalPages).fill(TAIL);
    this.#freeOrder = new Uint8Array(this.totalPages).fill(FREE);
    const largest = 1 << (MAX_ORDER - 1);
    for (let page = largest; page + largest <= this.totalPages; page += largest)
      this.#insert(page, MAX_ORDER - 1);
    this.#freePages = this.totalPages - largest;
  }

  get freePages(): number {
    return this.#freePages;
  }

  /** A block of 2^order pages, mapped and valid, with undefined content; undefined when there is none. */
  alloc(order: number, request?: PageRequest): GuestAddr | undefined {
    let have = order;
    while (have < MAX_ORDER && this.#free[have]!.size === 0) have++;
    if (have >= MAX_ORDER) return undefined;
    const page = this.#free[have]!.values().next().value as number;
    this.#remove(page, have);
    this.open(asAddr(DIRECT_MAP.start + page * PAGE_SIZE));
    while (have > order) {
      have--;
      this.#insert(page + (1 << have), have);
    }
    this.#order[page] = order;
    this.#freePages -= 1 << order;
    const addr = asAddr(DIRECT_MAP.start + page * PAGE_SIZE);
    this.#memory.map(addr, PAGE_SIZE << order, PROT_RW);
    this.owner.allocated(
      page,
      order,
      request && {
        start: addr,
        order,
        use: request.use,
        size: request.size,
        allocated: request.site,
        freed: undefined,
      },
    );
    if (request !== undefined && request.size < PAGE_SIZE << order) this.limit(addr, request.size);
    return addr;
  }

  /** The allocated block that begins at `addr`, if its owner was noted. */
  ownedAt(addr: GuestAddr): PageBlock | undefined {
    // every kfree asks
    return (addr >>> 0) % PAGE_SIZE === 0 ? this.owner.at(this.#pageOf(addr)) : undefined;
  }

  /** Lets `size` bytes of the block at `addr` be used. */
  limit(addr: GuestAddr, size: number): void {
    const block = this.ownedAt(addr);
    if (block === undefined) return;
    block.size = size;
    this.#memory.poison(addr, PAGE_SIZE << block.order, POISON.pageRedzone);
    this.#memory.unpoison(addr, size);
  }

  /** The block that an address belongs to, or belonged to last. */
  blockAt(addr: GuestAddr): PageBlock | undefined {
    return this.isRam(addr) ? this.owner.find(Math.floor(this.#pageOf(addr))) : undefined;
  }

  /** Maps the block of RAM around an address, if it is RAM and that has not been done. */
  open(addr: GuestAddr): boolean {
    const size = PAGE_SIZE << (MAX_ORDER - 1);
    const start = asAddr(DIRECT_MAP.start + Math.floor((addr - DIRECT_MAP.start) / size) * size);
    if (!this.isRam(addr) || this.#memory.isPresent(start)) return false;
    this.#memory.map(start, size, PROT_RW);
    this.#memory.poison(start, size, POISON.page);
    return true;
  }

  /** Whether the address is in the direct map of the machine's RAM. */
  isRam(addr: GuestAddr): boolean {
    return addr >= DIRECT_MAP.start && addr < DIRECT_MAP.start + this.totalPages * PAGE_SIZE;
  }

  /** Order of the allocated block that starts at `addr`, or undefined. */
  orderOf(addr: GuestAddr): number | undefined {
    const order = this.#order[this.#pageOf(addr)];
    return order === undefined || order === TAIL || order === FREE ? undefined : order;
  }

  free(addr: GuestAddr, site?: AllocationSite): void {
    let order = this.orderOf(addr);
    if (order === undefined) throw new InvariantError(`page at ${hex64(addr)} is not allocated`);
    let page = this.#pageOf(addr);
    this.#memory.poison(addr, PAGE_SIZE << order, POISON.page);
    this.owner.freed(page, site);
    this.#order[page] = TAIL;
    this.#freePages += 1 << order;
    for (; order < MAX_ORDER - 1; order++) {
      const buddy: number = page ^ (1 << order);
      if (this.#freeOrder[buddy] !== order) break;
      this.#remove(buddy, order);
      page = Math.min(page, buddy);
    }
    this.#insert(page, order);
  }

  #pageOf(addr: GuestAddr): number {
    return (addr - DIRECT_MAP.start) / PAGE_SIZE;
  }

  #insert(page: number, order: number): void {
    this.#free[order]!.add(page);
    this.#freeOrder[page] = order;
  }

  #remove(page: number, order: number): void {
    this.#free[order]!.delete(page);
    this.#freeOrder[page] = FREE;
  }
}
