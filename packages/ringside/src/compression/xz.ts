import { FormatError, UnsupportedError } from '../bytes/index.ts';
import { undoBcjX86 } from './bcj-x86.ts';
import { collectStream, damaged, streamOf, tooLarge } from './collect-stream.ts';
import { crc32 } from './crc32.ts';
import {
  readXzStream,
  wrapLzma2,
  XZ_CHECK_CRC32,
  XZ_CHECK_CRC64,
  XZ_CHECK_NONE,
  XZ_FILTER_BCJ_X86,
  XZ_FILTER_LZMA2,
  type XzBlock,
} from './xz-container.ts';

type XzModule = typeof import('xz-decompress');

/**
 * Unpacks one xz stream. The decoder knows LZMA2 only, so a block with the x86 filter (a kernel's payload) is
 * wrapped anew without it, unpacked, filtered back here and checked against its CRC32.
 */
export async function unxz(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const stream = readXzStream(bytes);
  const total = stream.blocks.reduce((sum, block) => sum + block.uncompressedSize, 0);
  if (total > maxBytes) throw tooLarge('xz', maxBytes);
  for (const block of stream.blocks) checkFilters(block);
  const filtered = stream.blocks.some((block) => block.filters.length > 1);
  const checked = [XZ_CHECK_NONE, XZ_CHECK_CRC32, XZ_CHECK_CRC64].includes(stream.checkType);
  if (!checked || (filtered && stream.checkType === XZ_CHECK_CRC64)) {
    throw new UnsupportedError({
      what: `xz check type ${stream.checkType}${filtered ? ' together with the x86 filter' : ''}`,
      advice: 'unpack the file with the xz command',
    });
  }
  if (!filtered) return await decode(bytes, total);

  const result = new Uint8Array(total);
  let at = 0;
  for (const block of stream.blocks) {
    const part = await decode(wrapLzma2(block), block.uncompressedSize);
    if (part.length !== block.uncompressedSize) throw new FormatError('xz data is damaged: block ends early');
    const bcj = block.filters.length > 1 ? block.filters[0] : undefined;
    if (bcj !== undefined) undoBcjX86(part, startOffset(bcj.properties));
    if (stream.checkType === XZ_CHECK_CRC32) {
      const { buffer, byteOffset } = block.check;
      if (crc32(part) !== new DataView(buffer, byteOffset).getUint32(0, true)) {
        throw new FormatError('xz data is damaged: block has a wrong CRC');
      }
    }
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** @param size what the index announces; the decoder may not yield more, nor less. */
async function decode(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  // A CommonJS bundle: Node puts its exports under `default`, bundlers may not.
  const loaded = (await import('xz-decompress')) as XzModule & { readonly default?: XzModule };
  const { XzReadableStream } = loaded.default ?? loaded;
  const result = await collectStream(new XzReadableStream(streamOf(bytes)), size, 'xz');
  if (result.length !== size) throw damaged('xz', new Error(`${result.length} bytes came out, not ${size}`));
  return result;
}

function checkFilters({ filters }: XzBlock): void {
  const ids = filters.map((filter) => filter.id);
  const known =
    ids.at(-1) === XZ_FILTER_LZMA2 &&
    (ids.length === 1 || (ids.length === 2 && ids[0] === XZ_FILTER_BCJ_X86));
  if (!known) {
    throw new UnsupportedError({
      what: `xz filter chain ${ids.map((id) => `0x${id.toString(16)}`).join(', ')}`,
      advice: 'unpack the file with the xz command',
    });
  }
}

function startOffset(properties: Uint8Array): number {
  if (properties.length === 0) return 0;
  if (properties.length !== 4) throw new FormatError('xz data is damaged: x86 filter has wrong properties');
  return new DataView(properties.buffer, properties.byteOffset).getUint32(0, true);
}
