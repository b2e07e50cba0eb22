import { asAddr, type GuestAddr, hex64, InvariantError } from '../../bytes/index.ts';
import { type GuestMemory, PAGE_SIZE, type Protection, type Region } from '../../memory/index.ts';

interface Area {
  readonly start: GuestAddr;
  /** Mapped bytes; a guard page follows. */
  readonly size: number;
}

/**
 * Hands out page-aligned ranges of a region, each followed by an unmapped guard page: `vmalloc` and
 * `module_alloc`. A freed range is used again only when the search has come round, so that a stale pointer
 * faults instead of hitting the next owner.
 */
export class RangeAllocator {
  readonly #memory: GuestMemory;
  readonly #region: Region;
  readonly #areas: Area[] = [];
  #next: number;

  constructor(memory: GuestMemory, region: Region) {
    this.#memory = memory;
    this.#region = region;
    this.#next = region.start;
  }

  /** Maps `size` bytes (rounded up to pages), zeroed; undefined when the region has no such gap. */
  alloc(size: number, protection: Protection): GuestAddr | undefined {
    const bytes = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    const start =
      this.#find(bytes + PAGE_SIZE, this.#next) ?? this.#find(bytes + PAGE_SIZE, this.#region.start);
    if (start === undefined || bytes === 0) return undefined;
    this.#next = start + bytes + PAGE_SIZE;
    this.#areas.push({ start, size: bytes });
    this.#areas.sort((a, b) => a.start - b.start);
    this.#memory.raw.fill(0, start >>> 0, (start >>> 0) + bytes);
    this.#memory.map(start, bytes, protection);
    return start;
  }

  /** The allocated range that starts at `addr`. */
  sizeOf(addr: GuestAddr): number | undefined {
    return this.#areas.find((area) => area.start === addr)?.size;
  }

  free(addr: GuestAddr): void {
    const index = this.#areas.findIndex((area) => area.start === addr);
    if (index < 0) throw new InvariantError(`nothing was allocated at ${hex64(addr)}`);
    const [area] = this.#areas.splice(index, 1);
    this.#memory.unmap(addr, area!.size);
  }

  #find(bytes: number, from: number): GuestAddr | undefined {
    let at = from;
    for (const area of this.#areas) {
      const end = area.start + area.size + PAGE_SIZE;
      if (end <= at) continue;
      if (area.start - at >= bytes) break;
      at = end;
    }
    return at + bytes <= this.#region.start + this.#region.size ? asAddr(at) : undefined;
  }
}
