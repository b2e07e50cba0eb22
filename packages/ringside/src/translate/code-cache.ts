import type { GuestAddr } from '../bytes/index.ts';
import { Batch } from './batch.ts';
import { CodeTables, type HostFunctions, LEAVE_SLOT } from './code-tables.ts';
import { TARGET_CACHE, TARGET_CACHE_ENTRIES } from './engine-layout.ts';
import { type GuestFunction, readFunction, readOne, type TextSource } from './guest-function.ts';
import { inlineCalls } from './inline-calls.ts';
import type { Exit } from './ir.ts';
import { type LiftedFunction, liftFunction, type Profile, type Tier } from './lift-function.ts';
import { emitForListing, type TranslatedText } from './listing.ts';
import { ProfileArea } from './profile.ts';

/** A WebAssembly module of some functions; V8 keeps it as long as one of them can be called. */
interface CompiledModule {
  readonly bytes: number;
  readonly tier: Tier;
  readonly units: Set<Unit>;
}

/** A translated function: its place in the tables and the text it was made from. */
interface Unit {
  readonly addr: number;
  readonly slot: number;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** The numbers of its exits. */
  readonly sites: readonly number[];
  readonly module: CompiledModule;
  /** Whether the bounds of the function around it are known. */
  readonly bounded: boolean;
  /** Whether it can be called by a slot known only at run time. */
  published: boolean;
}

export interface CodeCacheOptions {
  readonly memory: WebAssembly.Memory;
  readonly text: TextSource;
  readonly checked: boolean;
  readonly exact: boolean;
  /** Whether most instructions will be stepped: then a function's are made together. */
  readonly stepped: boolean;
  /** Runs of a function until it is translated again. */
  readonly hotAfter: number;
  /** Bytes of WebAssembly to keep: beyond that, the oldest quick translations are dropped. */
  readonly codeBytes: number;
  nativeAt(addr: number): number;
}

/** Functions translated together with the one that is needed, and how many guest bytes they may have. */
const BATCH_FUNCTIONS = 3;
const BATCH_BYTES = 1000;

/** Site 1 is the exit of a native that was reached through the table. */
export const NATIVE_SITE = 1;
/** Site 2 is a way to the dispatcher, for the host to send frames there. */
export const CONTINUE_SITE = 2;

/** Translations of guest text: made on demand, found by address, dropped when the text changes. */
export class CodeCache {
  readonly #options: CodeCacheOptions;
  readonly #tables: CodeTables;
  readonly #targets: BigInt64Array;
  readonly #targetSlots: Int32Array;
  /** Slot by address: with or without code. */
  readonly #slots = new Map<number, number>();
  readonly #addrOfSlot: number[] = [];
  readonly #units = new Map<number, Unit>();
  /**
   * What the dispatcher goes on in, where the bounds of functions are not known. There calls and indirect jumps lead to units that
   * look at the fuel, and everything else (a return, what follows a stepped instruction) to these, which do not: where code can
   * be stopped is a matter of the guest's instructions alone.
   */
  readonly #continuations = new Map<number, Unit>();
  readonly #nativeSlots = new Map<number, number>();
  readonly #steps = new Map<number, Unit>();
  readonly #byPage = new Map<number, Set<Unit>>();
  readonly #profile: ProfileArea;
  /** Addresses whose code is to be of the hot tier. */
  readonly #hot = new Set<number>();
  /** Exits of dropped translations that frames on the host's stack may still leave by. */
  readonly #dropped: (readonly number[])[] = [];
  /** Exits by number, and the numbers to use again. */
  readonly #sites: (Exit | undefined)[] = [undefined, undefined, undefined];
  readonly #freeSites: number[] = [];
  /** Modules with code that can be called, the oldest first. */
  readonly #modules = new Set<CompiledModule>();
  /** Calls the function in a slot: (slot, depth, fuel). */
  readonly run: (slot: number, depth: number, fuel: number) => void;
  /** Changes whenever translations are dropped. */
  generation = 0;
  /** Guest instructions and functions translated, modules and bytes made, bytes kept, numbers of exits in use or free; for measuring. */
  readonly counts = { instructions: 0, functions: 0, modules: 0, bytes: 0, hot: 0, keptBytes: 0, exits: 0 };

  constructor(options: CodeCacheOptions, host: HostFunctions) {
    this.#options = options;
    this.#tables = new CodeTables(options.memory, host);
    this.run = this.#tables.run;
    const buffer = options.memory.buffer;
    this.#targets = new BigInt64Array(buffer, TARGET_CACHE, TARGET_CACHE_ENTRIES * 2);
    this.#targetSlots = new Int32Array(buffer, TARGET_CACHE, TARGET_CACHE_ENTRIES * 4);
    this.#profile = new ProfileArea(buffer, options.hotAfter);
    this.#flushTargets();
  }

  /** The slot that only leaves to the dispatcher. */
  get leaveSlot(): number {
    return LEAVE_SLOT;
  }

  /** The exit with this number. */
  exitOf(site: number): Exit | undefined {
    return this.#sites[site];
  }

