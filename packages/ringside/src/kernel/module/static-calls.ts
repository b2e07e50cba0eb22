import { ERRNO, LOGLEVEL } from '../../abi/index.ts';
import { asAddr, FormatError, type GuestAddr, NULL } from '../../bytes/index.ts';
import { IMAGE } from '../../memory/index.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { branch, CALL_OPCODE, JMP32_OPCODE, nops, pokeText, RET_OPCODE, standsAt } from './text-patch.ts';

/** Flag bits of `static_call_site.key`. Source: include/linux/static_call_types.h. */
const TAIL = 1;
const INIT = 2;
const FLAGS = 3;
/** `xor %eax,%eax` with three CS prefixes: what a call of `__static_call_return0` becomes. */
const XOR_EAX = Uint8Array.of(0x2e, 0x2e, 0x2e, 0x31, 0xc0);
const RETURN = Uint8Array.of(RET_OPCODE, 0xcc, 0xcc, 0xcc, 0xcc);

interface Site {
  readonly addr: GuestAddr;
  readonly key: GuestAddr;
  readonly flags: number;
}

function readSites(modules: Modules, module: Module): Site[] {
  const { memory } = modules.host;
  const start = module.ptr('static_call_sites');
  const size = modules.structs.entrySize.static_call_site;
  return Array.from({ length: module.u32('num_static_call_sites') }, (_, i) => {
    const at = asAddr(start + i * size);
    const key = at + 4 + memory.readI32(asAddr(at + 4));
    const flags = key & FLAGS;
    return { addr: asAddr(at + memory.readI32(at)), key: asAddr(key - flags), flags };
  });
}

/**
 * Prepares a module's static calls: keys that were given as trampolines are looked up, the table is sorted by
 * key, and the calls lead directly to the present target. A negative errno when a trampoline has no key. Source:
 * kernel/static_call_inline.c.
 */
export function addStaticCalls(modules: Modules, module: Module): number {
  const { host } = modules;
  const sites: Site[] = [];
  for (const site of readSites(modules, module)) {
    const flags = site.flags | (module.within('init', site.addr) ? INIT : 0);
    const key = keyOf(modules, site.key);
    if (key === undefined) {
      host.printk(
        LOGLEVEL.LOGLEVEL_WARNING,
        `Failed to fixup __raw_static_call() usage at: ${modules.symbolName(site.addr)}`,
      );
      return -ERRNO.EINVAL;
    }
    sites.push({ ...site, key, flags });
  }
  sites.sort((a, b) => a.key - b.key);
  const { view } = host.memory;
  const start = module.ptr('static_call_sites');
  sites.forEach((site, i) => {
    const at = start + i * modules.structs.entrySize.static_call_site;
    view.setInt32(at >>> 0, (site.addr - at) | 0, true);
    view.setInt32((at + 4) >>> 0, (site.key + site.flags - (at + 4)) | 0, true);
  });
  for (const site of sites) transformSite(modules, module, site);
  return 0;
}

/** A key that modules may not change is exported as its trampoline only: `__SCT__name` stands for `__SCK__name`. */
function keyOf(modules: Modules, addr: GuestAddr): GuestAddr | undefined {
  if (addr < IMAGE.start || addr >= IMAGE.start + IMAGE.size) return addr;
  const { symbols } = modules.host.spec;
  const symbol = symbols.at(addr);
  if (symbol === undefined || !/^[tTwW]$/.test(symbol.type)) return addr;
  if (symbol.offset !== 0 || !symbol.name.startsWith('__SCT__')) return undefined;
  return symbols.lookup(symbol.name.replace('__SCT__', '__SCK__'))?.address;
}

/** Patches the calls of a key whose target has just changed. */
export function updateStaticCall(modules: Modules, key: GuestAddr): void {
  for (const module of modules.list()) {
    if (module.ptr('static_call_sites') === NULL || module.state === 'unformed') continue;
    for (const site of readSites(modules, module)) {
      const gone = (site.flags & INIT) !== 0 && !module.within('init', site.addr);
      if (site.key === key && !gone) transformSite(modules, module, site);
    }
  }
}

/** The trampoline itself: a jump to the target, or a return when there is none. */
export function transformTrampoline(modules: Modules, trampoline: GuestAddr, target: GuestAddr): void {
  const bytes = target === NULL ? RETURN : branch(JMP32_OPCODE, trampoline, target);
  pokeText(modules.host.memory, trampoline, bytes);
}

function transformSite(modules: Modules, module: Module, site: Site): void {
  const { memory, spec } = modules.host;
  const { addr, key } = site;
  if (!module.within('core', addr) && !module.within('init', addr)) {
    throw new FormatError("a static call names a place outside the module's memory", {
      section: '.static_call_sites',
    });
  }
  const inImage = key >= IMAGE.start && key < IMAGE.start + IMAGE.size;
  if (!inImage && !memory.canRead(key, 8)) return;
  // A key of the kernel that nothing here has set up is poisoned; looking at it is no access of the module's.
  let target = memory.canRead(key, 8) ? asAddr(Number(memory.view.getBigInt64(key >>> 0, true))) : NULL;
  if (target === NULL && inImage) {
    const known = modules.host.machine.staticCallTarget?.(spec.symbols.at(key)?.name ?? '');
    // a key of the kernel whose target is not known here: the trampoline serves
    if (known === undefined) return;
    const symbol = known === '' ? undefined : spec.symbols.lookup(known);
    if (known !== '' && symbol === undefined) return;
    target = symbol?.address ?? NULL;
    if (target !== NULL) modules.host.bindExport(known, target);
  }
  const tail = (site.flags & TAIL) !== 0;
  const conditional = memory.raw[addr >>> 0] === 0x0f && (memory.raw[(addr >>> 0) + 1]! & 0xf0) === 0x80;
  let bytes: Uint8Array;
  if (tail && conditional) {
    const end = target === NULL ? spec.symbols.lookup('__static_call_return')?.address : target;
    if (end === undefined) return;
    const jump = branch(JMP32_OPCODE, asAddr(addr + 1), end);
    jump[0] = memory.raw[(addr >>> 0) + 1]!;
    bytes = Uint8Array.of(0x0f, ...jump);
  } else if (tail) bytes = target === NULL ? RETURN : branch(JMP32_OPCODE, addr, target);
  else if (target === NULL) bytes = nops(5);
  else if (target === spec.symbols.lookup('__static_call_return0')?.address) bytes = XOR_EAX;
  else bytes = branch(CALL_OPCODE, addr, target);
  if (!standsAt(memory, addr, bytes)) pokeText(memory, addr, bytes);
}
