import { asAddr, type GuestAddr, NULL, UnsupportedError } from '../../bytes/index.ts';
import { PAGE_SIZE, PROT_RW } from '../../memory/index.ts';
import type { ModuleHost } from './host.ts';
import { findKallsymsSymbol, findKallsymsSymbolValue, type ModuleSymbolAt } from './kallsyms.ts';
import { initListHead, listAdd, listDel, listEmpty, listEntries } from './list-head.ts';
import { endsLockDebugging, type OncePrinted } from './modinfo.ts';
import type { Module } from './module.ts';
import { type ModuleStructs, moduleStructs } from './module-struct.ts';
import { modulePut } from './refcount.ts';
import { type ExceptionFixup, findModuleBug, type ModuleBug, searchExtable } from './tables.ts';

/** Memory that belonged to a module that is gone, or to init code that has been freed. */
export interface FormerMemory {
  readonly start: GuestAddr;
  readonly size: number;
  readonly moduleName: string;
  readonly what: 'core' | 'init';
  /** Names of functions that were there, by address; for reports of jumps into freed text. */
  symbolAt(addr: GuestAddr): ModuleSymbolAt | undefined;
}

/** Former areas are remembered up to this number, for reports. */
const FORMER_LIMIT = 64;

/**
 * The machine's modules. The list itself is the kernel's `modules` list in guest memory, so that a module that
 * unlinks itself is gone from it; here is what finds the rest of a module again.
 */
export class Modules {
  readonly host: ModuleHost;
  readonly structs: ModuleStructs;
  /** Head of the guest's list of modules, at its address in the image. */
  readonly head: GuestAddr;
  /** `struct blocking_notifier_head module_notify_list`. */
  readonly notifyList: GuestAddr;
  /** Messages that are printed once per boot. */
  readonly once: OncePrinted = { printed: new Set() };
  /** `name` and `taints` of the module that was unloaded last, as an oops prints them. */
  lastUnloaded: { readonly name: string; readonly taints: string } | undefined;
  /** `modules_disabled`: no module comes or goes any more. */
  disabled: boolean;
  readonly former: FormerMemory[] = [];
  readonly #byAddr = new Map<GuestAddr, Module>();

