import type { GuestAddr } from '../bytes/index.ts';
import { type ModuleSpec, writeModule } from '../wasm/index.ts';
import { emitFunction } from './emit.ts';
import { checkModule } from './emit-check.ts';
import { TARGET_CACHE, TARGET_CACHE_ENTRIES } from './engine-layout.ts';
import { type GuestFunction, readFunction, readOne, type TextSource } from './guest-function.ts';
import type { Exit } from './ir.ts';
import { FUNCTION_IMPORTS, kernelModule, TYPES } from './kernel-module.ts';
import { type LiftedFunction, liftFunction } from './lift-function.ts';
import { emitForListing, type TranslatedText } from './listing.ts';

/** A translated function: its place in the table and the text it was made from. */
interface Unit {
  readonly addr: number;
  readonly slot: number;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  readonly batch: Batch;
}

/** Functions of one WebAssembly module: they call each other directly, and are dropped together. */
interface Batch {
  readonly units: Unit[];
  readonly sites: readonly [first: number, end: number];
}

/** The functions of the host that translated code imports. */
export type HostFunctions = Readonly<
  Record<
    Exclude<(typeof FUNCTION_IMPORTS)[number]['name'], 'mayLoad' | 'mayStore'>,
    (...args: never[]) => unknown
  >
>;

export interface CodeCacheOptions {
  readonly memory: WebAssembly.Memory;
  readonly text: TextSource;
  readonly checked: boolean;
  /** Whether most instructions will be stepped: then a function's are made together. */
  readonly stepped: boolean;
  nativeAt(addr: number): number;
}

/** Functions translated together with the one that is needed, and how many guest bytes they may have. */
const BATCH_FUNCTIONS = 6;
const BATCH_BYTES = 3000;

/** Site 1 is the exit of a native that was reached through the table. */
export const NATIVE_SITE = 1;

/** Translations of guest text: made on demand, found by address, dropped when the text changes. */
export class CodeCache {
  readonly #options: CodeCacheOptions;
  readonly #table: WebAssembly.Table;
  readonly #imports: WebAssembly.Imports;
  readonly #stub: WebAssembly.ExportValue;
  readonly #native: WebAssembly.ExportValue;
  readonly #targets: BigInt64Array;
  readonly #targetSlots: Int32Array;
  #nextSlot = 2;
  /** Slot by address: with or without code. */
  readonly #slots = new Map<number, number>();
  readonly #addrOfSlot: number[] = [];
  readonly #units = new Map<number, Unit>();
  readonly #nativeSlots = new Map<number, number>();
  readonly #steps = new Map<number, Unit>();
  readonly #byPage = new Map<number, Set<Unit>>();
  /** Exits by number. */
  readonly sites: (Exit | undefined)[] = [undefined, undefined];
  /** Calls the function in a slot: (slot, depth, fuel). */
  readonly run: (slot: number, depth: number, fuel: number) => void;
  /** Changes whenever translations are dropped. */
  generation = 0;
  /** Guest instructions and functions translated, modules and bytes made; for measuring. */
  readonly counts = { instructions: 0, functions: 0, modules: 0, bytes: 0 };

