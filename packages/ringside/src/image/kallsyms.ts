import {
  addrFromU64,
  addrToU64,
  asAddr,
  type ByteReader,
  FormatError,
  type GuestAddr,
} from '../bytes/index.ts';
import { blocksOf } from './name-list.ts';
import type { SymbolColumns } from './symbol-table.ts';

/**
 * Recovers the kernel's symbol table from its compressed tables. A stripped image does not say where they are, so
 * they are found by their structure, and believed only when all of them agree: 256 tokens and their index, markers
 * that are the offsets of every 256th name, as many names as `kallsyms_num_syms` says, ascending addresses.
 *
 * Source: scripts/kallsyms.c (what is written, in which order), kernel/kallsyms.c (how it is read).
 */

const TOKENS = 256;
const NAMES_PER_MARKER = 256;
/** Fewer symbols than this is no kernel; it keeps chance matches out. */
const MIN_MARKERS = 8;
/** Longest possible stretch of names after the last marker. */
const MAX_TAIL_BYTES = NAMES_PER_MARKER * 512;

interface Tokens {
  /** Offset of the first token's text. */
  readonly table: number;
  /** Offset of the 256 16-bit offsets. */
  readonly index: number;
}

interface Names {
  readonly start: number;
  readonly count: number;
}

/** Finds and expands the tables in a section (`.rodata`). Throws `FormatError` when they are not there. */
export function readKallsyms(rodata: ByteReader): SymbolColumns {
  for (const tokens of findTokens(rodata)) {
    for (const names of findNames(rodata, tokens)) {
      const addresses = findAddresses(rodata, tokens, names);
      if (addresses !== undefined) return expandNames(rodata, tokens, names, addresses);
    }
  }
  throw new FormatError(
    'no kallsyms tables found: the kernel is built without KALLSYMS, or in an unknown way',
    {
      section: rodata.what,
    },
  );
}

function* findTokens(rodata: ByteReader): Generator<Tokens> {
  const { bytes } = rodata;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const indexBytes = TOKENS * 2;
  next: for (let index = 8; index + indexBytes <= bytes.length; index += 4) {
    if (view.getUint16(index, true) !== 0) continue;
    let last = 0;
    for (let i = 1; i < TOKENS; i++) {
      const offset = view.getUint16(index + 2 * i, true);
      if (offset < last + 2 || offset > last + 128) continue next;
      last = offset;
    }
    // The table of tokens stands before its index, with up to 7 bytes of padding between.
    for (let pad = 0; pad < 8; pad++) {
      for (let length = 2; length < 128; length++) {
        const table = index - pad - last - length;
        if (table >= 0 && tokensMatch(bytes, view, table, index, table + last + length))
          yield { table, index };
      }
    }
  }
}

function tokensMatch(bytes: Uint8Array, view: DataView, table: number, index: number, end: number): boolean {
  if (bytes[end - 1] !== 0 || table % 4 !== 0) return false;
  for (let i = 0; i < TOKENS; i++) {
    const start = table + view.getUint16(index + 2 * i, true);
    const stop = i + 1 < TOKENS ? table + view.getUint16(index + 2 * i + 2, true) : end;
    if (bytes[stop - 1] !== 0 || bytes.indexOf(0, start) !== stop - 1) return false;
  }
  return true;
}

/**
 * The names lie before the tokens, then the markers (one 32-bit offset for every 256 names), then, since 6.2 and
 * its backports, three bytes a symbol that order the symbols by name.
 */
function* findNames(rodata: ByteReader, tokens: Tokens): Generator<Names> {
  const { bytes } = rodata;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let markers = (tokens.table & ~3) - 4 * MIN_MARKERS; markers >= 8; markers -= 4) {
    if (view.getUint32(markers, true) !== 0) continue;
    let run = 1;
    let last = 0;
    for (; markers + 4 * run < tokens.table; run++) {
      const offset = view.getUint32(markers + 4 * run, true);
      if (offset <= last || offset > last + MAX_TAIL_BYTES) break;
      last = offset;
    }
    if (run < MIN_MARKERS) continue;
    const count = (start: number): number => view.getUint32(start - 8, true);
    const farthest = Math.max(8, markers - last - MAX_TAIL_BYTES);
    for (let start = (markers & ~3) - 4; start >= farthest; start -= 4) {
      const chunks = Math.ceil(count(start) / NAMES_PER_MARKER);
      if (chunks < MIN_MARKERS || chunks > run) continue;
      const end = walkNames(bytes, view, start, markers, count(start));
      if (end !== undefined && markers - end < 8) {
        yield { start, count: count(start) };
        return;
      }
    }
  }
}

