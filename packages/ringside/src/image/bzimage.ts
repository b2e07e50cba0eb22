import { ByteReader, FormatError, UnsupportedError } from '../bytes/index.ts';
import { type DecompressOptions, decompress, detectCompression } from '../compression/index.ts';

/** Offsets in the boot sector's setup header. Source: Documentation/x86/boot.rst. */
const SETUP_SECTS = 0x1f1;
const BOOT_FLAG = 0x1fe;
const HEADER = 0x202;
const VERSION = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const BOOT_FLAG_VALUE = 0xaa55;
const HDRS = 0x5372_6448;
/** The first protocol that says where the payload is. */
const MIN_VERSION = 0x208;
const SECTOR_BYTES = 512;
/** More than any kernel, less than what hurts the host. */
const MAX_VMLINUX_BYTES = 512 * 1024 * 1024;

/** Whether the bytes begin like a bzImage (`vmlinuz`). */
export function isBzImage(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes, 'bzImage');
  return (
    reader.size > PAYLOAD_LENGTH + 4 &&
    reader.u16(BOOT_FLAG) === BOOT_FLAG_VALUE &&
    reader.u32(HEADER) === HDRS
  );
}

/** The ELF kernel inside a bzImage. Throws `FormatError` when it is damaged. */
export async function unpackBzImage(bytes: Uint8Array, options: DecompressOptions = {}): Promise<Uint8Array> {
  const reader = new ByteReader(bytes, 'bzImage');
  const version = reader.u16(VERSION);
  if (version < MIN_VERSION) {
    throw new UnsupportedError({
      what: `a kernel image of boot protocol ${version >> 8}.${version & 0xff}`,
      advice: 'kernels since 2.6.26 say where their payload is',
    });
  }
  // 0 stands for 4, from the time before the field existed.
  const setupSectors = reader.u8(SETUP_SECTS) || 4;
  const start = (setupSectors + 1) * SECTOR_BYTES + reader.u32(PAYLOAD_OFFSET);
  const payload = reader.slice(start, reader.u32(PAYLOAD_LENGTH));
  const format = detectCompression(payload);
  if (format === undefined) {
    throw new FormatError('payload of the kernel image is in no known compression', { offset: start });
  }
  // The build appends the size of the content, which gzip has of itself.
  const stream = format === 'gzip' ? payload : payload.subarray(0, Math.max(0, payload.length - 4));
  return await decompress(stream, format, { ...options, maxBytes: MAX_VMLINUX_BYTES });
}
