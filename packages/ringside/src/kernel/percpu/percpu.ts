import { PAGE } from '../../abi/index.ts';
import { asAddr, type GuestAddr, InvariantError } from '../../bytes/index.ts';
import { PAGE_SIZE, POISON } from '../../memory/index.ts';
import type { Kernel } from '../kernel.ts';
import type { AllocationSite } from '../mm/kasan/track.ts';

/** Room for modules' per-CPU variables. */
const MODULE_RESERVE = PAGE.PERCPU_MODULE_RESERVE;
/** Room for `alloc_percpu`; the first chunk's dynamic part and what pcpu_alloc would add. */
const DYNAMIC = 1 << 20;

/** Freed pieces are remembered up to this number. */
const FREED_LIMIT = 256;
/** Pieces begin and end with granules of the shadow. */
const GRANULE = 8;

/** Per-CPU memory that somebody has, or had: an offset, the same on every CPU. */
export interface PerCpuPiece {
  readonly offset: number;
  /** Whole granules. */
  readonly size: number;
  /** The bytes asked for. */
  readonly usable: number;
  /** Undefined for a module's own section. */
  readonly allocated: AllocationSite | undefined;
  freed: AllocationSite | undefined;
}

/** First-fit allocation of offsets in `[start, end)`. */
class Offsets {
  readonly #start: number;
  readonly #end: number;
  readonly #pieces: PerCpuPiece[] = [];

  constructor(start: number, end: number) {
    this.#start = start;
    this.#end = end;
  }