/** Walks all names, checking each marker on the way; the offset after the last, or `undefined` if they disagree. */
function walkNames(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  markers: number,
  count: number,
): number | undefined {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (i % NAMES_PER_MARKER === 0) {
      const marker = view.getUint32(markers + 4 * (i / NAMES_PER_MARKER), true);
      if (at !== start + marker) return undefined;
    }
    const head = nameHead(bytes, at);
    if (head.length === 0) return undefined;
    at = head.start + head.length;
    if (at > markers) return undefined;
  }
  return at;
}

/** A name is its number of token bytes (7 bits, or 14 in two bytes), then one byte a token. */
function nameHead(bytes: Uint8Array, at: number): { start: number; length: number } {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) return { start: at + 1, length: first };
  return { start: at + 2, length: (first & 0x7f) | ((bytes[at + 1] ?? 0) << 7) };
}

/**
 * Addresses are 32-bit offsets from a base, or relative to it when negative (per-CPU symbols stay absolute). They
 * stand before the names, or behind the tokens since 6.4.
 */
function findAddresses(rodata: ByteReader, tokens: Tokens, names: Names): Int32Array | undefined {
  const bytesOfOffsets = 4 * names.count;
  const candidates: { base: number; offsets: number }[] = [];
  for (let base = names.start - 16; base >= names.start - 24; base -= 4) {
    const offsets = base - bytesOfOffsets;
    for (let pad = 0; pad < 8; pad += 4) candidates.push({ base, offsets: offsets - pad });
  }
  const behind = (tokens.index + 2 * TOKENS + 7) & ~7;
  for (let pad = 0; pad < 8; pad += 4)
    candidates.push({ base: behind + bytesOfOffsets + pad, offsets: behind });
  for (const { base, offsets } of candidates) {
    if (base < 0 || offsets < 0 || base + 8 > rodata.size) continue;
    const addresses = decodeAddresses(rodata, offsets, addrFromU64(rodata.u64(base)), names.count);
    if (addresses !== undefined) return addresses;
  }
  return undefined;
}

function decodeAddresses(
  rodata: ByteReader,
  offsets: number,
  base: GuestAddr,
  count: number,
): Int32Array | undefined {
  if (base >= 0 || base < -0x1_0000_0000 || base % 4096 !== 0) return undefined;
  const addresses = new Int32Array(count);
  let relative = false;
  for (let i = 0; i < count && !relative; i++) relative = rodata.i32(offsets + 4 * i) < 0;
  let last = 0n;
  for (let i = 0; i < count; i++) {
    const offset = rodata.i32(offsets + 4 * i);
    let address: number;
    if (!relative) address = base + (offset >>> 0);
    else address = offset >= 0 ? offset : base - 1 - offset;
    if (address !== (address | 0)) return undefined;
    addresses[i] = address;
    const pattern = addrToU64(asAddr(address));
    if (pattern < last) return undefined;
    last = pattern;
  }
  return addresses;
}

function expandNames(rodata: ByteReader, tokens: Tokens, names: Names, addresses: Int32Array): SymbolColumns {
  const { bytes } = rodata;
  const texts: Uint8Array[] = [];
  for (let i = 0; i < TOKENS; i++) {
    const start = tokens.table + rodata.u16(tokens.index + 2 * i);
    texts.push(bytes.subarray(start, bytes.indexOf(0, start)));
  }
  const types = new Uint8Array(names.count);
  const starts = new Uint32Array(names.count);
  let text = new Uint8Array(names.count * 24);
  let used = 0;
  let at = names.start;
  for (let i = 0; i < names.count; i++) {
    const head = nameHead(bytes, at);
    at = head.start + head.length;
    starts[i] = used;
    let typed = false;
    for (let k = head.start; k < at; k++) {
      let token = texts[bytes[k] ?? 0]!;
      if (!typed && token.length > 0) {
        types[i] = token[0]!;
        token = token.subarray(1);
        typed = true;
      }
      if (used + token.length >= text.length) {
        const larger = new Uint8Array(text.length * 2 + token.length);
        larger.set(text);
        text = larger;
      }
      text.set(token, used);
      used += token.length;
    }
    // The byte after a name is still 0: there is always room for one more.
    used++;
  }
  return { addresses, types, names: text.slice(0, used), blocks: blocksOf(starts, names.count) };
}
