import { KINDS } from './raw-kinds.ts';
import type { TypeTable } from './type-table.ts';

/** Up to this many types, a map of strings is built sooner than the flat hash table. */
const SMALL = 4096;

/**
 * Finds types by name. A large table's names are not turned into strings: it has a hash table over their bytes, in
 * two flat arrays (first slot of each bucket, next slot in the same bucket).
 */
export class NameIndex {
  readonly #table: TypeTable;
  readonly #small = new Map<string, number[]>();
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #enumerators: Map<string, number> | undefined;

  constructor(table: TypeTable) {
    this.#table = table;
    const { count } = table;
    const small = count <= SMALL;
    this.#heads = new Int32Array(small ? 0 : 1 << (32 - Math.clz32(count))).fill(-1);
    this.#next = new Int32Array(small ? 0 : count);
    if (small) this.#buildMap();
    else this.#buildHash();
  }

  #buildMap(): void {
    const { records, strings, count } = this.#table;
    for (let slot = 0; slot < count; slot++) {
      const offset = records.u32(this.#table.offsetAt(slot));
      if (offset === 0) continue;
      const name = strings.name(offset);
      const slots = this.#small.get(name);
      if (slots === undefined) this.#small.set(name, [slot]);
      else slots.push(slot);
    }
  }

  #buildHash(): void {
    const { records, strings, count } = this.#table;
    const mask = this.#heads.length - 1;
    // From the last to the first, so that a bucket's chain runs through ascending ids.
    for (let slot = count - 1; slot >= 0; slot--) {
      const offset = records.u32(this.#table.offsetAt(slot));
      if (offset === 0) continue;
      const { bytes, start } = strings.locate(offset);
      const bucket = hashBytes(bytes, start) & mask;
      this.#next[slot] = this.#heads[bucket]!;
      this.#heads[bucket] = slot;
    }
  }

  /** Slots of the types of a kind (number) with this name, ascending. */
  *slots(kind: number, name: string): Generator<number> {
    if (this.#heads.length === 0) {
      for (const slot of this.#small.get(name) ?? []) if (this.#table.kindAt(slot) === kind) yield slot;
      return;
    }
    const wanted = latin1Bytes(name);
    if (wanted === undefined) return;
    let slot = this.#heads[hashBytes(wanted, 0) & (this.#heads.length - 1)]!;
    for (; slot >= 0; slot = this.#next[slot]!) {
      if (this.#table.kindAt(slot) !== kind) continue;
      const { bytes, start } = this.#table.strings.locate(
        this.#table.records.u32(this.#table.offsetAt(slot)),
      );
      if (sameName(bytes, start, wanted)) yield slot;
    }
  }

  /** Value of an enumerator of any enum in this table; the first one when several enums have it. */
  enumerator(name: string): number | undefined {
    if (this.#enumerators === undefined) {
      this.#enumerators = new Map();
      for (let slot = 0; slot < this.#table.count; slot++) {
        const kind = KINDS[this.#table.kindAt(slot)];
        if (kind !== 'enum' && kind !== 'enum64') continue;
        const type = this.#table.decode(slot);
        if (type.kind !== 'enum' && type.kind !== 'enum64') continue;
        for (const { name: each, value } of type.values) {
          if (!this.#enumerators.has(each)) this.#enumerators.set(each, value);
        }
      }
    }
    return this.#enumerators.get(name);
  }
}

/** FNV-1a over the bytes up to a NUL or the end. */
function hashBytes(bytes: Uint8Array, start: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

function latin1Bytes(name: string): Uint8Array | undefined {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit === 0 || unit > 0xff) return undefined;
    bytes[i] = unit;
  }
  return bytes;
}

function sameName(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return (bytes[start + wanted.length] ?? 0) === 0;
}
