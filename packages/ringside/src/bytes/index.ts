/**
 * Bytes and the errors about them: the ground every other layer stands on.
 *
 * Key types: `ByteReader` (bounds-checked little-endian reads with a place for error messages), `GuestAddr`
 * (a 64-bit guest address as an exact number), `FormatError` and its siblings. Nothing here knows a format.
 */
export * from './byte-reader.ts';
export * from './errors.ts';
export * from './guest-address.ts';
