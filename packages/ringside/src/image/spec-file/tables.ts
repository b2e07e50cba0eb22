import { FormatError } from '../../bytes/index.ts';
import type { ExportColumns } from '../export-table.ts';
import { NAMES_PER_BLOCK } from '../name-list.ts';
import { ColumnSymbolTable, type SymbolColumns } from '../symbol-table.ts';
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
  const blockCount = Math.ceil(count / NAMES_PER_BLOCK);
  if (
    columns.flags.length !== count ||
    (crcCount !== 0 && crcCount !== count) ||
    columns.blocks.length !== blockCount
  ) {
    throw new FormatError('export columns differ in length', { section: 'exports' });
  }
  return columns;
}

/** Addresses are stored as differences. */
export function packSymbols(columns: SymbolColumns): Uint8Array {
  const { addresses, types, names, blocks } = columns;
  const steps = new Uint32Array(addresses.length);
  for (let i = 0; i < addresses.length; i++) {
    // Unsigned, so that the step from the last per-CPU offset to the first address is one too.
    steps[i] = (addresses[i]! - (i === 0 ? 0 : addresses[i - 1]!)) >>> 0;
  }
  const { bounds } = new ColumnSymbolTable(columns);
  return packArrays([bounds, types, splitPlanes(steps), names, blocks]);
}

export function unpackSymbols(bytes: Uint8Array): SymbolColumns {
  const unpacker = new ArrayUnpacker(bytes, 'symbols');
  const bounds = unpacker.i32();
  const types = unpacker.bytes();
  const addresses = joinPlanes(unpacker.bytes());
  const names = unpacker.bytes();
  const blocks = unpacker.u32();
  const count = types.length;
  if (addresses.length !== count || blocks.length !== Math.ceil(count / NAMES_PER_BLOCK)) {
    throw new FormatError('symbol columns differ in length', { section: 'symbols' });
  }
  for (let i = 1; i < count; i++) addresses[i] = addresses[i]! + addresses[i - 1]!;
  return { addresses, types, names, blocks, bounds };
}
