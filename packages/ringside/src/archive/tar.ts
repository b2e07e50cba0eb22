import { ByteReader, FormatError } from '../bytes/index.ts';
import { type ArchiveEntry, memberName, textField } from './archive-entry.ts';

const BLOCK = 512;

const kinds: Readonly<Record<string, ArchiveEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
};

/** What headers before a member say about it. */
interface Pending {
  path?: string;
  linkpath?: string;
  size?: number;
}

/**
 * The members of a tar archive: ustar, GNU long names and pax headers. Throws `FormatError` on a wrong checksum or
 * a member that is cut off. Source: POSIX pax, GNU tar manual ("Basic Tar Format").
 */
export function readTar(bytes: Uint8Array): ArchiveEntry[] {
  const reader = new ByteReader(bytes, 'tar');
  const entries: ArchiveEntry[] = [];
  let pending: Pending = {};
  for (let at = 0; at < bytes.length; ) {
    const header = reader.slice(at, BLOCK);
    if (header.every((byte) => byte === 0)) break;
    checkSum(header, at);
    const type = String.fromCharCode(header[156]!);
    const stored = number(header.subarray(124, 136), at);
    const size = pending.size ?? stored;
    const data = reader.slice(at + BLOCK, size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'L') pending.path = textField(data);
    else if (type === 'K') pending.linkpath = textField(data);
    else if (type === 'x') pending = { ...pending, ...paxRecords(data) };
    else if (type !== 'g') {
      const kind = kinds[type] ?? 'other';
      const linkTarget = pending.linkpath ?? textField(header.subarray(157, 257));
      entries.push({
        name: memberName(pending.path ?? ustarName(header)),
        kind,
        mode: number(header.subarray(100, 108), at) & 0o7777,
        data: kind === 'file' ? data : new Uint8Array(0),
        linkTarget: kind === 'symlink' || kind === 'hardlink' ? linkTarget : undefined,
      });
      pending = {};
    }
  }
  return entries;
}

function ustarName(header: Uint8Array): string {
  const name = textField(header.subarray(0, 100));
  const isPosix = textField(header.subarray(257, 263), 'latin1') === 'ustar';
  const prefix = isPosix ? textField(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** An octal field, or GNU's base-256 form for large numbers. */
function number(field: Uint8Array, at: number): number {
  if (field[0]! & 0x80) {
    const value = field.reduce((sum, byte, index) => sum * 256 + (index === 0 ? byte & 0x7f : byte), 0);
    if (Number.isSafeInteger(value)) return value;
  } else {
    const text = textField(field, 'latin1').trim();
    if (/^[0-7]*$/.test(text)) return text === '' ? 0 : Number.parseInt(text, 8);
  }
  throw new FormatError('number in member header is damaged', { section: 'tar', offset: at });
}

function checkSum(header: Uint8Array, at: number): void {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (sum !== number(header.subarray(148, 156), at)) {
    throw new FormatError('member header has a wrong checksum', { section: 'tar', offset: at });
  }
}

/** `LENGTH KEY=VALUE\n` records; the length counts the whole record in bytes. */
function paxRecords(data: Uint8Array): Pending {
  const pending: Pending = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? 0 : Number(textField(data.subarray(at, space), 'latin1'));
    const record = data.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!(length > 0) || at + length > data.length || equals < 0) {
      throw new FormatError('pax header is damaged', { section: 'tar' });
    }
    const key = textField(record.subarray(0, equals));
    const value = textField(record.subarray(equals + 1));
    if (key === 'path') pending.path = value;
    else if (key === 'linkpath') pending.linkpath = value;
    else if (key === 'size') {
      if (!/^[0-9]{1,15}$/.test(value)) throw new FormatError('pax header is damaged', { section: 'tar' });
      pending.size = Number(value);
    }
    at += length;
  }
  return pending;
}
