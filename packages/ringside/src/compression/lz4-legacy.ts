import { ByteReader, FormatError } from '../bytes/index.ts';
import { tooLarge } from './collect-stream.ts';

/** What one block of the legacy format unpacks to at most. */
const BLOCK_LIMIT = 8 << 20;

/**
 * Unpacks lz4's legacy format, which kernels use: the magic, then blocks of a 32-bit size and LZ4 block data.
 * There is no checksum. Source: lz4's lz4_Frame_format.md ("Legacy frame") and lz4_Block_format.md.
 */
export function unlz4Legacy(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const reader = new ByteReader(bytes, 'lz4');
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let at = 4; at < bytes.length; ) {
    const size = reader.u32(at);
    // What is no possible block is something appended to the frame.
    if (at + 4 + size > bytes.length && blocks.length > 0) break;
    const block = unpackBlock(reader.slice(at + 4, size));
    total += block.length;
    if (total > maxBytes) throw tooLarge('lz4', maxBytes);
    blocks.push(block);
    at += 4 + size;
    if (block.length < BLOCK_LIMIT) break;
  }
  const result = new Uint8Array(total);
  let at = 0;
  for (const block of blocks) {
    result.set(block, at);
    at += block.length;
  }
  return result;
}

function unpackBlock(source: Uint8Array): Uint8Array {
  const reader = new ByteReader(source, 'lz4 block');
  const target = new Uint8Array(BLOCK_LIMIT);
  let at = 0;
  let out = 0;
  const extended = (start: number): number => {
    let length = start;
    for (let byte = start === 15 ? 255 : 0; byte === 255; length += byte) byte = reader.u8(at++);
    return length;
  };
  while (at < source.length) {
    const token = reader.u8(at++);
    const literals = extended(token >> 4);
    if (out + literals > BLOCK_LIMIT)
      throw new FormatError('lz4 data is damaged: block is too long', { offset: at });
    target.set(reader.slice(at, literals), out);
    at += literals;
    out += literals;
    if (at === source.length) break;
    const distance = reader.u16(at);
    at += 2;
    const length = extended(token & 15) + 4;
    if (distance === 0 || distance > out || out + length > BLOCK_LIMIT) {
      throw new FormatError('lz4 data is damaged: match outside the block', { offset: at });
    }
    if (distance >= length) target.copyWithin(out, out - distance, out - distance + length);
    else for (let index = 0; index < length; index++) target[out + index] = target[out + index - distance]!;
    out += length;
  }
  return target.slice(0, out);
}
