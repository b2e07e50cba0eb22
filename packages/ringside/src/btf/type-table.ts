import { ByteReader, FormatError } from '../bytes/index.ts';
import { decodeRecord } from './decode.ts';
import type { BtfType, BtfTypeId } from './kinds.ts';
import { NameIndex } from './name-index.ts';
import { HEAD_BYTES, tailBytes } from './raw-kinds.ts';

const BTF_MAGIC = 0xeb9f;
const BTF_VERSION = 1;

/** Where names come from: a split BTF's names may be in its base's table. */
export interface BtfStrings {
  /** Bytes from the start of the base's strings, then this table's own. */
  readonly size: number;
  name(offset: number): string;
  /** The bytes of the name without its NUL, as a range of `bytes`. */
  locate(offset: number): { readonly bytes: Uint8Array; readonly start: number };
}

export class StringTable implements BtfStrings {
  readonly bytes: Uint8Array;
  readonly #base: BtfStrings | undefined;
  #text: string | undefined;

  constructor(bytes: Uint8Array, base?: BtfStrings) {
    this.bytes = bytes;
    this.#base = base;
  }

  get size(): number {
    return (this.#base?.size ?? 0) + this.bytes.length;
  }

  name(offset: number): string {
    if (offset === 0) return '';
    const base = this.#base?.size ?? 0;
    if (offset < base) return this.#base!.name(offset);
    // All names decoded at once, then cut: far cheaper than a decoder call for each.
    this.#text ??= decodeNames(this.bytes);
    const start = offset - base;
    const end = this.#text.indexOf('\0', start);
    if (start >= this.#text.length || end < 0) throw badName(start);
    return this.#text.slice(start, end);
  }

  locate(offset: number): { readonly bytes: Uint8Array; readonly start: number } {
    const base = this.#base?.size ?? 0;
    if (offset < base) return this.#base!.locate(offset);
    if (offset - base >= this.bytes.length) throw badName(offset - base);
    return { bytes: this.bytes, start: offset - base };
  }
}

const utf8 = new TextDecoder();
const latin1 = new TextDecoder('latin1');

function decodeNames(bytes: Uint8Array): string {
  // UTF-8 is the decoder with the fast path; names are ASCII, or else offsets must still count bytes.
  const text = utf8.decode(bytes);
  return text.length === bytes.length ? text : latin1.decode(bytes);
}

function badName(offset: number): FormatError {
  return new FormatError('name lies outside the strings', { section: 'BTF strings', offset });
}

/**
 * A run of BTF records with their ids: the whole of a `.BTF` section (dense ids from `firstId`), or a chosen few
 * of its records with their ids kept (sparse). Only record boundaries are known at first.
 */
export class TypeTable {
  readonly records: ByteReader;
  readonly strings: BtfStrings;
  /** Ids below it are another table's (the base's, or `void`). */
  readonly firstId: number;
  /** One past the largest id. */
  readonly endId: number;
  readonly #ids: Uint32Array | undefined;
  readonly #offsets: Uint32Array;
  #index: NameIndex | undefined;

  constructor(
    records: ByteReader,
    strings: BtfStrings,
    ids: { readonly firstId: number; readonly count?: number; readonly sparse?: Uint32Array },
  ) {
    this.records = records;
    this.strings = strings;
    this.firstId = ids.firstId;
    this.#ids = ids.sparse;
    this.#offsets = findRecords(records);
    const count = this.#offsets.length;
    if (ids.sparse !== undefined && ids.sparse.length !== count) {
      throw new FormatError(`${ids.sparse.length} ids for ${count} types`, { section: records.what });
    }
    this.endId = ids.sparse === undefined ? ids.firstId + count : (ids.sparse[count - 1] ?? 0) + 1;
  }

  /** Number of records. */
  get count(): number {
    return this.#offsets.length;
  }

  get index(): NameIndex {
    this.#index ??= new NameIndex(this);
    return this.#index;
  }

  idAt(slot: number): BtfTypeId {
    return this.#ids === undefined ? this.firstId + slot : (this.#ids[slot] ?? 0);
  }

  offsetAt(slot: number): number {
    return this.#offsets[slot] ?? 0;
  }

  /** Position of an id's record in this table, -1 when it is not here. */
  slotOf(id: BtfTypeId): number {
    if (this.#ids === undefined) {
      return id >= this.firstId && id < this.endId ? id - this.firstId : -1;
    }
    let low = 0;
    let high = this.#ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#ids[middle]!;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  kindAt(slot: number): number {
    return (this.records.u32(this.offsetAt(slot) + 4) >>> 24) & 0x1f;
  }

  decode(slot: number): BtfType {
    return decodeRecord(this.records, this.offsetAt(slot), this.strings, this.idAt(slot));
  }
}

function findRecords(records: ByteReader): Uint32Array {
  let offsets = new Uint32Array(Math.max(16, records.size >> 4));
  let count = 0;
  for (let offset = 0; offset < records.size; ) {
    const info = records.u32(offset + 4);
    const tail = tailBytes((info >>> 24) & 0x1f, info & 0xffff);
    if (tail === undefined) {
      throw new FormatError(`unknown BTF kind ${(info >>> 24) & 0x1f}`, { section: records.what, offset });
    }
    if (count === offsets.length) {
      const larger = new Uint32Array(offsets.length * 2);
      larger.set(offsets);
      offsets = larger;
    }
    offsets[count++] = offset;
    offset += HEAD_BYTES + tail;
    if (offset > records.size) {
      throw new FormatError('BTF record is cut off', { section: records.what, offset: offsets[count - 1]! });
    }
  }
  return offsets.subarray(0, count);
}

/** The two parts of a `.BTF` section behind its header. */
export function splitSection(section: Uint8Array): {
  readonly records: Uint8Array;
  readonly strings: Uint8Array;
} {
  const reader = new ByteReader(section, '.BTF');
  const magic = reader.u16(0);
  if (magic !== BTF_MAGIC) {
    throw new FormatError(`BTF magic is 0x${magic.toString(16)}, not 0xeb9f`, { section: '.BTF', offset: 0 });
  }
  const version = reader.u8(2);
  if (version !== BTF_VERSION) {
    throw new FormatError(`BTF version ${version} is unknown`, { section: '.BTF', offset: 2 });
  }
  const header = reader.u32(4);
  if (header < 24) throw new FormatError(`BTF header of ${header} bytes`, { section: '.BTF', offset: 4 });
  const strings = reader.slice(header + reader.u32(16), reader.u32(20));
  if (strings.length > 0 && strings[strings.length - 1] !== 0) {
    throw new FormatError('BTF strings do not end with NUL', { section: '.BTF' });
  }
  return { records: reader.slice(header + reader.u32(8), reader.u32(12)), strings };
}
