import { ByteReader, FormatError } from '../bytes/index.ts';
import { type ArchiveEntry, memberName, textField } from './archive-entry.ts';

const HEADER_SIZE = 110;
const TRAILER = 'TRAILER!!!';

const kinds = new Map<number, ArchiveEntry['kind']>([
  [0o040000, 'directory'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o020000, 'device'],
  [0o060000, 'device'],
]);

export interface CpioArchive {
  readonly entries: readonly ArchiveEntry[];
  /** Offset in bytes just after the trailer: an initramfs may go on there, with padding and another archive. */
  readonly end: number;
}

/** Whether the bytes begin like a `newc` cpio archive, which an initramfs is. */
export function isCpio(bytes: Uint8Array): boolean {
  const magic = textField(bytes.subarray(0, 6), 'latin1');
  return magic === '070701' || magic === '070702';
}

/**
 * The members of one `newc` cpio archive. A later name of a file with several links holds the data, as stored.
 * Throws `FormatError`. Source: Linux 6.1, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export function readCpio(bytes: Uint8Array): CpioArchive {
  const reader = new ByteReader(bytes, 'cpio');
  const entries: ArchiveEntry[] = [];
  for (let at = 0; ; ) {
    reader.check(at, HEADER_SIZE);
    if (!isCpio(bytes.subarray(at)))
      throw new FormatError('no member header', { section: 'cpio', offset: at });
    const field = (index: number): number => {
      const text = textField(reader.slice(at + 6 + index * 8, 8), 'latin1');
      if (!/^[0-9a-fA-F]{8}$/.test(text)) {
        throw new FormatError('number in member header is damaged', { section: 'cpio', offset: at });
      }
      return Number.parseInt(text, 16);
    };
    const mode = field(1);
    const size = field(6);
    const nameSize = field(11);
    const stored = textField(reader.slice(at + HEADER_SIZE, nameSize));
    const dataAt = align4(at + HEADER_SIZE + nameSize);
    const data = reader.slice(dataAt, size);
    at = align4(dataAt + size);
    if (stored === TRAILER) return { entries, end: Math.min(at, bytes.length) };
    const kind = kinds.get(mode & 0o170000) ?? 'other';
    entries.push({
      name: memberName(stored),
      kind,
      mode: mode & 0o7777,
      data: kind === 'file' ? data : new Uint8Array(0),
      linkTarget: kind === 'symlink' ? textField(data) : undefined,
    });
  }
}

function align4(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