  constructor(options: CodeCacheOptions, host: HostFunctions) {
    this.#options = options;
    this.#table = new WebAssembly.Table({ element: 'anyfunc', initial: 128 });
    const { memory } = options;
    const checks = new WebAssembly.Instance(new WebAssembly.Module(checkModule()), { e: { memory } });
    const { '0': mayLoad, '1': mayStore } = checks.exports;
    this.#imports = {
      e: { memory, table: this.#table, ...host, mayLoad, mayStore } as WebAssembly.ModuleImports,
    };
    const kernel = new WebAssembly.Instance(new WebAssembly.Module(kernelModule()), this.#imports);
    this.run = kernel.exports['0'] as CodeCache['run'];
    this.#stub = kernel.exports['1']!;
    this.#native = kernel.exports['2']!;
    this.#table.set(1, kernel.exports['3'] as never);
    const buffer = options.memory.buffer;
    this.#targets = new BigInt64Array(buffer, TARGET_CACHE, TARGET_CACHE_ENTRIES * 2);
    this.#targetSlots = new Int32Array(buffer, TARGET_CACHE, TARGET_CACHE_ENTRIES * 4);
    this.#flushTargets();
  }

  /** The slot that only leaves to the dispatcher. */
  get leaveSlot(): number {
    return 1;
  }

  /** The slot with the code at the address, translated now if need be; -1 when nothing can be fetched there. */
  slotOf(addr: number): number {
    const unit = this.#units.get(addr);
    if (unit !== undefined) return unit.slot;
    const native = this.#options.nativeAt(addr);
    if (native >= 0) return this.#nativeSlot(addr);
    if (!this.#options.text.fetchable(addr)) return -1;
    this.#translate(addr);
    return this.#units.get(addr)!.slot;
  }

  /** As `slotOf`, for an indirect branch: later ones find it without the host. */
  resolve(addr: GuestAddr): number {
    const slot = this.slotOf(addr);
    if (slot >= 0) {
      const low = addr >>> 0;
      const entry = ((low ^ (low >>> 8)) & 0xfff0) >>> 4;
      this.#targets[entry * 2] = BigInt(addr);
      this.#targetSlots[entry * 4 + 2] = slot;
    }
    return slot;
  }

  addrOfSlot(slot: number): number {
    return this.#addrOfSlot[slot]!;
  }

  /** The slot of a function that makes the one instruction at the address, its accesses through the host. */
  stepSlot(addr: number): number {
    let unit = this.#steps.get(addr);
    if (unit === undefined) {
      const list = this.#stepsWith(addr).map((at) => {
        const fn = readOne(this.#options.text, at);
        const lifted = liftFunction(fn, {
          mode: 'hosted',
          isFunctionStart: false,
          group: false,
          nativeAt: () => -1,
        });
        return { addr: at, fn, lifted };
      });
      for (const made of this.#compile(list, (at) => this.#newSlot(at))) this.#steps.set(made.addr, made);
      unit = this.#steps.get(addr)!;
    }
    return unit.slot;
  }

  /** Which instructions to make steps of together: a WebAssembly module for each would be slow. */
  #stepsWith(addr: number): number[] {
    if (!this.#options.stepped) return [addr];
    const blocks = [...readFunction(this.#options.text, addr).blocks.values()];
    const rest = blocks.flatMap((block) => block.instructions.map((ins) => ins.addr));
    return [addr, ...new Set(rest)].filter((at, i) => i === 0 || (at !== addr && !this.#steps.has(at)));
  }

  /** Drops everything. */
  clear(): void {
    const units = [...this.#units.values(), ...this.#steps.values()];
    for (const unit of units) this.invalidate(unit.addr, 1);
  }

  /** Drops what was made from `[addr, addr + size)`. */
  invalidate(addr: number, size: number): void {
    const first = Math.floor(addr / 4096);
    const last = Math.floor((addr + size - 1) / 4096);
    const batches = new Set<Batch>();
    for (let page = first; page <= last; page++) {
      for (const unit of this.#byPage.get(page) ?? []) {
        if (unit.ranges.some(([start, end]) => start < addr + size && end > addr)) batches.add(unit.batch);
      }
    }
    if (batches.size === 0) return;
    for (const batch of batches) {
      for (const unit of batch.units) {
        if (this.#units.get(unit.addr) === unit) this.#units.delete(unit.addr);
        if (this.#steps.get(unit.addr) === unit) this.#steps.delete(unit.addr);
        this.#table.set(unit.slot, this.#stub as never);
        for (const set of this.#pagesOf(unit)) set.delete(unit);
      }
    }
    this.generation++;
    this.#flushTargets();
  }

  /** Reads and lifts the function at an address as it would be translated; for listings. */
  lift(addr: number): TranslatedText {
    const fn = readFunction(this.#options.text, addr);
    return emitForListing(fn, this.#lift(fn));
  }

  #lift(fn: GuestFunction): LiftedFunction {
    const bounds = this.#options.text.functionAt(fn.entry);
    return liftFunction(fn, {
      mode: this.#options.checked ? 'checked' : 'plain',
      isFunctionStart: bounds === undefined || bounds.start === fn.entry,
      group: true,
      nativeAt: (addr) => this.#options.nativeAt(addr),
    });
  }

  /** Translates functions in one module. */
  translateAll(addrs: readonly number[]): void {
    const list = addrs
      .filter((addr) => !this.#units.has(addr) && this.#options.text.fetchable(addr))
      .map((addr) => {
        const fn = readFunction(this.#options.text, addr);
        return { addr, fn, lifted: this.#lift(fn) };
      });
    for (const unit of this.#compile(list, (at) => this.#slotFor(at))) this.#units.set(unit.addr, unit);
  }

  #translate(addr: number): void {
    const list: { addr: number; fn: GuestFunction; lifted: LiftedFunction }[] = [];
    const queue = [addr];
    let bytes = 0;
    for (let i = 0; i < queue.length && list.length < BATCH_FUNCTIONS; i++) {
      const at = queue[i]!;
      if (i > 0 && bytes > BATCH_BYTES) break;
      const fn = readFunction(this.#options.text, at);
      for (const [start, end] of fn.ranges) bytes += end - start;
      list.push({ addr: at, fn, lifted: this.#lift(fn) });
      for (const block of fn.blocks.values()) {
        const t = block.terminator;
        if ((t.kind !== 'call' && t.kind !== 'tail') || t.target.kind !== 'direct') continue;
        const to = t.target.addr;
        if (queue.includes(to) || this.#units.has(to) || this.#options.nativeAt(to) >= 0) continue;
        if (this.#options.text.fetchable(to)) queue.push(to);
      }
    }
    for (const unit of this.#compile(list, (at) => this.#slotFor(at))) this.#units.set(unit.addr, unit);
  }

  #compile(
    list: readonly { addr: number; fn: GuestFunction; lifted: LiftedFunction }[],
    slotFor: (addr: number) => number,
  ): Unit[] {
    const index = new Map(list.map((f, i) => [f.addr, i]));
    const first = this.sites.length;
    const functions: { type: number; body: Uint8Array }[] = list.map((f) => ({
      type: 0,
      body: emitFunction(f.lifted, {
        site: (exit) => {
          this.sites.push(exit);
          return this.sites.length - 1;
        },
        callee: (addr) => {
          const same = index.get(addr);
          if (same !== undefined) return { kind: 'function', index: FUNCTION_IMPORTS.length + same };
          return { kind: 'slot', slot: this.#slotFor(addr) };
        },
      }),
    }));
    const spec: ModuleSpec = { types: TYPES, functionImports: FUNCTION_IMPORTS, table: true, functions };
    const bytes = writeModule(spec);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    this.counts.modules++;
    this.counts.functions += list.length;
    this.counts.bytes += bytes.length;
    const batch: Batch = { units: [], sites: [first, this.sites.length] };
    for (const [i, f] of list.entries()) {
      this.counts.instructions += f.fn.instructionCount;
      const slot = slotFor(f.addr);
      this.#table.set(slot, instance.exports[String(i)] as never);
      const unit: Unit = { addr: f.addr, slot, ranges: f.fn.ranges, batch };
      batch.units.push(unit);
      for (const set of this.#pagesOf(unit)) set.add(unit);
    }
    return batch.units;
  }

  #pagesOf(unit: Unit): Set<Unit>[] {
    const pages = new Set<number>();
    for (const [start, end] of unit.ranges) {
      for (let page = Math.floor(start / 4096); page <= Math.floor((end - 1) / 4096); page++) pages.add(page);
    }
    return [...pages].map((page) => {
      let set = this.#byPage.get(page);
      if (set === undefined) {
        set = new Set();
        this.#byPage.set(page, set);
      }
      return set;
    });
  }

  #newSlot(addr: number): number {
    const slot = this.#nextSlot++;
    if (slot >= this.#table.length) this.#table.grow(this.#table.length);
    this.#addrOfSlot[slot] = addr;
    return slot;
  }

  #slotFor(addr: number): number {
    let slot = this.#slots.get(addr);
    if (slot === undefined) {
      slot = this.#newSlot(addr);
      this.#slots.set(addr, slot);
      this.#table.set(slot, this.#stub as never);
    }
    return slot;
  }

  #nativeSlot(addr: number): number {
    let slot = this.#nativeSlots.get(addr);
    if (slot === undefined) {
      slot = this.#newSlot(addr);
      this.#nativeSlots.set(addr, slot);
      this.#table.set(slot, this.#native as never);
    }
    return slot;
  }

  /** Empties the cache of branch targets: every entry gets an address that belongs elsewhere. */
  #flushTargets(): void {
    this.#targets.fill(0n);
    this.#targets[0] = 0x10n;
  }
}
