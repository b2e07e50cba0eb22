import { asAddr, ByteReader, FormatError, type GuestAddr } from '../bytes/index.ts';
import { type ExportColumns, exportColumns } from './export-table.ts';
import type { KernelExport, SymbolTable } from './kernel-spec.ts';
import type { Vmlinux } from './vmlinux.ts';

/** `struct kernel_symbol` with `HAVE_ARCH_PREL32_RELOCATIONS`: value, name, namespace, each relative to itself. */
const ENTRY_BYTES = 12;
const latin1 = new TextDecoder('latin1');

/**
 * The export tables of an image. Throws `FormatError` when a table is not where its symbols say.
 *
 * Source: include/linux/export.h, kernel/module/main.c (`__start___ksymtab` and its siblings).
 */
export function readExports(image: Vmlinux, symbols: SymbolTable): ExportColumns {
  return exportColumns([...readTable(image, symbols, '', false), ...readTable(image, symbols, '_gpl', true)]);
}

function* readTable(
  image: Vmlinux,
  symbols: SymbolTable,
  suffix: string,
  gplOnly: boolean,
): Generator<KernelExport> {
  const range = (table: string): readonly [GuestAddr, GuestAddr] | undefined => {
    const start = symbols.lookup(`__start_${table}`)?.address;
    const stop = symbols.lookup(`__stop_${table}`)?.address;
    return start === undefined || stop === undefined ? undefined : [start, stop];
  };
  const bounds = range(`__ksymtab${suffix}`);
  if (bounds === undefined) throw new FormatError(`the kernel has no table __ksymtab${suffix}`);
  const [start, stop] = bounds;
  const entries = new ByteReader(image.range(start, stop), `__ksymtab${suffix}`);
  const count = Math.floor(entries.size / ENTRY_BYTES);
  const crcBounds = range(`__kcrctab${suffix}`);
  const crcs = crcBounds && new ByteReader(image.range(...crcBounds), `__kcrctab${suffix}`);
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY_BYTES;
    const name = text(image, asAddr(start + at + 4 + entries.i32(at + 4)));
    if (name === '') throw new FormatError('export without a name', { section: entries.what, offset: at });
    const space = entries.i32(at + 8);
    const namespace = space === 0 ? '' : text(image, asAddr(start + at + 8 + space));
    yield {
      name,
      address: asAddr(start + at + entries.i32(at)),
      crc: crcs?.u32(4 * i),
      gplOnly,
      namespace: namespace === '' ? undefined : namespace,
    };
  }
}

function text(image: Vmlinux, address: GuestAddr): string {
  const bytes = image.at(address);
  const end = bytes.indexOf(0);
  if (end < 0) throw new FormatError('string of the kernel is not terminated');
  return latin1.decode(bytes.subarray(0, end));
}
