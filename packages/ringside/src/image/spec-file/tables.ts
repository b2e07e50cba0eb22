import { FormatError } from '../../bytes/index.ts';
import { EXPORTS_PER_BLOCK, type ExportColumns } from '../export-table.ts';
import type { SymbolColumns } from '../symbol-table.ts';
import { ArrayUnpacker, joinPlanes, packArrays, splitPlanes } from './columns.ts';

const latin1 = new TextDecoder('latin1');
const encodeLatin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

export function packExports(columns: ExportColumns): Uint8Array {
  const { names, blocks, addresses, crcs, flags, namespaces } = columns;
  return packArrays([names, blocks, addresses, crcs, flags, encodeLatin1(namespaces.join('\0'))]);
}

export function unpackExports(bytes: Uint8Array): ExportColumns {
  const unpacker = new ArrayUnpacker(bytes, 'exports');
  const columns = {
    names: unpacker.bytes(),
    blocks: unpacker.u32(),
    addresses: unpacker.i32(),
    crcs: unpacker.u32(),
    flags: unpacker.u16(),
    namespaces: latin1.decode(unpacker.bytes()).split('\0'),
  };
  const count = columns.addresses.length;
  const crcCount = columns.crcs.length;
  const blockCount = Math.ceil(count / EXPORTS_PER_BLOCK);
  if (
    columns.flags.length !== count ||
    (crcCount !== 0 && crcCount !== count) ||
    columns.blocks.length !== blockCount
  ) {
    throw new FormatError('export columns differ in length', { section: 'exports' });
  }
  return columns;
}

/** Names are stored in the table's order with a NUL each, addresses as differences. */
export function packSymbols(columns: SymbolColumns): Uint8Array {
  const { addresses, types, nameStarts, names } = columns;
  const steps = new Uint32Array(addresses.length);
  let perCpu = 0;
  while (perCpu < addresses.length && addresses[perCpu]! >= 0) perCpu++;
  for (let i = 0; i < addresses.length; i++) {
    // Each half starts anew: at 0, and at the lowest address of the top 2 GiB.
    const before = i === 0 ? 0 : i === perCpu ? -0x8000_0000 : addresses[i - 1]!;
    const step = addresses[i]! - before;
    if (!(step >= 0 && step <= 0xffff_ffff)) throw new FormatError('kallsyms addresses are out of range');
    steps[i] = step;
  }
  const text = new Uint8Array(names.length + types.length);
  for (let i = 0, at = 0; i < types.length; i++) {
    const name = names.subarray(nameStarts[i]!, nameStarts[i + 1]!);
    text.set(name, at);
    at += name.length + 1;
  }
  return packArrays([Uint32Array.of(perCpu), types, splitPlanes(steps), text]);
}

export function unpackSymbols(bytes: Uint8Array): SymbolColumns {
  const unpacker = new ArrayUnpacker(bytes, 'symbols');
  const perCpu = unpacker.u32()[0] ?? 0;
  const types = unpacker.bytes();
  const steps = joinPlanes(unpacker.bytes());
  const names = unpacker.bytes();
  const count = types.length;
  if (steps.length !== count) {
    throw new FormatError('symbol columns differ in length', { section: 'symbols' });
  }
  const addresses = new Float64Array(count);
  const nameStarts = new Uint32Array(count + 1);
  // Closed up in place of the NULs, so that a name's end is the next one's start.
  const closed = new Uint8Array(Math.max(0, names.length - count));
  let read = 0;
  let written = 0;
  for (let i = 0; i < count; i++) {
    const before = i === 0 && perCpu > 0 ? 0 : i === perCpu ? -0x8000_0000 : addresses[i - 1]!;
    addresses[i] = before + steps[i]!;
    nameStarts[i] = written;
    const end = names.indexOf(0, read);
    if (end < 0) throw new FormatError('symbol names are cut off', { section: 'symbols' });
    closed.set(names.subarray(read, end), written);
    written += end - read;
    read = end + 1;
  }
  nameStarts[count] = written;
  return { addresses, types, nameStarts, names: closed };
}
