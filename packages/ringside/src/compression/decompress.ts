import { UnsupportedError, unreachable } from '../bytes/index.ts';
import { type CompressionFormat, detectCompression, type UnsupportedCompression } from './detect.ts';

export interface DecompressOptions {
  /** What unpacks to more than this is refused with `FormatError`. Default: 1 GiB. */
  readonly maxBytes?: number;
  /** Replaces the platform's gzip, e.g. by Node's zlib; must throw on damaged data. */
  readonly inflate?: (bytes: Uint8Array, maxBytes: number) => Promise<Uint8Array>;
}

const DEFAULT_MAX_BYTES = 1 << 30;

/**
 * Unpacks data of a known format. Decoders are loaded when first needed. Throws `FormatError` when the data is
 * damaged or too large, `UnsupportedError` for a format that is only recognised.
 *
 * For a kernel's payload, take off the 32-bit size that the build appends to all but gzip.
 */
export async function decompress(
  bytes: Uint8Array,
  format: CompressionFormat | UnsupportedCompression,
  options: DecompressOptions = {},
): Promise<Uint8Array> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  switch (format) {
    case 'gzip': {
      const inflate = options.inflate ?? (await import('./gzip.ts')).gunzip;
      return await inflate(bytes, maxBytes);
    }
    case 'xz':
      return await (await import('./xz.ts')).unxz(bytes, maxBytes);
    case 'zstd':
      return await (await import('./zstd.ts')).unzstd(bytes, maxBytes);
    case 'lz4-legacy':
      return (await import('./lz4-legacy.ts')).unlz4Legacy(bytes, maxBytes);
    case 'bzip2':
    case 'lzma':
    case 'lzo':
    case 'lz4-frame':
      throw new UnsupportedError({
        what: `${format} compression`,
        advice: `unpack the file with the ${format} tool`,
      });
    default:
      return unreachable(format, 'compression format');
  }
}

/** Unpacks what begins with a compression's magic number; other bytes come back as they are. */
export async function decompressDetected(
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<Uint8Array> {
  const format = detectCompression(bytes);
  return format === undefined ? bytes : await decompress(bytes, format, options);
}