  /** The slot with the code at the address, translated now if need be; -1 when nothing can be fetched there. */
  slotOf(addr: number): number {
    const unit = this.#units.get(addr);
    if (unit !== undefined) return this.#published(unit);
    const native = this.#options.nativeAt(addr);
    if (native >= 0) return this.#nativeSlot(addr);
    if (!this.#options.text.fetchable(addr)) return -1;
    this.#translate(addr);
    return this.#published(this.#units.get(addr)!);
  }

  /** As `slotOf`, for going on at the address otherwise than by a call or an indirect jump. */
  continueSlot(addr: number): number {
    const function_ = this.#units.get(addr);
    const unit = function_?.bounded === true ? function_ : this.#continuations.get(addr);
    if (unit !== undefined) return this.#published(unit);
    if (this.#isBounded(addr) || !this.#options.text.fetchable(addr)) return this.slotOf(addr);
    this.#translateContinuation(addr);
    return this.#published(this.#continuations.get(addr)!);
  }

  #published(unit: Unit): number {
    if (!unit.published) {
      this.#tables.publish(unit.slot);
      unit.published = true;
    }
    return unit.slot;
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
      const batch = this.#batch();
      for (const at of this.#stepsWith(addr)) {
        const fn = readOne(this.#options.text, at);
        const lifted = liftFunction(fn, {
          mode: 'hosted',
          tier: 'quick',
          exact: false,
          isFunctionStart: false,
          isBounded: () => true,
          group: false,
          marks: false,
          profile: undefined,
          nativeAt: () => -1,
        });
        batch.add(fn, lifted, 'quick', this.#newSlot(at));
      }
      for (const made of this.#compile(batch, 'quick')) this.#steps.set(made.addr, made);
      unit = this.#steps.get(addr)!;
    }
    return this.#published(unit);
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
    const units = [...this.#units.values(), ...this.#continuations.values(), ...this.#steps.values()];
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
    const of = [this.#units, this.#continuations, this.#steps].find((map) => map.get(unit.addr) === unit);
    if (of === undefined) return;
    of.delete(unit.addr);
    for (const set of this.#pagesOf(unit)) set.delete(unit);
    this.#dropped.push(unit.sites);
    this.#tables.setStub(unit.slot);
    // Slots of steps and continuations are known to the host alone.
    if (of !== this.#units) this.#tables.release(unit.slot);
    const { module } = unit;
    module.units.delete(unit);
    if (module.units.size === 0 && this.#modules.delete(module)) this.counts.keptBytes -= module.bytes;
  }

  /**
   * Drops the oldest quick code, down to three quarters of what may be kept. The text has not changed: frames on the host's stack go
   * on in what is dropped.
   */
  #evict(made: CompiledModule): void {
    const { codeBytes } = this.#options;
    if (this.counts.keptBytes <= codeBytes) return;
    for (const module of this.#modules) {
      if (this.counts.keptBytes <= codeBytes * 0.75) break;
      if (module === made || module.tier === 'hot') continue;
      for (const unit of module.units) this.#drop(unit);
    }
  }

  #site(exit: Exit): number {
    const site = this.#freeSites.pop() ?? this.#sites.length;
    this.#sites[site] = exit;
    return site;
  }

  /** Forgets the exits of dropped translations; called when no translated code is on the host's stack. */
  forgetDropped(): void {
    for (const sites of this.#dropped) {
      for (const site of sites) {
        this.#sites[site] = undefined;
        this.#freeSites.push(site);
      }
    }
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
      for (const units of [this.#units, this.#continuations]) {
        const unit = units.get(addr);
        if (unit !== undefined) this.#drop(unit);
      }
    }
  }

  /** Reads and lifts the function at an address as it would be translated; for listings. */
  lift(addr: number, tier: Tier): TranslatedText {
    const fn = tier === 'hot' ? this.#readHot(addr) : readFunction(this.#options.text, addr);
    return emitForListing(fn, this.#lift(fn, this.#isFunctionStart(addr), tier, undefined, true));
  }

  #lift(
    fn: GuestFunction,
    isFunctionStart: boolean,
    tier: Tier = 'quick',
    profile?: Profile,
    marks = false,
  ): LiftedFunction {
    return liftFunction(fn, {
      mode: this.#options.checked ? 'checked' : 'plain',
      tier,
      exact: this.#options.exact,
      isFunctionStart,
      isBounded: (addr) => this.#isBounded(addr),
      group: true,
      marks,
      profile,
      nativeAt: (addr) => this.#options.nativeAt(addr),
    });
  }

  #isBounded(addr: number): boolean {
    return this.#options.text.functionAt(addr) !== undefined;
  }

  /** Whether fuel is looked at where a call or an indirect jump leads. */
  #isFunctionStart(addr: number): boolean {
    const bounds = this.#options.text.functionAt(addr);
    return bounds === undefined || bounds.start === addr;
  }

  #batch(): Batch {
    return new Batch({
      tables: this.#tables,
      site: (exit) => this.#site(exit),
      slotFor: (addr) => this.#slotFor(addr),
    });
  }

  #addQuick(batch: Batch, addr: number): GuestFunction {
    const fn = readFunction(this.#options.text, addr);
    const lifted = this.#lift(fn, this.#isFunctionStart(addr), 'quick', this.#profile.of(addr));
    batch.add(fn, lifted, 'quick', this.#slotFor(addr));
    return fn;
  }

  /** The function with its callees in place. */
  #readHot(addr: number): GuestFunction {
    return inlineCalls(readFunction(this.#options.text, addr), {
      read: (callee) =>
        this.#options.nativeAt(callee) < 0 &&
        this.#options.text.fetchable(callee) &&
        this.#isFunctionStart(callee)
          ? readFunction(this.#options.text, callee)
          : undefined,
      targetsOf: (callSite) => this.#profile.slotsOf(callSite).map((slot) => this.#addrOfSlot[slot]!),
    });
  }

  /** Translates functions in one module. */
  translateAll(addrs: readonly number[]): void {
    const batch = this.#batch();
    for (const addr of new Set(addrs)) {
      if (!this.#units.has(addr) && this.#options.text.fetchable(addr)) this.#addQuick(batch, addr);
    }
    for (const unit of this.#compile(batch, 'quick')) this.#units.set(unit.addr, unit);
  }

  #translate(addr: number): void {
    const tier = this.#hot.has(addr) ? 'hot' : 'quick';
    if (tier === 'hot') this.counts.hot++;
    const batch = this.#batch();
    if (tier === 'hot') {
      const fn = this.#readHot(addr);
      batch.add(fn, this.#lift(fn, this.#isFunctionStart(addr), 'hot'), 'hot', this.#slotFor(addr));
    } else this.#fill(batch, addr);
    for (const unit of this.#compile(batch, tier)) this.#units.set(unit.addr, unit);
  }

  #translateContinuation(addr: number): void {
    const tier = this.#hot.has(addr) ? 'hot' : 'quick';
    if (tier === 'hot') this.counts.hot++;
    const batch = this.#batch();
    const fn = tier === 'hot' ? this.#readHot(addr) : readFunction(this.#options.text, addr);
    const profile = tier === 'hot' ? undefined : this.#profile.of(addr);
    batch.add(fn, this.#lift(fn, false, tier, profile), tier, this.#newSlot(addr));
    for (const unit of this.#compile(batch, tier)) this.#continuations.set(unit.addr, unit);
  }

  /** A function and some that it calls: a WebAssembly module for each would be slow. */
  #fill(batch: Batch, addr: number): void {
    const queue = [addr];
    let bytes = 0;
    for (let i = 0; i < queue.length && i < BATCH_FUNCTIONS; i++) {
      if (i > 0 && bytes > BATCH_BYTES) break;
      const fn = this.#addQuick(batch, queue[i]!);
      for (const [start, end] of fn.ranges) bytes += end - start;
      for (const block of fn.blocks) {
        const t = block.terminator;
        if ((t.kind !== 'call' && t.kind !== 'tail') || t.target.kind !== 'direct') continue;
        const to = t.target.addr;
        if (queue.includes(to) || this.#units.has(to) || this.#hot.has(to)) continue;
        if (this.#options.nativeAt(to) < 0 && this.#options.text.fetchable(to)) queue.push(to);
      }
    }
  }

  #compile(batch: Batch, tier: Tier): Unit[] {
    const { functions } = batch;
    if (functions.length === 0) return [];
    const bytes = batch.instantiate();
    this.counts.modules++;
    this.counts.functions += functions.length;
    this.counts.bytes += bytes;
    const module: CompiledModule = { bytes, tier, units: new Set() };
    this.#modules.add(module);
    this.counts.keptBytes += bytes;
    this.counts.exits = this.#sites.length;
    for (const { addr, slot, ranges, sites, instructionCount } of functions) {
      this.counts.instructions += instructionCount;
      const bounded = this.#isBounded(addr);
      const unit: Unit = { addr, slot, ranges, sites, module, bounded, published: false };
      module.units.add(unit);
      for (const set of this.#pagesOf(unit)) set.add(unit);
    }
    const units = [...module.units];
    this.#evict(module);
    return units;
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
    const slot = this.#tables.take();
    this.#addrOfSlot[slot] = addr;
    return slot;
  }

  #slotFor(addr: number): number {
    let slot = this.#slots.get(addr);
    if (slot === undefined) {
      slot = this.#newSlot(addr);
      this.#slots.set(addr, slot);
    }
    return slot;
  }

  #nativeSlot(addr: number): number {
    let slot = this.#nativeSlots.get(addr);
    if (slot === undefined) {
      slot = this.#newSlot(addr);
      this.#nativeSlots.set(addr, slot);
      this.#tables.setNative(slot);
    }
    return slot;
  }

  /** Empties the cache of branch targets: every entry gets an address that belongs elsewhere. */
  #flushTargets(): void {
    this.#targets.fill(0n);
    this.#targets[0] = 0x10n;
  }
}
