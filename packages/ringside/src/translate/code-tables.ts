import { HELPERS } from './engine-layout.ts';
import { type HOST_HELPERS, KERNEL_EXPORT, kernelModule } from './kernel-module.ts';

/** Functions of the host that translated code calls. */
export type HostFunctions = Readonly<Record<(typeof HOST_HELPERS)[number], (...args: never[]) => unknown>>;

/** The slot that only leaves to the dispatcher. */
export const LEAVE_SLOT = 1;
const FIRST_SLOT = 2;

/**
 * Slots of a part. Every module copies the tables that it imports, and V8 keeps the copies up to date: an instance costs about 6 us a
 * table and 0.1 us a slot.
 */
const PART_SLOTS = 32;

/** Where a slot is for modules that call it directly. */
export interface SlotPlace {
  readonly part: number;
  readonly element: number;
}

export function placeOf(slot: number): SlotPlace {
  return { part: Math.floor(slot / PART_SLOTS), element: slot % PART_SLOTS };
}

export function partName(part: number): string {
  return `t${part}`;
}

/**
 * The tables that translated code is called through. Slots are cut into parts, each a table; modules import the parts
 * with the slots that they call or fill. The table of all slots is imported by the kernel module alone, for calls of slots known only
 * at run time; what is in a part comes there when it is first called that way (`publish`).
 */
export class CodeTables {
  readonly #all: WebAssembly.Table;
  readonly #parts: WebAssembly.Table[] = [];
  readonly #stub: WebAssembly.ExportValue;
  readonly #native: WebAssembly.ExportValue;
  #next = FIRST_SLOT;
  readonly #free: number[] = [];
  /** What modules are instantiated with. */
  readonly imports: { readonly e: WebAssembly.ModuleImports };
  /** Calls the function in a slot: (slot, depth, fuel). */
  readonly run: (slot: number, depth: number, fuel: number) => void;

  constructor(memory: WebAssembly.Memory, host: HostFunctions) {
    this.#all = new WebAssembly.Table({ element: 'anyfunc', initial: PART_SLOTS });
    const kernel = new WebAssembly.Instance(new WebAssembly.Module(kernelModule()), {
      e: { memory, all: this.#all, ...(host as WebAssembly.ModuleImports) },
    });
    const own = (index: number): WebAssembly.ExportValue => kernel.exports[String(index)]!;
    this.run = own(KERNEL_EXPORT.run) as CodeTables['run'];
    this.#stub = own(KERNEL_EXPORT.stub);
    this.#native = own(KERNEL_EXPORT.native);
    this.#all.set(LEAVE_SLOT, own(KERNEL_EXPORT.leave));
    const helpers = new WebAssembly.Table({ element: 'anyfunc', initial: HELPERS.length });
    for (let i = 0; i < HELPERS.length; i++) helpers.set(i, own(KERNEL_EXPORT.firstHelper + i));
    this.imports = { e: { memory, helpers } };
  }

  /** A slot with a stub. */
  take(): number {
    const slot = this.#free.pop() ?? this.#next++;
    const { part } = placeOf(slot);
    if (part === this.#parts.length) {
      const table = new WebAssembly.Table({ element: 'anyfunc', initial: PART_SLOTS }, this.#stub);
      this.#parts.push(table);
      this.imports.e[partName(part)] = table;
    }
    if (slot >= this.#all.length) this.#all.grow(this.#all.length);
    this.#all.set(slot, this.#stub);
    return slot;
  }

  /** Gives back a slot that no code calls. */
  release(slot: number): void {
    this.#free.push(slot);
  }

  setNative(slot: number): void {
    this.#all.set(slot, this.#native);
  }

  /** Makes the code that a module has put into a slot reachable for calls of slots known only at run time. */
  publish(slot: number): void {
    const { part, element } = placeOf(slot);
    this.#all.set(slot, this.#parts[part]!.get(element));
  }

  setStub(slot: number): void {
    const { part, element } = placeOf(slot);
    this.#parts[part]!.set(element, this.#stub);
    this.#all.set(slot, this.#stub);
  }
}
