import { asAddr, type GuestAddr } from '../bytes/index.ts';
import { ByteNames } from './byte-names.ts';
import type { KernelSymbol, SymbolAt, SymbolTable } from './kernel-spec.ts';

/** A symbol table, one array a property, in the order of ascending (unsigned) addresses. */
export interface SymbolColumns {
  readonly addresses: Float64Array;
  /** nm's letters as character codes. */
  readonly types: Uint8Array;
  /** Where each name starts in `names`, and where the last one ends. */
  readonly nameStarts: Uint32Array;
  /** All names, without separators, Latin-1. */
  readonly names: Uint8Array;
}

interface Bounds {
  readonly start: number;
  readonly end: number;
}

export class ColumnSymbolTable implements SymbolTable {
  readonly columns: SymbolColumns;
  readonly #names: ByteNames;
  /** Index of the first symbol of the kernel half: those before are per-CPU offsets and absolute values. */
  readonly #firstKernel: number;
  #image: readonly Bounds[] | undefined;

  constructor(columns: SymbolColumns) {
    this.columns = columns;
    this.#names = new ByteNames(columns.names, columns.nameStarts);
    const { addresses } = columns;
    let first = 0;
    while (first < addresses.length && addresses[first]! >= 0) first++;
    this.#firstKernel = first;
  }

  get size(): number {
    return this.columns.addresses.length;
  }

  byName(name: string): readonly KernelSymbol[] {
    return [...this.#names.find(name)].map((index) => this.#symbol(index));
  }

  lookup(name: string): KernelSymbol | undefined {
    for (const index of this.#names.find(name)) return this.#symbol(index);
    return undefined;
  }

  at(address: GuestAddr): SymbolAt | undefined {
    if (!this.#bounds().some(({ start, end }) => address >= start && address < end)) return undefined;
    const { addresses } = this.columns;
    let low = this.#firstKernel;
    let high = addresses.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (addresses[middle]! <= address) low = middle;
      else high = middle;
    }
    while (low > this.#firstKernel && addresses[low - 1] === addresses[low]) low--;
    const symbol = this.#symbol(low);
    const offset = address - symbol.address;
    return offset < 0 ? undefined : { ...symbol, offset };
  }

  *[Symbol.iterator](): Iterator<KernelSymbol> {
    for (let index = 0; index < this.size; index++) yield this.#symbol(index);
  }

  /** The ranges kallsyms answers for (with `KALLSYMS_ALL`): the image, and the init part that may lie outside. */
  #bounds(): readonly Bounds[] {
    if (this.#image === undefined) {
      const range = (from: string, to: string): Bounds => ({
        start: this.#addressOf(from) ?? 0,
        end: this.#addressOf(to) ?? 0,
      });
      this.#image = [range('_stext', '_end'), range('__init_begin', '__init_end')];
    }
    return this.#image;
  }

  #addressOf(name: string): number | undefined {
    for (const index of this.#names.find(name)) return this.columns.addresses[index];
    return undefined;
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
