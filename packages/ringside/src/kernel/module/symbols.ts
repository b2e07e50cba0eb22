import { ERRNO, LOGLEVEL, TAINT } from '../../abi/index.ts';
import { addrToU64, asAddr, type GuestAddr } from '../../bytes/index.ts';
import { SHN_ABS, SHN_COMMON, SHN_LIVEPATCH, SHN_UNDEF, STB_WEAK, SYM_SIZE } from '../../elf/index.ts';
import type { Routine } from '../sched/routine.ts';
import type { LoadInfo } from './load-info.ts';
import { modinfoValues } from './modinfo.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { refModule } from './refcount.ts';
import { checkVersion } from './version.ts';

/** An exported symbol that was found, and who exports it (`undefined`: the kernel). */
export interface FoundSymbol {
  readonly address: GuestAddr;
  readonly crc: number | undefined;
  readonly gplOnly: boolean;
  readonly namespace: string | undefined;
  readonly owner: Module | undefined;
}

/** The names a module exports, in its two tables, read from its memory once. */
function exportsOf(modules: Modules, module: Module): NonNullable<Module['exportIndex']> {
  if (module.exportIndex !== undefined) return module.exportIndex;
  const index = new Map<string, { gplOnly: boolean; index: number }>();
  const { memory } = modules.host;
  for (const gplOnly of [false, true]) {
    const start = module.ptr(gplOnly ? 'gpl_syms' : 'syms');
    const count = module.u32(gplOnly ? 'num_gpl_syms' : 'num_syms');
    for (let i = 0; i < count; i++) {
      const entry = asAddr(start + i * modules.structs.entrySize.kernel_symbol);
      const name = memory.readString(asAddr(entry + 4 + memory.readI32(asAddr(entry + 4))));
      if (!index.has(name)) index.set(name, { gplOnly, index: i });
    }
  }
  module.exportIndex = index;
  return index;
}

/** A symbol among a module's own exports. */
export function findInModule(
  modules: Modules,
  module: Module,
  name: string,
  gplOk: boolean,
): FoundSymbol | undefined {
  const place = exportsOf(modules, module).get(name);
  if (place === undefined || (place.gplOnly && !gplOk)) return undefined;
  const { memory } = modules.host;
  const table = module.ptr(place.gplOnly ? 'gpl_syms' : 'syms');
  const crcs = module.ptr(place.gplOnly ? 'gpl_crcs' : 'crcs');
  const entry = asAddr(table + place.index * modules.structs.entrySize.kernel_symbol);
  const relative = (at: GuestAddr): GuestAddr => asAddr(at + memory.readI32(at));
  return {
    address: relative(entry),
    crc: crcs === 0 ? undefined : memory.readU32(asAddr(crcs + 4 * place.index)),
    gplOnly: place.gplOnly,
    // read when asked for, as the kernel does
    get namespace() {
      const at = asAddr(entry + 8);
      return (memory.readI32(at) !== 0 && memory.readString(relative(at))) || undefined;
    },
    owner: module,
  };
}

