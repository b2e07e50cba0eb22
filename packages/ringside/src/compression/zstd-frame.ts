import { ByteReader, FormatError } from '../bytes/index.ts';

/**
 * The unpacked size that the first zstd frame announces, undefined when it announces none.
 *
 * Source: RFC 8878, section 3.1.1.1.
 */
export function zstdContentSize(bytes: Uint8Array): number | undefined {
  const reader = new ByteReader(bytes, 'zstd');
  const descriptor = reader.u8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryIdSize = [0, 1, 2, 4][descriptor & 3]!;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryIdSize;
  switch (descriptor >> 6) {
    case 0:
      return singleSegment ? reader.u8(at) : undefined;
    case 1:
      return reader.u16(at) + 256;
    case 2:
      return reader.u32(at);
    default:
      return reader.size64(at);
  }
}

/**
 * The size in bytes of the first zstd frame, found by walking its block headers. `FormatError` when the frame
 * does not end within the bytes.
 */
export function zstdFrameSize(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, 'zstd');
  const descriptor = reader.u8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let at = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + contentSizeBytes;
  for (;;) {
    const header = reader.u16(at) | (reader.u8(at + 2) << 16);
    const type = (header >> 1) & 3;
    if (type === 3) throw new FormatError('zstd data is damaged: reserved block type', { offset: at });
    at += 3 + (type === 1 ? 1 : header >>> 3);
    if (header & 1) break;
  }
  if (descriptor & 4) at += 4;
  reader.check(0, at);
  return at;
}
