import { LOGLEVEL } from '../../abi/index.ts';
import { ByteReader } from '../../bytes/index.ts';
import type { LoadInfo } from './load-info.ts';
import { tryToForceLoad } from './modinfo.ts';

/** `strcmp` of vermagic strings; with modversions the release, up to the first space, does not count. */
export function sameMagic(module: string, kernel: string, hasCrcs: boolean): boolean {
  const rest = (magic: string): string => {
    const space = magic.indexOf(' ');
    return space < 0 ? '' : magic.slice(space);
  };
  return hasCrcs ? rest(module) === rest(kernel) : module === kernel;
}

const versionTables = new WeakMap<LoadInfo, ReadonlyMap<string, number>>();

/** `__versions` by name, first entry of a name first, as the kernel's linear search finds it. */
function versions(info: LoadInfo): ReadonlyMap<string, number> {
  let table = versionTables.get(info);
  if (table === undefined) {
    const section = info.section(info.index.vers);
    const reader = new ByteReader(info.data(section), '__versions');
    const entry = info.structs.entrySize.modversion_info;
    const map = new Map<string, number>();
    for (let i = 0; i < Math.floor(section.size / entry); i++) {
      const name = info.string(section.offset + i * entry + 8, 'a name in __versions');
      // struct modversion_info.crc is unsigned long: a value beyond 32 bits matches nothing
      const high = reader.u32(i * entry + 4);
      if (!map.has(name)) map.set(name, high === 0 ? reader.u32(i * entry) : -1);
    }
    table = map;
    versionTables.set(info, table);
  }
  return table;
}

/**
 * `check_version`: whether the module was built against this version of an exported symbol. `crc` is what the
 * exporter says; undefined when it was built without versions.
 */
export function checkVersion(
  info: LoadInfo,
  symbol: string,
  crc: number | undefined,
  addTaint: (bit: number) => void,
): boolean {
  if (crc === undefined) return true;
  if (info.index.vers === 0) return tryToForceLoad(info, symbol, addTaint) === 0;
  const wanted = versions(info).get(symbol);
  if (wanted === crc) return true;
  info.host.printk(
    LOGLEVEL.LOGLEVEL_WARNING,
    wanted === undefined
      ? `${info.name}: no symbol version for ${symbol}`
      : `${info.name}: disagrees about version of symbol ${symbol}`,
  );
  return false;
}
