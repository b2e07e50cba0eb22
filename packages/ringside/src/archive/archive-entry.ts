/** One member of an archive. */
export interface ArchiveEntry {
  /** As stored, without a leading `./` and a trailing `/`. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'device' | 'other';
  /** Permission bits. */
  readonly mode: number;
  /** The contents, a view of the archive; empty for everything but files. */
  readonly data: Uint8Array;
  /** Where a symbolic or hard link points. */
  readonly linkTarget: string | undefined;
}

/** `./boot/` and `boot` are the same member. */
export function memberName(stored: string): string {
  return stored.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
}

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8');

/** A fixed-width text field, up to its first NUL. */
export function textField(bytes: Uint8Array, encoding: 'latin1' | 'utf-8' = 'utf-8'): string {
  const end = bytes.indexOf(0);
  return (encoding === 'latin1' ? latin1 : utf8).decode(end < 0 ? bytes : bytes.subarray(0, end));
}
