import { asAddr } from '../bytes/index.ts';
import type { ExportTable, KernelExport } from './kernel-spec.ts';
import { NAMES_PER_BLOCK } from './name-list.ts';

/** Exports in the order of their names' bytes, one array a property. */
export interface ExportColumns {
  /** Names, each ended by a NUL, Latin-1. */
  readonly names: Uint8Array;
  /** Where every 16th name starts. */
  readonly blocks: Uint32Array;
  /** Link addresses are within 2 GiB of the top (negative), per-CPU offsets positive. */
  readonly addresses: Int32Array;
  /** Empty when the kernel has no `MODVERSIONS`. */
  readonly crcs: Uint32Array;
  /** Bit 0: for GPL modules only; the rest: 1 + index into `namespaces`, or 0. */
  readonly flags: Uint16Array;
  readonly namespaces: readonly string[];
}

const latin1 = new TextDecoder('latin1');

/**
 * Binary search over the names' bytes, then along a block: nothing is built beforehand, since a run asks for few of
 * the ten thousand exports.
 */
export class ColumnExportTable implements ExportTable {
  readonly columns: ExportColumns;

  constructor(columns: ExportColumns) {
    this.columns = columns;
  }

  get size(): number {
    return this.columns.addresses.length;
  }

  byName(name: string): KernelExport | undefined {
    const { blocks, names } = this.columns;
    let low = 0;
    let high = blocks.length;
    // The last block whose first name is not greater.
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#compare(blocks[middle]!, name) <= 0) low = middle;
      else high = middle;
    }
    let at = blocks[low] ?? 0;
    const first = low * NAMES_PER_BLOCK;
    const end = Math.min(first + NAMES_PER_BLOCK, this.size);
    for (let index = first; index < end; index++) {
      const order = this.#compare(at, name);
      if (order === 0) return this.#export(index, name);
      if (order > 0) return undefined;
      at = names.indexOf(0, at) + 1;
    }
    return undefined;
  }

  *[Symbol.iterator](): Iterator<KernelExport> {
    const { names } = this.columns;
    for (let index = 0, at = 0; index < this.size; index++) {
      const end = names.indexOf(0, at);
      yield this.#export(index, latin1.decode(names.subarray(at, end)));
      at = end + 1;
    }
  }

  #compare(start: number, name: string): number {
    const { names } = this.columns;
    for (let i = 0; i < name.length; i++) {
      const difference = (names[start + i] ?? 0) - name.charCodeAt(i);
      if (difference !== 0) return difference;
    }
    return names[start + name.length] === 0 ? 0 : 1;
  }

  #export(index: number, name: string): KernelExport {
    const { addresses, crcs, flags, namespaces } = this.columns;
    const flag = flags[index]!;
    return {
      name,
      address: asAddr(addresses[index]!),
      crc: crcs[index],
      gplOnly: (flag & 1) !== 0,
      namespace: flag >>> 1 === 0 ? undefined : namespaces[(flag >>> 1) - 1],
    };
  }
}

/** Sorts exports into columns. */
export function exportColumns(exports: readonly KernelExport[]): ExportColumns {
  const sorted = [...exports].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const namespaces = [...new Set(sorted.flatMap(({ namespace }) => namespace ?? []))].sort();
  const versioned = sorted.every(({ crc }) => crc !== undefined);
  const blocks: number[] = [];
  let text = '';
  for (const [index, { name }] of sorted.entries()) {
    if (index % NAMES_PER_BLOCK === 0) blocks.push(text.length);
    text += `${name}\0`;
  }
  return {
    names: Uint8Array.from(text, (char) => char.charCodeAt(0)),
    blocks: Uint32Array.from(blocks),
    addresses: Int32Array.from(sorted, ({ address }) => address),
    crcs: versioned ? Uint32Array.from(sorted, ({ crc }) => crc ?? 0) : new Uint32Array(0),
    flags: Uint16Array.from(sorted, ({ gplOnly, namespace }) => {
      const index = namespace === undefined ? 0 : namespaces.indexOf(namespace) + 1;
      return (index << 1) | (gplOnly ? 1 : 0);
    }),
    namespaces,
  };
}
