import type { GuestAddr } from '../../bytes/index.ts';
import type { AllocationSite } from './kasan/track.ts';

/** Freed blocks are remembered up to this number. */
const FREED_LIMIT = 4096;

/** A block of pages that somebody has, or had. */
export interface PageBlock {
  readonly start: GuestAddr;
  readonly order: number;
  /** What it was taken for: pages as such, or a `kmalloc` too large for the caches. */
  readonly use: 'pages' | 'kmalloc';
  /** The bytes asked for. */
  size: number;
  readonly allocated: AllocationSite;
  freed: AllocationSite | undefined;
}

/** Who has blocks of pages, and who had those that are free: as mm/page_owner.c, for reports. */
export class PageOwner {
  /** By the number of the first page. */
  readonly #live = new Map<number, PageBlock>();
  /** The oldest first. */
  readonly #freed = new Map<number, PageBlock>();

  /** `block` is undefined where the kernel itself allocates. */
  allocated(page: number, order: number, block: PageBlock | undefined): void {
    if (this.#freed.size > 0) for (let i = page; i < page + (1 << order); i++) this.#freed.delete(i);
    if (block !== undefined) this.#live.set(page, block);
  }

  /** `site` is undefined where the kernel itself frees. */
  freed(page: number, site: AllocationSite | undefined): void {
    const block = this.#live.get(page);
    if (block === undefined) return;
    this.#live.delete(page);
    if (site === undefined) return;
    block.freed = site;
    this.#freed.delete(page);
    this.#freed.set(page, block);
    if (this.#freed.size > FREED_LIMIT) this.#freed.delete(this.#freed.keys().next().value as number);
  }

  /** The block that begins with the page. */
  at(page: number): PageBlock | undefined {
    return this.#live.get(page);
  }

  /** The block that holds the page; of free pages, the last that did. */
  find(page: number): PageBlock | undefined {
    for (const blocks of [this.#live, this.#freed]) {
      // a block of an order begins at a multiple of its size
      for (let order = 0; order <= 10; order++) {
        const block = blocks.get(page & ~((1 << order) - 1));
        if (block !== undefined && block.order >= order) return block;
      }
    }
    return undefined;
  }
}
