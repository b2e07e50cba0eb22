import { asAddr, type GuestAddr } from '../bytes/index.ts';
import type { KernelSymbol, SymbolAt, SymbolTable } from './kernel-spec.ts';
import { NameList } from './name-list.ts';

/** A symbol table, one array a property, in the order of ascending (unsigned) addresses. */
export interface SymbolColumns {
  /** Link addresses are within 2 GiB of the top (negative), per-CPU offsets positive and before them. */
  readonly addresses: Int32Array;
  /** nm's letters as character codes. */
  readonly types: Uint8Array;
  /** Names, each ended by a NUL, Latin-1. */
  readonly names: Uint8Array;
  /** Where every 16th name starts. */
  readonly blocks: Uint32Array;
  /** `_stext`, `_end`, `__init_begin`, `__init_end`, where known without a search; 0 for what is not there. */
  readonly bounds?: Int32Array;
}

const BOUNDS = ['_stext', '_end', '__init_begin', '__init_end'] as const;

export class ColumnSymbolTable implements SymbolTable {
  readonly columns: SymbolColumns;
  readonly #names: NameList;
  /** Index of the first symbol of the kernel half: those before are per-CPU offsets and absolute values. */
  readonly #firstKernel: number;
  #bounds: Int32Array | undefined;

  constructor(columns: SymbolColumns) {
    this.columns = columns;
    this.#names = new NameList(columns.names, columns.blocks);
    this.#bounds = columns.bounds;
    const first = columns.addresses.findIndex((address) => address < 0);
    this.#firstKernel = first < 0 ? columns.addresses.length : first;
  }

  get size(): number {
    return this.columns.addresses.length;
  }

  /**
   * The ranges kallsyms answers for (with `KALLSYMS_ALL`): the image, and its init part, which may lie outside.
   */
  get bounds(): Int32Array {
    this.#bounds ??= Int32Array.from(BOUNDS, (name) => this.lookup(name)?.address ?? 0);
    return this.#bounds;
  }

  byName(name: string): readonly KernelSymbol[] {
    return [...this.#names.find(name)].map((index) => this.#symbol(index));
  }

  lookup(name: string): KernelSymbol | undefined {
    for (const index of this.#names.find(name)) return this.#symbol(index);
    return undefined;
  }

  at(address: GuestAddr): SymbolAt | undefined {
    const [text, end, init, initEnd] = this.bounds;
    const inside = (address >= text! && address < end!) || (address >= init! && address < initEnd!);
    if (!inside) return undefined;
    const { addresses } = this.columns;
    let low = this.#firstKernel;
    let high = addresses.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (addresses[middle]! <= address) low = middle;
      else high = middle;
    }
    while (low > this.#firstKernel && addresses[low - 1] === addresses[low]) low--;
    const offset = address - (addresses[low] ?? 0);
    return offset < 0 ? undefined : { ...this.#symbol(low), offset };
  }

  *[Symbol.iterator](): Iterator<KernelSymbol> {
    for (let index = 0; index < this.size; index++) yield this.#symbol(index);
  }

  #symbol(index: number): KernelSymbol {
    const { addresses, types } = this.columns;
    const address = addresses[index]!;
    let next = index + 1;
    while (next < addresses.length && addresses[next] === address) next++;
    const end = next < addresses.length ? addresses[next]! : address;
    return {
      name: this.#names.at(index),
      type: String.fromCharCode(types[index]!),
      address: asAddr(address),
      // From the last per-CPU symbol to the first of the image is no size.
      size: address >= 0 && end < 0 ? 0 : end - address,
    };
  }
}
