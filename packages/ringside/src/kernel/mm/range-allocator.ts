import { asAddr, type GuestAddr, hex64, InvariantError } from '../../bytes/index.ts';
import { type GuestMemory, PAGE_SIZE, POISON, type Protection, type Region } from '../../memory/index.ts';
import type { AllocationSite } from './kasan/track.ts';

/** Freed ranges are remembered up to this number. */
const FREED_LIMIT = 256;

/** A range that somebody has, or had. */
export interface MappedRange {
  readonly start: GuestAddr;
  /** Mapped bytes; a guard page follows. */
  readonly size: number;
  /** The bytes asked for. */
  readonly usable: number;
  /** Undefined where the kernel itself asked. */
  readonly allocated: AllocationSite | undefined;
  freed: AllocationSite | undefined;
}

/**
 * Hands out page-aligned ranges of a region, each followed by an unmapped guard page: the lowest that is free, as
 * `vmalloc` and `module_alloc` do.
 */
export class RangeAllocator {
  readonly #memory: GuestMemory;
  readonly #region: Region;
  readonly #areas: MappedRange[] = [];
  /** The latest first. */
  readonly #freed: MappedRange[] = [];

  /** `skip`: bytes at the region's start that somebody else has. */
  constructor(memory: GuestMemory, region: Region, skip = 0) {
    this.#memory = memory;
    this.#region = { ...region, start: asAddr(region.start + skip), size: region.size - skip };
  }

  /**
   * Maps `size` bytes (rounded up to pages), zeroed; undefined when the region has no such gap. What is behind the size
   * asked for is poisoned.
   */
  alloc(size: number, protection: Protection, site?: AllocationSite): GuestAddr | undefined {
    const bytes = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    const start = this.#find(bytes + PAGE_SIZE);
    if (start === undefined || bytes === 0) return undefined;
    const place = this.#areas.findIndex((area) => area.start > start);
    const area = { start, size: bytes, usable: size, allocated: site, freed: undefined };
    this.#areas.splice(place < 0 ? this.#areas.length : place, 0, area);
    this.#memory.raw.fill(0, start >>> 0, (start >>> 0) + bytes);
    this.#memory.map(start, bytes, protection);
    if (size < bytes) {
      this.#memory.poison(start, bytes, POISON.vmallocInvalid);
      this.#memory.unpoison(start, size);
    }
    return start;
  }

  /** The range that holds an address, or whose guard page does; else the last that did. */
  rangeAt(addr: GuestAddr): MappedRange | undefined {
    const holds = (area: MappedRange) => addr >= area.start && addr < area.start + area.size + PAGE_SIZE;
    return this.#areas.find(holds) ?? this.#freed.find(holds);
  }

  /** The allocated range that starts at `addr`. */
  sizeOf(addr: GuestAddr): number | undefined {
    return this.#areas.find((area) => area.start === addr)?.size;
  }

  free(addr: GuestAddr, site?: AllocationSite): void {
    const index = this.#areas.findIndex((area) => area.start === addr);
    if (index < 0) throw new InvariantError(`nothing was allocated at ${hex64(addr)}`);
    const area = this.#areas.splice(index, 1)[0]!;
    this.#memory.unmap(addr, area.size);
    area.freed = site;
    this.#freed.unshift(area);
    this.#freed.length = Math.min(this.#freed.length, FREED_LIMIT);
  }

  #find(bytes: number): GuestAddr | undefined {
    let at: number = this.#region.start;
    for (const area of this.#areas) {
      const end = area.start + area.size + PAGE_SIZE;
      if (end <= at) continue;
      if (area.start - at >= bytes) break;
      at = end;
    }
    return at + bytes <= this.#region.start + this.#region.size ? asAddr(at) : undefined;
  }
}
