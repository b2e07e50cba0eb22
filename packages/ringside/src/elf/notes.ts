import { ByteReader, FormatError } from '../bytes/index.ts';

/** One entry of a note section or segment. */
export interface ElfNote {
  /** The owner, e.g. `GNU` or `Linux`, without the terminating NUL. */
  readonly name: string;
  readonly type: number;
  /** The descriptor's bytes, a view. */
  readonly desc: Uint8Array;
}

/** `NT_GNU_BUILD_ID` of owner `GNU`. */
export const NT_GNU_BUILD_ID = 3;

const latin1 = new TextDecoder('latin1');
const padded = (size: number): number => Math.ceil(size / 4) * 4;

/** Decodes a note section: 4-byte aligned name and descriptor. Throws `FormatError` on a truncated entry. */
export function readNotes(data: Uint8Array, what: string): ElfNote[] {
  const reader = new ByteReader(data, what);
  const notes: ElfNote[] = [];
  for (let at = 0; at < reader.size; ) {
    const nameSize = reader.u32(at);
    const descSize = reader.u32(at + 4);
    const type = reader.u32(at + 8);
    const nameBytes = reader.slice(at + 12, nameSize);
    const descAt = at + 12 + padded(nameSize);
    const desc = reader.slice(descAt, descSize);
    if (nameSize > 0 && nameBytes[nameSize - 1] !== 0) {
      throw new FormatError('note name is not terminated', { section: what, offset: at + 12 });
    }
    notes.push({ name: latin1.decode(nameBytes.subarray(0, Math.max(0, nameSize - 1))), type, desc });
    at = descAt + padded(descSize);
  }
  return notes;
}
