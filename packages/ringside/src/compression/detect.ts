/** A compression Ringside can take off, by the name of its usual command. */
export type CompressionFormat = 'gzip' | 'xz' | 'zstd' | 'lz4-legacy';

/** A compression that kernels are sometimes built with and Ringside recognises only to say so. */
export type UnsupportedCompression = 'bzip2' | 'lzma' | 'lzo' | 'lz4-frame';

const magics: readonly (readonly [CompressionFormat | UnsupportedCompression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4-legacy', [0x02, 0x21, 0x4c, 0x18]],
  ['lz4-frame', [0x04, 0x22, 0x4d, 0x18]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0x00, 0x00]],
  ['lzo', [0x89, 0x4c, 0x5a, 0x4f, 0x00]],
];

/** The compression the bytes begin with, by their magic number; undefined when they begin with none. */
export function detectCompression(bytes: Uint8Array): CompressionFormat | UnsupportedCompression | undefined {
  return magics.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte))?.[0];
}
