import { type ElementSegment, type ModuleSpec, writeModule } from '../wasm/index.ts';
import { type CodeTables, partName, placeOf } from './code-tables.ts';
import { emitFunction } from './emit.ts';
import { FUNCTION_TYPE, TYPES } from './engine-layout.ts';
import type { GuestFunction } from './guest-function.ts';
import type { Exit } from './ir.ts';
import type { LiftedFunction, Tier } from './lift-function.ts';

/** A function of a batch, emitted. */
export interface BatchFunction {
  readonly addr: number;
  readonly slot: number;
  readonly ranges: GuestFunction['ranges'];
  readonly instructionCount: number;
  /** The numbers of its exits. */
  readonly sites: readonly number[];
  readonly body: Uint8Array;
}

export interface BatchOptions {
  readonly tables: CodeTables;
  /** Numbers an exit. */
  site(exit: Exit): number;
  /** The slot of the function at an address, for direct calls. */
  slotFor(addr: number): number;
}

/**
 * Functions that become one module. Each is emitted as soon as it is lifted: the trees of a whole batch would survive
 * garbage collections.
 */
export class Batch {
  readonly #options: BatchOptions;
  readonly #parts: number[] = [];
  readonly functions: BatchFunction[] = [];

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  add(fn: GuestFunction, lifted: LiftedFunction, tier: Tier, slot: number): void {
    const { tables: _, ...options } = this.#options;
    const sites: number[] = [];
    const body = emitFunction(lifted, {
      smallChecks: tier === 'quick',
      site: (exit) => {
        const site = options.site(exit);
        sites.push(site);
        return site;
      },
      callee: (addr) => {
        // What is quick may be made again, also while it runs: only hot code calls itself without a table.
        if (tier === 'hot' && addr === fn.entry && slot === options.slotFor(addr))
          return { kind: 'function', index: this.functions.length };
        const callee = options.slotFor(addr);
        const { part, element } = placeOf(callee);
        return { kind: 'slot', slot: callee, table: this.#tableOf(part), element };
      },
    });
    const { ranges, instructionCount } = fn;
    this.functions.push({ addr: fn.entry, slot, ranges, instructionCount, sites, body });
  }

  /** Index among the module's tables: the helpers come first. */
  #tableOf(part: number): number {
    let at = this.#parts.indexOf(part);
    if (at < 0) at = this.#parts.push(part) - 1;
    return 1 + at;
  }

  /** Makes the module and puts its functions into their slots; its size in bytes. */
  instantiate(): number {
    const elements = this.#elements();
    const spec: ModuleSpec = {
      types: TYPES,
      functionImports: [],
      tables: ['helpers', ...this.#parts.map(partName)],
      functions: this.functions.map(({ body }) => ({ type: FUNCTION_TYPE, body })),
      exports: false,
      elements,
    };
    const bytes = writeModule(spec);
    new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#options.tables.imports);
    return bytes.length;
  }

  /** One segment for each run of slots. */
  #elements(): ElementSegment[] {
    const bySlot = [...this.functions.keys()].sort(
      (a, b) => this.functions[a]!.slot - this.functions[b]!.slot,
    );
    const segments: (ElementSegment & { functions: number[] })[] = [];
    for (const index of bySlot) {
      const { part, element } = placeOf(this.functions[index]!.slot);
      const table = this.#tableOf(part);
      const last = segments.at(-1);
      if (last?.table === table && last.offset + last.functions.length === element)
        last.functions.push(index);
      else segments.push({ table, offset: element, functions: [index] });
    }
    return segments;
  }
}
