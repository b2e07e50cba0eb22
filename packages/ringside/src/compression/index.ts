/**
 * Compressed files: what modules (`.ko.xz`, `.ko.zst`, `.ko.gz`), kernel payloads and package members come in.
 *
 *   bytes ──► detectCompression ──► decompress ──► bytes, or FormatError
 *
 * The decoders are imported when first used: nothing here costs anything at start-up.
 */
export { type DecompressOptions, decompress, decompressDetected } from './decompress.ts';
export { type CompressionFormat, detectCompression, type UnsupportedCompression } from './detect.ts';