/** `find_symbol`: among the kernel's exports, then those of the loaded modules, the latest first. */
export function findSymbol(modules: Modules, name: string, gplOk: boolean): FoundSymbol | undefined {
  const own = modules.host.spec.exports.byName(name);
  if (own !== undefined && (gplOk || !own.gplOnly)) return { ...own, owner: undefined };
  for (const module of modules.list()) {
    if (module.state === 'unformed') continue;
    const found = findInModule(modules, module, name, gplOk);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `inherit_taint`: a module that uses a proprietary one's symbols becomes proprietary, unless it uses GPL-only ones. */
function inheritTaint(modules: Modules, module: Module, owner: Module | undefined, name: string): boolean {
  if (owner === undefined || !owner.hasTaint(TAINT.TAINT_PROPRIETARY_MODULE)) return true;
  const { host } = modules;
  if (module.bool('using_gplonly_symbols')) {
    host.printk(
      LOGLEVEL.LOGLEVEL_ERR,
      `${module.name}: module using GPL-only symbols uses symbols ${name} from proprietary module ${owner.name}.`,
    );
    return false;
  }
  if (!module.hasTaint(TAINT.TAINT_PROPRIETARY_MODULE)) {
    host.printk(
      LOGLEVEL.LOGLEVEL_WARNING,
      `${module.name}: module uses symbols ${name} from proprietary module ${owner.name}, inheriting taint.`,
    );
    module.taints |= 1 << TAINT.TAINT_PROPRIETARY_MODULE;
  }
  return true;
}

function namespaceIsImported(info: LoadInfo, module: Module, name: string, found: FoundSymbol): boolean {
  const { namespace } = found;
  if (namespace === undefined || namespace === '') return true;
  for (const imported of modinfoValues(info, 'import_ns')) if (imported === namespace) return true;
  const allowed = info.host.spec.config?.get('CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS') === 'y';
  info.host.printk(
    allowed ? LOGLEVEL.LOGLEVEL_WARNING : LOGLEVEL.LOGLEVEL_ERR,
    `${module.name}: module uses symbol (${name}) from namespace ${namespace}, but does not import it.`,
  );
  return allowed;
}

/** What `resolve_symbol` gives: a symbol, nothing, or an error; and who was asked for it. */
interface Resolution {
  readonly found: FoundSymbol | undefined;
  readonly err: number;
  readonly ownerName: string;
}

function resolveSymbol(modules: Modules, info: LoadInfo, module: Module, name: string): Resolution {
  const found = findSymbol(modules, name, !module.hasTaint(TAINT.TAINT_PROPRIETARY_MODULE));
  if (found === undefined) return { found, err: 0, ownerName: '' };
  const ownerName = found.owner?.name ?? 'kernel';
  const refused = (err: number): Resolution => ({ found: undefined, err, ownerName });
  if (found.gplOnly) module.setBool('using_gplonly_symbols', true);
  if (!inheritTaint(modules, module, found.owner, name)) return refused(0);
  if (!checkVersion(info, name, found.crc, (bit) => modules.addTaintModule(module, bit))) {
    return refused(-ERRNO.EINVAL);
  }
  if (!namespaceIsImported(info, module, name, found)) return refused(-ERRNO.EINVAL);
  const err = refModule(modules, module, found.owner);
  return err ? refused(err) : { found, err: 0, ownerName };
}

/** How long a module waits for one it depends on that is still being initialised. */
const RESOLVE_TIMEOUT_NS = 30e9;

function* resolveSymbolWait(
  modules: Modules,
  info: LoadInfo,
  module: Module,
  name: string,
): Routine<Resolution> {
  let resolution = resolveSymbol(modules, info, module, name);
  if (resolution.err !== -ERRNO.EBUSY) return resolution;
  const done = yield* modules.host.waitForModules(() => {
    resolution = resolveSymbol(modules, info, module, name);
    return resolution.err !== -ERRNO.EBUSY;
  }, RESOLVE_TIMEOUT_NS);
  if (!done) {
    modules.host.printk(
      LOGLEVEL.LOGLEVEL_WARNING,
      `${module.name}: gave up waiting for init of module ${resolution.ownerName}.`,
    );
  }
  return resolution;
}

/**
 * Turns every symbol's value into an address, in the table in the module's init memory. All symbols are looked
 * at, so that every missing one is logged. Source: kernel/module/main.c, simplify_symbols.
 */
export function* simplifySymbols(modules: Modules, info: LoadInfo, module: Module): Routine<number> {
  const { host } = info;
  const { view } = host.memory;
  const table = info.section(info.index.sym).addr!;
  const percpu = module.ptr('percpu');
  let ret = 0;
  for (let i = 1; i < info.symbolCount; i++) {
    const at = (table >>> 0) + i * SYM_SIZE;
    const nameOffset = view.getUint32(at, true);
    const shndx = view.getUint16(at + 6, true);
    switch (shndx) {
      case SHN_ABS:
      case SHN_LIVEPATCH:
        break;
      case SHN_COMMON:
        if (info.symbolName(nameOffset).startsWith('__gnu_lto')) break;
        host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${module.name}: please compile with -fno-common`);
        ret = -ERRNO.ENOEXEC;
        break;
      case SHN_UNDEF: {
        const name = info.symbolName(nameOffset);
        const { found, err } = yield* resolveSymbolWait(modules, info, module, name);
        if (found !== undefined) {
          if (found.owner === undefined) host.bindExport(name, found.address);
          view.setBigUint64(at + 8, addrToU64(found.address), true);
          break;
        }
        const weak = view.getUint8(at + 4) >> 4 === STB_WEAK;
        if (err === 0 && (weak || name === '_GLOBAL_OFFSET_TABLE_')) break;
        ret = err || -ERRNO.ENOENT;
        host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${module.name}: Unknown symbol ${name} (err ${ret})`);
        break;
      }
      default: {
        const section = info.sections[shndx];
        if (section === undefined) {
          const name = info.symbolName(nameOffset);
          host.printk(
            LOGLEVEL.LOGLEVEL_ERR,
            `${module.name}: Symbol ${name} has an invalid section index ${shndx} (max ${info.shnum - 1})`,
          );
          ret = -ERRNO.ENOEXEC;
          break;
        }
        const base = shndx === info.index.pcpu ? addrToU64(percpu) : baseOf(section);
        view.setBigUint64(at + 8, BigInt.asUintN(64, view.getBigUint64(at + 8, true) + base), true);
      }
    }
  }
  return ret;
}

/**
 * A section's address; one that is not loaded is, in the real kernel, somewhere in the copy of the file, whose
 * address means nothing afterwards. Ours is the offset in the file.
 */
function baseOf(section: LoadInfo['sections'][number]): bigint {
  return section.addr === undefined ? BigInt(Math.min(section.offset, 2 ** 52)) : addrToU64(section.addr);
}

/** `verify_exported_symbols`: no name may be exported twice. */
export function verifyExportedSymbols(modules: Modules, module: Module): number {
  for (const name of exportsOf(modules, module).keys()) {
    const other = findSymbolElsewhere(modules, module, name);
    if (other === undefined) continue;
    modules.host.printk(
      LOGLEVEL.LOGLEVEL_ERR,
      `${module.name}: exports duplicate symbol ${name} (owned by ${other.owner?.name ?? 'kernel'})`,
    );
    return -ERRNO.ENOEXEC;
  }
  return 0;
}

/** The module itself is still unformed, so `find_symbol` does not see it. */
function findSymbolElsewhere(modules: Modules, module: Module, name: string): FoundSymbol | undefined {
  const found = findSymbol(modules, name, true);
  return found?.owner === module ? undefined : found;
}
