import type { Btf, TypeGraph } from '../btf/index.ts';
import { ByteReader, FormatError } from '../bytes/index.ts';
import type { SymbolTable } from './kernel-spec.ts';
import type { Vmlinux } from './vmlinux.ts';

/** Who a kernel says it is. */
export interface KernelIdentity {
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly banner: string;
  readonly vermagic: string;
}

/** Reads `linux_banner`, `init_uts_ns` and the kernel's own `vermagic`. */
export function readIdentity(image: Vmlinux, symbols: SymbolTable, types: Btf | TypeGraph): KernelIdentity {
  const banner = stringAt(image, symbols, 'linux_banner').replace(/\n$/, '');
  const uts = symbols.lookup('init_uts_ns');
  if (uts === undefined) throw new FormatError('the kernel has no symbol init_uts_ns');
  const bytes = image.at(uts.address, types.struct('uts_namespace').size);
  const reader = new ByteReader(bytes, 'init_uts_ns');
  const field = (name: string): string =>
    reader.cString(types.struct('uts_namespace').offsetOf(`name.${name}`));
  const release = field('release');
  if (release === '' || !banner.startsWith(`Linux version ${release} `)) {
    throw new FormatError(`the kernel calls itself "${release}" and "${banner}"`);
  }
  return {
    release,
    version: field('version'),
    machine: field('machine'),
    banner,
    vermagic: stringAt(image, symbols, 'vermagic'),
  };
}

function stringAt(image: Vmlinux, symbols: SymbolTable, name: string): string {
  const symbol = symbols.lookup(name);
  if (symbol === undefined) throw new FormatError(`the kernel has no symbol ${name}`);
  return new ByteReader(image.at(symbol.address), name).cString(0);
}
