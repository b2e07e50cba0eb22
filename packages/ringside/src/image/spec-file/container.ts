import { ByteReader, FormatError } from '../../bytes/index.ts';
import { crc32 } from './crc32.ts';

/**
 * The container of a spec file: a head, a table of sections, the sections as zlib streams. A section is inflated when
 * it is asked for, and checked by the stream's own checksum, natively; so opening costs the head alone.
 *
 *     0   8  "RINGSPEC"
 *     8   4  version
 *     12  4  number of sections
 *     16  16 each: 4 letters, offset, stored bytes, inflated bytes
 *     ..  4  CRC-32 of all before it
 *
 * All numbers are little-endian, 32 bits.
 */
export const SPEC_MAGIC = 'RINGSPEC';
export const SPEC_VERSION = 1;
const HEAD_BYTES = 16;
const ENTRY_BYTES = 16;
const MAX_SECTIONS = 64;
/** No section is larger: a damaged size must not make the host allocate without end. */
const MAX_SECTION_BYTES = 256 * 1024 * 1024;

/** Inflates a zlib stream (RFC 1950) to exactly `size` bytes; throws anything on a damaged one. */
export type Inflate = (stored: Uint8Array, size: number) => Uint8Array;
/** Deflates to a zlib stream. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

export interface SpecSection {
  readonly tag: string;
  readonly offset: number;
  readonly storedBytes: number;
  readonly inflatedBytes: number;
}

export class SpecContainer {
  readonly sections: readonly SpecSection[];
  readonly #reader: ByteReader;
  readonly #inflate: Inflate;

  /** Throws `FormatError` when the head is damaged or of another version. */
  constructor(bytes: Uint8Array, inflate: Inflate) {
    this.#reader = new ByteReader(bytes, 'spec file');
    this.#inflate = inflate;
    this.sections = readHead(this.#reader);
  }

  has(tag: string): boolean {
    return this.sections.some((section) => section.tag === tag);
  }

  /** A section's content. Throws `FormatError` when it is missing or damaged. */
  read(tag: string): Uint8Array {
    const section = this.sections.find((each) => each.tag === tag);
    if (section === undefined) throw new FormatError(`spec file has no section ${tag}`);
    const stored = this.#reader.slice(section.offset, section.storedBytes);
    let content: Uint8Array;
    try {
      content = this.#inflate(stored, section.inflatedBytes);
    } catch (error) {
      throw new FormatError('spec file is damaged: it does not inflate', { section: tag }, { cause: error });
    }
    if (content.length !== section.inflatedBytes) {
      throw new FormatError(`${content.length} bytes instead of ${section.inflatedBytes}`, { section: tag });
    }
    return content;
  }
}

/** Whether a file begins as a spec file does. */
export function isSpecFile(bytes: Uint8Array): boolean {
  for (let i = 0; i < SPEC_MAGIC.length; i++) if (bytes[i] !== SPEC_MAGIC.charCodeAt(i)) return false;
  return true;
}

function readHead(reader: ByteReader): SpecSection[] {
  if (!isSpecFile(reader.bytes)) throw new FormatError('not a Ringside spec file');
  const version = reader.u32(8);
  if (version !== SPEC_VERSION) {
    throw new FormatError(`spec file of version ${version}, this Ringside reads version ${SPEC_VERSION}`);
  }
  const count = reader.u32(12);
  if (count > MAX_SECTIONS) throw new FormatError(`spec file with ${count} sections`, { offset: 12 });
  const end = HEAD_BYTES + count * ENTRY_BYTES;
  if (crc32(reader.slice(0, end)) !== reader.u32(end)) {
    throw new FormatError('spec file is damaged: the checksum of its head does not match');
  }
  return Array.from({ length: count }, (_, index) => {
    const at = HEAD_BYTES + index * ENTRY_BYTES;
    const section = {
      tag: String.fromCharCode(...reader.slice(at, 4)),
      offset: reader.u32(at + 4),
      storedBytes: reader.u32(at + 8),
      inflatedBytes: reader.u32(at + 12),
    };
    reader.check(section.offset, section.storedBytes);
    if (section.inflatedBytes > MAX_SECTION_BYTES) {
      throw new FormatError(`section of ${section.inflatedBytes} bytes`, { section: section.tag });
    }
    return section;
  });
}

/** Builds a container; sections keep their order. */
export function writeContainer(
  sections: readonly (readonly [tag: string, content: Uint8Array])[],
  deflate: Deflate,
): Uint8Array {
  const stored = sections.map(([, content]) => deflate(content));
  const headBytes = HEAD_BYTES + sections.length * ENTRY_BYTES + 4;
  const file = new Uint8Array(stored.reduce((sum, { length }) => sum + length, headBytes));
  const view = new DataView(file.buffer);
  const text = (at: number, letters: string): void => {
    for (let i = 0; i < letters.length; i++) file[at + i] = letters.charCodeAt(i);
  };
  text(0, SPEC_MAGIC);
  view.setUint32(8, SPEC_VERSION, true);
  view.setUint32(12, sections.length, true);
  let offset = headBytes;
  for (const [index, [tag, content]] of sections.entries()) {
    const bytes = stored[index]!;
    const at = HEAD_BYTES + index * ENTRY_BYTES;
    text(at, tag);
    for (const [field, value] of [offset, bytes.length, content.length].entries()) {
      view.setUint32(at + 4 + 4 * field, value, true);
    }
    file.set(bytes, offset);
    offset += bytes.length;
  }
  view.setUint32(headBytes - 4, crc32(file.subarray(0, headBytes - 4)), true);
  return file;
}
