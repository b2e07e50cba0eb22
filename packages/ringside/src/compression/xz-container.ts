import { ByteReader, FormatError } from '../bytes/index.ts';
import { crc32 } from './crc32.ts';

/** One block of an xz stream. */
export interface XzBlock {
  /** The filters in decoding order of the encoder's chain, the last is LZMA2. */
  readonly filters: readonly XzFilter[];
  /** The LZMA2 data, a view without padding and check. */
  readonly data: Uint8Array;
  readonly uncompressedSize: number;
  /** The stored check of the unpacked bytes: 0, 4, 8 or 32 bytes. */
  readonly check: Uint8Array;
}

export interface XzFilter {
  readonly id: number;
  readonly properties: Uint8Array;
}

export interface XzStream {
  /** 0 none, 1 CRC32, 4 CRC64, 10 SHA-256. */
  readonly checkType: number;
  readonly blocks: readonly XzBlock[];
}

export const XZ_CHECK_NONE = 0;
export const XZ_CHECK_CRC32 = 1;
export const XZ_CHECK_CRC64 = 4;
export const XZ_FILTER_BCJ_X86 = 4;
export const XZ_FILTER_LZMA2 = 0x21;

const HEADER_SIZE = 12;
const checkSizes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
const padded4 = (size: number): number => Math.ceil(size / 4) * 4;

/**
 * Takes one xz stream apart: header, blocks, index and footer, with the CRCs of each. Further streams are not
 * looked for; padding after the stream is accepted.
 *
 * Source: "The .xz File Format" 1.2.1.
 */
export function readXzStream(bytes: Uint8Array): XzStream {
  const reader = new ByteReader(bytes, 'xz');
  const checkType = streamFlags(reader, 6, 'stream header', 8);
  const blocks: XzBlock[] = [];
  const sizes: { unpadded: number; uncompressed: number }[] = [];
  let at = HEADER_SIZE;

  // The blocks' sizes are in the index, which is found from the footer.
  let end = bytes.length;
  while (end >= 4 && reader.u32(end - 4) === 0) end -= 4;
  if (end < HEADER_SIZE * 2 || reader.u16(end - 2) !== 0x5a59) throw bad('stream has no footer', end);
  if (streamFlags(reader, end - 4, 'stream footer', end - 12, end - 8, 6) !== checkType) {
    throw bad('header and footer differ', end - 4);
  }
  const indexSize = (reader.u32(end - 8) + 1) * 4;
  const indexAt = end - HEADER_SIZE - indexSize;
  reader.check(indexAt, indexSize);
  if (crc32(reader.slice(indexAt, indexSize - 4)) !== reader.u32(indexAt + indexSize - 4)) {
    throw bad('index has a wrong CRC', indexAt);
  }
  const index = new Varints(reader, indexAt + 1);
  const count = index.next();
  for (let block = 0; block < count; block++) {
    sizes.push({ unpadded: index.next(), uncompressed: index.next() });
  }

  for (const { unpadded, uncompressed } of sizes) {
    const headerSize = (reader.u8(at) + 1) * 4;
    const filters = readFilters(reader, at, headerSize);
    const checkSize = checkSizes[checkType]!;
    const dataSize = unpadded - headerSize - checkSize;
    const data = reader.slice(at + headerSize, dataSize);
    const check = reader.slice(at + padded4(headerSize + dataSize), checkSize);
    blocks.push({ filters, data, uncompressedSize: uncompressed, check });
    at += padded4(unpadded);
  }
  if (at !== indexAt) throw bad('blocks do not end where the index begins', at);
  return { checkType, blocks };
}

/** Wraps LZMA2 data as an xz stream of one block without filter and check, for decoders that know no filter. */
export function wrapLzma2(block: XzBlock): Uint8Array {
  const lzma2 = block.filters.at(-1)!;
  const header = new Uint8Array(12);
  header.set([2, 0, XZ_FILTER_LZMA2, lzma2.properties.length, ...lzma2.properties]);
  const headerView = new DataView(header.buffer);
  headerView.setUint32(8, crc32(header.subarray(0, 8)), true);

  const unpadded = header.length + block.data.length;
  const indexBody = [0, ...varint(1), ...varint(unpadded), ...varint(block.uncompressedSize)];
  while (indexBody.length % 4 !== 0) indexBody.push(0);
  const indexAt = HEADER_SIZE + padded4(unpadded);
  const indexSize = indexBody.length + 4;
  const result = new Uint8Array(indexAt + indexSize + HEADER_SIZE);
  const view = new DataView(result.buffer);

  result.set([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, XZ_CHECK_NONE]);
  view.setUint32(8, crc32(result.subarray(6, 8)), true);
  result.set(header, HEADER_SIZE);
  result.set(block.data, HEADER_SIZE + header.length);
  result.set(indexBody, indexAt);
  view.setUint32(
    indexAt + indexBody.length,
    crc32(result.subarray(indexAt, indexAt + indexBody.length)),
    true,
  );
  const footer = indexAt + indexSize;
  view.setUint32(footer + 4, indexSize / 4 - 1, true);
  result.set([0, XZ_CHECK_NONE, 0x59, 0x5a], footer + 8);
  view.setUint32(footer, crc32(result.subarray(footer + 4, footer + 10)), true);
  return result;
}

function readFilters(reader: ByteReader, at: number, headerSize: number): XzFilter[] {
  if (crc32(reader.slice(at, headerSize - 4)) !== reader.u32(at + headerSize - 4)) {
    throw bad('block header has a wrong CRC', at);
  }
  const flags = reader.u8(at + 1);
  const varints = new Varints(reader, at + 2);
  if (flags & 0x40) varints.next();
  if (flags & 0x80) varints.next();
  const filters: XzFilter[] = [];
  for (let index = 0; index <= (flags & 3); index++) {
    const id = varints.next();
    const size = varints.next();
    filters.push({ id, properties: reader.slice(varints.at, size) });
    varints.at += size;
  }
  return filters;
}

function streamFlags(
  reader: ByteReader,
  flagsAt: number,
  what: string,
  crcAt: number,
  coveredAt = flagsAt,
  covered = 2,
): number {
  if (crc32(reader.slice(coveredAt, covered)) !== reader.u32(crcAt))
    throw bad(`${what} has a wrong CRC`, crcAt);
  const checkType = reader.u8(flagsAt + 1);
  if (reader.u8(flagsAt) !== 0 || checkType > 15) throw bad(`${what} has unknown flags`, flagsAt);
  return checkType;
}

/** xz's variable-length integers: seven bits a byte, least significant first. */
class Varints {
  at: number;
  readonly #reader: ByteReader;

  constructor(reader: ByteReader, at: number) {
    this.#reader = reader;
    this.at = at;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#reader.u8(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw bad('number is too large', this.at);
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}

function bad(message: string, offset: number): FormatError {
  return new FormatError(`xz data is damaged: ${message}`, { offset });
}