  constructor(host: ModuleHost) {
    this.host = host;
    this.structs = moduleStructs(host.spec.types);
    this.head = this.#imageVariable('modules', 16);
    this.notifyList = this.#imageVariable(
      'module_notify_list',
      host.spec.types.struct('blocking_notifier_head').size,
    );
    if (host.memory.readPtr(this.head) === NULL) initListHead(host.memory, this.head);
    const nomodule = host.bootOption('nomodule');
    this.disabled = nomodule !== undefined && nomodule !== '0';
  }

  // ---- the list

  /** Modules in the list's order: the latest first. */
  *list(): Generator<Module> {
    for (const entry of listEntries(this.host.memory, this.head)) {
      const module = this.#byAddr.get(asAddr(entry - this.structs.module.list));
      if (module !== undefined) yield module;
    }
  }

  /** The module whose `struct module` is at this address. */
  at(addr: GuestAddr): Module | undefined {
    return this.#byAddr.get(addr);
  }

  /** `find_module_all` */
  find(name: string, evenUnformed = false): Module | undefined {
    for (const module of this.list()) {
      if ((evenUnformed || module.state !== 'unformed') && module.name === name) return module;
    }
    return undefined;
  }

  link(module: Module): void {
    listAdd(this.host.memory, module.at('list'), this.head);
    this.#byAddr.set(module.addr, module);
    module.linked = true;
  }

  /** `list_del_rcu`. A module that has unlinked itself is unlinked a second time, as the real kernel does. */
  unlink(module: Module): void {
    listDel(this.host.memory, module.at('list'), 'list_del_rcu');
    module.linked = false;
  }

  /** The module's memory is about to be freed: nothing finds it any more. */
  forget(module: Module): void {
    this.#byAddr.delete(module.addr);
  }

  /** `module_put`, with the warning for one that was not held. */
  put(module: Module): void {
    if (!modulePut(module)) this.host.warn('module_put', undefined);
  }

  /** `add_taint_module` */
  addTaintModule(module: Module, bit: number): void {
    this.host.addTaint(bit, endsLockDebugging(bit));
    module.taints |= 1 << bit;
  }

  get isEmpty(): boolean {
    return listEmpty(this.host.memory, this.head);
  }

  // ---- addresses

  /** `__module_address`: the module whose memory holds the address. It need not be on the list. */
  addressOf(addr: GuestAddr): Module | undefined {
    for (const module of this.#byAddr.values()) {
      if (module.state === 'unformed') continue;
      if (module.within('core', addr) || module.within('init', addr)) return module;
    }
    return undefined;
  }

  /** `__module_text_address` */
  textAddressOf(addr: GuestAddr): Module | undefined {
    const module = this.addressOf(addr);
    return module?.withinText(addr) ? module : undefined;
  }

  /** `module_address_lookup`: symbol, offset and size for a backtrace, with the module's name. */
  lookup(addr: GuestAddr): (ModuleSymbolAt & { readonly module: Module }) | undefined {
    const module = this.addressOf(addr);
    if (module === undefined) return undefined;
    const symbol = findKallsymsSymbol(this.host.memory, module, addr);
    return symbol === undefined ? undefined : { ...symbol, module };
  }

  /** `%ps` of a module's address. */
  symbolName(addr: GuestAddr): string {
    const found = this.lookup(addr);
    return found === undefined ? `0x${(addr >>> 0).toString(16)}` : `${found.name} [${found.module.name}]`;
  }

  /** `module_kallsyms_lookup_name`: also `module:name`. NULL when there is no such symbol. */
  lookupName(name: string): GuestAddr {
    const colon = name.indexOf(':');
    if (colon >= 0) {
      const module = this.find(name.slice(0, colon));
      return module === undefined
        ? NULL
        : findKallsymsSymbolValue(this.host.memory, module, name.slice(colon + 1));
    }
    for (const module of this.list()) {
      if (module.state === 'unformed') continue;
      const value = findKallsymsSymbolValue(this.host.memory, module, name);
      if (value !== NULL) return value;
    }
    return NULL;
  }

  /** `find_bug` in modules. */
  findBug(addr: GuestAddr): ModuleBug | undefined {
    const module = this.addressOf(addr);
    return module && findModuleBug(this, module, addr);
  }

  /** `search_module_extables` */
  searchExtables(addr: GuestAddr): ExceptionFixup | undefined {
    const module = this.addressOf(addr);
    return module && searchExtable(this, module, addr);
  }

  /** What was at an address of module memory that has been freed; the latest first. */
  formerAt(addr: GuestAddr): FormerMemory | undefined {
    return this.former.find((area) => addr >= area.start && addr < area.start + area.size);
  }

  remember(area: FormerMemory): void {
    this.former.unshift(area);
    this.former.length = Math.min(this.former.length, FORMER_LIMIT);
  }

  // ---- inside

  /** A variable of the kernel that modules reach through pointers: mapped, zero at first. */
  #imageVariable(name: string, size: number): GuestAddr {
    const { memory, spec } = this.host;
    const addr = spec.symbols.lookup(name)?.address;
    if (addr === undefined) {
      throw new UnsupportedError({
        what: `a kernel without ${name}`,
        advice: `kernel ${spec.release} cannot load modules here`,
      });
    }
    const first = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
    for (let page = first; page < addr + size; page += PAGE_SIZE) {
      if (!memory.isPresent(asAddr(page))) memory.map(asAddr(page), PAGE_SIZE, PROT_RW);
    }
    memory.unpoison(addr, size);
    return addr;
  }
}
