import type { GuestAddr } from '../bytes/index.ts';
import { type ModuleSpec, writeModule } from '../wasm/index.ts';
import { emitFunction } from './emit.ts';
import { checkModule } from './emit-check.ts';
import { TARGET_CACHE, TARGET_CACHE_ENTRIES } from './engine-layout.ts';
import { type GuestFunction, readFunction, readOne, type TextSource } from './guest-function.ts';
import { inlineCalls } from './inline-calls.ts';
import type { Exit } from './ir.ts';
import { FUNCTION_IMPORTS, kernelModule, TYPES } from './kernel-module.ts';
import { type LiftedFunction, liftFunction, type Profile, type Tier } from './lift-function.ts';
import { emitForListing, type TranslatedText } from './listing.ts';
import { ProfileArea } from './profile.ts';

/** A translated function: its place in the table and the text it was made from. */
interface Unit {
  readonly addr: number;
  readonly slot: number;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** Its exits, by number. */
  readonly sites: readonly [first: number, end: number];
}

/** A function about to be emitted. */
interface Job {
  readonly tier: Tier;
  readonly addr: number;
  readonly fn: GuestFunction;
  readonly lifted: LiftedFunction;
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
  /** Runs of a function until it is translated again. */
  readonly hotAfter: number;
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
  readonly #profile: ProfileArea;
  /** Addresses whose code is to be of the hot tier. */
  readonly #hot = new Set<number>();
  /** Exits of dropped translations that frames on the host's stack may still leave by. */
  readonly #dropped: (readonly [first: number, end: number])[] = [];
  /** Exits by number. */
  readonly sites: (Exit | undefined)[] = [undefined, undefined];
  /** Calls the function in a slot: (slot, depth, fuel). */
  readonly run: (slot: number, depth: number, fuel: number) => void;
  /** Changes whenever translations are dropped. */
  generation = 0;
  /** Guest instructions and functions translated, modules and bytes made; for measuring. */
  readonly counts = { instructions: 0, functions: 0, modules: 0, bytes: 0, hot: 0 };

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
    this.#profile = new ProfileArea(buffer, options.hotAfter);
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
          tier: 'quick',
          isFunctionStart: false,
          group: false,
          profile: undefined,
          nativeAt: () => -1,
        });
        return { tier: 'quick' as const, addr: at, fn, lifted };
      });
      for (const made of this.#compile(list, (at) => this.#newSlot(at))) this.#steps.set(made.addr, made);
      unit = this.#steps.get(addr)!;
    }
    return unit.slot;
  }

  /** Which instructions to make steps of together: a WebAssembly module for each would be slow. */
  #stepsWith(addr: number): number[] {
    if (!this.#options.stepped) return [addr];
    const { blocks } = readFunction(this.#options.text, addr);
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
    const units = new Set<Unit>();
    for (let page = first; page <= last; page++) {
      for (const unit of this.#byPage.get(page) ?? []) {
        if (unit.ranges.some(([start, end]) => start < addr + size && end > addr)) units.add(unit);
      }
    }
    if (units.size === 0) return;
    for (const unit of units) {
      this.#hot.delete(unit.addr);
      this.#drop(unit);
    }
    this.generation++;
    this.#flushTargets();
  }

  #drop(unit: Unit): void {
    for (const set of this.#pagesOf(unit)) set.delete(unit);
    this.#dropped.push(unit.sites);
    const of = this.#units.get(unit.addr) === unit ? this.#units : this.#steps;
    if (of.get(unit.addr) !== unit) return;
    of.delete(unit.addr);
    this.#table.set(unit.slot, this.#stub as never);
  }

  /** Forgets the exits of dropped translations; called when no translated code is on the host's stack. */
  forgetDropped(): void {
    for (const [first, end] of this.#dropped) this.sites.fill(undefined, first, end);
    this.#dropped.length = 0;
  }

  /**
   * Quick code has left at `rip` because its counter ran out, or for another reason: if it is hot now, it is made again from
   * there (for the loop that goes on) and, when it is next called, from its entry.
   */
  heat(rip: number, counter: number): void {
    const entry = this.#profile.takeHot(counter);
    if (entry === undefined) return;
    for (const addr of new Set([entry, rip])) {
      if (this.#hot.has(addr)) continue;
      this.#hot.add(addr);
      const unit = this.#units.get(addr);
      if (unit !== undefined) this.#drop(unit);
    }
  }

  /** Reads and lifts the function at an address as it would be translated; for listings. */
  lift(addr: number): TranslatedText {
    const fn = readFunction(this.#options.text, addr);
    return emitForListing(fn, this.#lift(fn));
  }

  #lift(fn: GuestFunction, tier: Tier = 'quick', profile?: Profile): LiftedFunction {
    return liftFunction(fn, {
      mode: this.#options.checked ? 'checked' : 'plain',
      tier,
      isFunctionStart: this.#isFunctionStart(fn.entry),
      group: true,
      profile,
      nativeAt: (addr) => this.#options.nativeAt(addr),
    });
  }

  #isFunctionStart(addr: number): boolean {
    const bounds = this.#options.text.functionAt(addr);
    return bounds === undefined || bounds.start === addr;
  }

  #job(addr: number): Job {
    const fn = readFunction(this.#options.text, addr);
    return { tier: 'quick', addr, fn, lifted: this.#lift(fn, 'quick', this.#profile.of(addr)) };
  }

  /** The function with its callees in place. */
  #hotJob(addr: number): Job {
    const fn = inlineCalls(readFunction(this.#options.text, addr), {
      read: (callee) =>
        this.#options.nativeAt(callee) < 0 &&
        this.#options.text.fetchable(callee) &&
        this.#isFunctionStart(callee)
          ? readFunction(this.#options.text, callee)
          : undefined,
      targetsOf: (callSite) => this.#profile.slotsOf(callSite).map((slot) => this.#addrOfSlot[slot]!),
    });
    this.counts.hot++;
    return { tier: 'hot', addr, fn, lifted: this.#lift(fn, 'hot') };
  }

  /** Translates functions in one module. */
  translateAll(addrs: readonly number[]): void {
    const list = addrs
      .filter((addr) => !this.#units.has(addr) && this.#options.text.fetchable(addr))
      .map((addr) => this.#job(addr));
    for (const unit of this.#compile(list, (at) => this.#slotFor(at))) this.#units.set(unit.addr, unit);
  }

  #translate(addr: number): void {
    const list = this.#hot.has(addr) ? [this.#hotJob(addr)] : this.#batchFrom(addr);
    for (const unit of this.#compile(list, (at) => this.#slotFor(at))) this.#units.set(unit.addr, unit);
  }

  /** A function and some that it calls: a WebAssembly module for each would be slow. */
  #batchFrom(addr: number): Job[] {
    const list: Job[] = [];
    const queue = [addr];
    let bytes = 0;
    for (let i = 0; i < queue.length && list.length < BATCH_FUNCTIONS; i++) {
      if (i > 0 && bytes > BATCH_BYTES) break;
      const job = this.#job(queue[i]!);
      for (const [start, end] of job.fn.ranges) bytes += end - start;
      list.push(job);
      for (const block of job.fn.blocks) {
        const t = block.terminator;
        if ((t.kind !== 'call' && t.kind !== 'tail') || t.target.kind !== 'direct') continue;
        const to = t.target.addr;
        if (queue.includes(to) || this.#units.has(to) || this.#hot.has(to)) continue;
        if (this.#options.nativeAt(to) < 0 && this.#options.text.fetchable(to)) queue.push(to);
      }
    }
    return list;
  }

  #compile(list: readonly Job[], slotFor: (addr: number) => number): Unit[] {
    const sites: [number, number][] = [];
    const functions = list.map((f) => {
      const first = this.sites.length;
      const body = emitFunction(f.lifted, {
        smallChecks: f.tier === 'quick',
        site: (exit) => {
          this.sites.push(exit);
          return this.sites.length - 1;
        },
        // Others may be made again: only recursion needs not go through the table.
        callee: (addr) =>
          addr === f.addr && list.length === 1
            ? { kind: 'function', index: FUNCTION_IMPORTS.length }
            : { kind: 'slot', slot: this.#slotFor(addr) },
      });
      sites.push([first, this.sites.length]);
      return { type: 0, body };
    });
    const spec: ModuleSpec = { types: TYPES, functionImports: FUNCTION_IMPORTS, table: true, functions };
    const bytes = writeModule(spec);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    this.counts.modules++;
    this.counts.functions += list.length;
    this.counts.bytes += bytes.length;
    return list.map((f, i) => {
      this.counts.instructions += f.fn.instructionCount;
      const slot = slotFor(f.addr);
      this.#table.set(slot, instance.exports[String(i)] as never);
      const unit: Unit = { addr: f.addr, slot, ranges: f.fn.ranges, sites: sites[i]! };
      for (const set of this.#pagesOf(unit)) set.add(unit);
      return unit;
    });
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
