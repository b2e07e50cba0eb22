import { ByteReader, FormatError } from '../bytes/index.ts';
import { type ArchiveEntry, memberName, textField } from './archive-entry.ts';

const MAGIC = '!<arch>\n';
const HEADER_SIZE = 60;

/** Whether the bytes begin like an `ar` archive (a Debian package is one). */
export function isAr(bytes: Uint8Array): boolean {
  return textField(bytes.subarray(0, MAGIC.length), 'latin1') === MAGIC;
}

/**
 * The members of an `ar` archive, as Debian packages use it (short names; the GNU and BSD extensions for long
 * names are not followed). Throws `FormatError`. Source: deb(5), ar(5).
 */
export function readAr(bytes: Uint8Array): ArchiveEntry[] {
  if (!isAr(bytes)) throw new FormatError('not an ar archive: it does not begin with !<arch>');
  const reader = new ByteReader(bytes, 'ar');
  const entries: ArchiveEntry[] = [];
  for (let at = MAGIC.length; at < bytes.length; ) {
    const header = textField(reader.slice(at, HEADER_SIZE), 'latin1');
    const size = /^[0-9]+ *$/.test(header.slice(48, 58)) ? Number(header.slice(48, 58)) : -1;
    if (size < 0 || header.slice(58, 60) !== '`\n') {
      throw new FormatError('member header is damaged', { section: 'ar', offset: at });
    }
    const name = memberName(header.slice(0, 16).trimEnd());
    const mode = Number.parseInt(header.slice(40, 48), 8) & 0o7777;
    entries.push({
      name,
      kind: 'file',
      mode,
      data: reader.slice(at + HEADER_SIZE, size),
      linkTarget: undefined,
    });
    at += HEADER_SIZE + size + (size % 2);
  }
  return entries;
}
