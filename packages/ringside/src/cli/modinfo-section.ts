import { SHN_UNDEF } from '../elf/index.ts';

/** The errno with which kmod refuses the file. */
export type ModinfoErrno = 'EINVAL' | 'ENOEXEC' | 'ENOENT';

const latin1 = new TextDecoder('latin1');

/**
 * The bytes of a file's `.modinfo` section, or the errno kmod gives. As kmod does, this reads ELF of any machine,
 * 32- and 64-bit, of either byte order, and looks at nothing but the section headers and their names.
 */
export function findModinfoSection(bytes: Uint8Array): Uint8Array | ModinfoErrno {
  if (bytes.length === 0) return 'EINVAL';
  if (bytes.length <= 16 || latin1.decode(bytes.subarray(0, 4)) !== '\x7fELF') return 'ENOEXEC';
  const wide = bytes[4] === 2;
  const little = bytes[5] === 1;
  if ((!wide && bytes[4] !== 1) || (!little && bytes[5] !== 2)) return 'EINVAL';
  const headerSize = wide ? 64 : 52;
  const entrySize = wide ? 64 : 40;
  if (bytes.length < headerSize) return 'EINVAL';

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const half = (at: number): number => view.getUint16(at, little);
  const word = (at: number): number => view.getUint32(at, little);
  const size = (at: number): number => (wide ? Number(view.getBigUint64(at, little)) : word(at));

  const tableAt = size(wide ? 40 : 32);
  const entrySizeField = half(headerSize - 6);
  const count = half(headerSize - 4);
  const namesIndex = half(headerSize - 2);
  if (entrySizeField !== entrySize || tableAt + count * entrySize > bytes.length) return 'EINVAL';
  // Deviation: kmod 30 fails an assertion here.
  if (namesIndex === SHN_UNDEF || namesIndex >= count) return 'EINVAL';

  const section = (index: number): { readonly name: number; readonly data: Uint8Array } | undefined => {
    const at = tableAt + index * entrySize;
    const start = size(at + (wide ? 24 : 16));
    const end = start + size(at + (wide ? 32 : 20));
    return end > bytes.length ? undefined : { name: word(at), data: bytes.subarray(start, end) };
  };
  const names = section(namesIndex)?.data;
  if (names === undefined || names.at(-1) !== 0) return 'EINVAL';
  for (let index = 1; index < count; index++) {
    const found = section(index);
    if (found === undefined || found.name >= names.length) continue;
    const name = latin1.decode(names.subarray(found.name, names.indexOf(0, found.name)));
    if (name === '.modinfo') return found.data;
  }
  return 'ENOENT';
}