  alloc(usable: number, align: number, site: AllocationSite | undefined): number | undefined {
    // a granule of its own at least: the shadow cannot tell pieces in one apart
    const size = Math.ceil(Math.max(usable, 1) / GRANULE) * GRANULE;
    let at = Math.ceil(this.#start / align) * align;
    for (const piece of this.#pieces) {
      if (piece.offset - at >= size) break;
      at = Math.ceil((piece.offset + piece.size) / align) * align;
    }
    if (at + size > this.#end) return undefined;
    this.#pieces.push({ offset: at, size, usable, allocated: site, freed: undefined });
    this.#pieces.sort((a, b) => a.offset - b.offset);
    return at;
  }

  free(offset: number): PerCpuPiece | undefined {
    const index = this.#pieces.findIndex((piece) => piece.offset === offset);
    return index < 0 ? undefined : this.#pieces.splice(index, 1)[0];
  }

  /** The last piece that begins at or before an offset. */
  before(offset: number): PerCpuPiece | undefined {
    return this.#pieces.findLast((piece) => piece.offset <= offset);
  }
}

/**
 * The per-CPU area of each simulated CPU: the image's static variables at offset 0 (where `%gs:` reaches
 * `current_task` and the stack canary), then the reserve for modules, then what `alloc_percpu` hands out. A
 * per-CPU pointer is an offset; adding a CPU's base gives the address.
 */
export class PerCpu {
  readonly #k: Kernel;
  readonly cpuBases: readonly GuestAddr[];
  readonly #reserve: Offsets;
  readonly #dynamic: Offsets;
  /** The latest first. */
  readonly #freed: PerCpuPiece[] = [];
  /** Where the static variables end and what can be handed out begins. */
  readonly #staticSize: number;
  readonly #total: number;
  readonly #currentTask: number;
  readonly #topOfStack: number;

  constructor(k: Kernel, cpus: number) {
    this.#k = k;
    const end = k.spec.symbols.lookup('__per_cpu_end')?.address;
    if (end === undefined) throw new InvariantError('the kernel has no __per_cpu_end');
    const staticSize = Math.ceil(end / PAGE_SIZE) * PAGE_SIZE;
    const total = staticSize + MODULE_RESERVE + DYNAMIC;
    this.#total = total;
    const order = Math.ceil(Math.log2(total / PAGE_SIZE));
    this.#staticSize = staticSize;
    this.cpuBases = Array.from({ length: cpus }, () => {
      const addr = k.pages.alloc(order);
      if (addr === undefined) throw new InvariantError('no memory for the per-CPU areas');
      k.memory.raw.fill(0, addr >>> 0, (addr >>> 0) + (PAGE_SIZE << order));
      k.memory.poison(asAddr(addr + staticSize), (PAGE_SIZE << order) - staticSize, POISON.percpuFree);
      return addr;
    });
    this.#reserve = new Offsets(staticSize, staticSize + MODULE_RESERVE);
    this.#dynamic = new Offsets(staticSize + MODULE_RESERVE, total);
    this.#currentTask = this.offsetOf('current_task');
    this.#topOfStack = this.offsetOf('cpu_current_top_of_stack');
    this.#setUp();
  }

  /** The running CPU's area: the GS base. */
  get base(): GuestAddr {
    return this.cpuBases[0]!;
  }

  /** A static per-CPU variable's offset, from the image's symbols. */
  offsetOf(name: string): number {
    const symbol = this.#k.spec.exports.byName(name)?.address ?? this.#k.spec.symbols.lookup(name)?.address;
    if (symbol === undefined) throw new InvariantError(`the kernel has no per-CPU variable ${name}`);
    return symbol;
  }

  /** Address of a static per-CPU variable on the running CPU. */
  addressOf(name: string): GuestAddr {
    return asAddr(this.base + this.offsetOf(name));
  }

  /** Offset for a module's per-CPU section, zeroed on every CPU; undefined when the reserve is used up. */
  reserve(size: number, align: number): number | undefined {
    return this.#alloc(this.#reserve, size, align, undefined);
  }

  /** False when nothing was reserved there. */
  release(offset: number): boolean {
    return this.#free(this.#reserve, offset, undefined);
  }

  alloc(size: number, align: number, site: AllocationSite): number | undefined {
    return this.#alloc(this.#dynamic, size, align, site);
  }

  /** False when nothing was allocated there. */
  free(offset: number, site: AllocationSite): boolean {
    return this.#free(this.#dynamic, offset, site);
  }

  /** The piece that an offset belongs to, or belonged to last; of free memory behind one, the one before. */
  pieceAt(offset: number): PerCpuPiece | undefined {
    const holds = (piece: PerCpuPiece) => offset >= piece.offset && offset < piece.offset + piece.size;
    const live = [this.#dynamic.before(offset), this.#reserve.before(offset)].find((p) => p !== undefined);
    if (live !== undefined && holds(live)) return live;
    return this.#freed.find(holds) ?? live;
  }

  /** What can be handed out, and an address in it: CPU and offset. */
  placeOf(addr: GuestAddr): { readonly cpu: number; readonly offset: number } | undefined {
    const cpu = this.cpuBases.findIndex((base) => addr >= base && addr < base + this.#total);
    const offset = cpu < 0 ? 0 : addr - this.cpuBases[cpu]!;
    return offset < this.#staticSize ? undefined : { cpu, offset };
  }

  setCurrent(task: GuestAddr, stackTop: GuestAddr): void {
    this.#k.memory.writePtr(asAddr(this.base + this.#currentTask), task);
    this.#k.memory.writePtr(asAddr(this.base + this.#topOfStack), stackTop);
  }

  #alloc(
    offsets: Offsets,
    size: number,
    align: number,
    site: AllocationSite | undefined,
  ): number | undefined {
    const offset = offsets.alloc(size, Math.max(align, GRANULE), site);
    if (offset === undefined) return undefined;
    for (const base of this.cpuBases) this.#k.memory.unpoison(asAddr(base + offset), size);
    return offset;
  }

  #free(offsets: Offsets, offset: number, site: AllocationSite | undefined): boolean {
    const piece = offsets.free(offset);
    if (piece === undefined) return false;
    const { memory } = this.#k;
    for (const base of this.cpuBases) {
      memory.raw.fill(0, (base + offset) >>> 0, ((base + offset) >>> 0) + piece.size);
      memory.poison(asAddr(base + offset), piece.size, POISON.percpuFree);
    }
    if (site !== undefined) {
      piece.freed = site;
      this.#freed.unshift(piece);
      this.#freed.length = Math.min(this.#freed.length, FREED_LIMIT);
    }
    return true;
  }

  #setUp(): void {
    const { memory, random } = this.#k;
    const cpuNumber = this.offsetOf('cpu_number');
    const thisCpuOff = this.offsetOf('this_cpu_off');
    const canary = this.#k.spec.types.struct('fixed_percpu_data').offsetOf('stack_canary');
    const fixed = this.offsetOf('fixed_percpu_data');
    this.cpuBases.forEach((base, cpu) => {
      memory.writeU32(asAddr(base + cpuNumber), cpu);
      memory.writePtr(asAddr(base + thisCpuOff), base);
      // the lowest byte is 0 so that a string overflow cannot write it; Source: include/linux/stackprotector.h
      memory.writeU64(asAddr(base + fixed + canary), random.u64() & ~0xffn);
    });
  }
}
