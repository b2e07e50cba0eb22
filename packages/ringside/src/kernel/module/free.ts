import { type GuestAddr, NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import { findKallsymsSymbol, type ModuleSymbolAt } from './kallsyms.ts';
import type { ModuleMemory } from './layout.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { moduleUnloadFree } from './refcount.ts';

/** Takes a module off the list, if it was on it. */
export function removeFromList(modules: Modules, module: Module): void {
  if (module.linked) modules.unlink(module);
}

/** `module_deallocate`: gives back the memory of a module that never ran. */
export function moduleDeallocate(modules: Modules, module: Module, memory: ModuleMemory): void {
  modules.forget(module);
  if (memory.init !== NULL) modules.host.moduleFree(memory.init);
  modules.host.moduleFree(memory.core);
}

/** Function names of an area that is about to go, for reports of what was there. */
function rememberArea(modules: Modules, module: Module, which: 'core' | 'init'): void {
  const { base, size } = module.layout(which);
  if (base === NULL) return;
  const { memory } = modules.host;
  const names: { start: GuestAddr; symbol: ModuleSymbolAt }[] = [];
  const { textSize } = module.layout(which);
  for (let at = base; at < base + textSize; ) {
    const symbol = findKallsymsSymbol(memory, module, at as GuestAddr);
    if (symbol === undefined || symbol.size <= 0) break;
    names.push({ start: at as GuestAddr, symbol });
    at = (at - symbol.offset + symbol.size) as GuestAddr;
    if (names.length > 4096) break;
  }
  modules.remember({
    start: base,
    size,
    moduleName: module.name,
    what: which,
    symbolAt(addr) {
      const found = names.findLast(({ start }) => start <= addr);
      return found && { ...found.symbol, offset: addr - found.start + found.symbol.offset };
    },
  });
}

/** Frees the init area: calls into it fault from now on. Returns the work that gives the memory back. */
export function detachInit(modules: Modules, module: Module): () => void {
  const { base } = module.layout('init');
  modules.host.events.freeingInit?.(module);
  rememberArea(modules, module, 'init');
  module.setLayout('init', { base: NULL, size: 0, textSize: 0, roSize: 0, roAfterInitSize: 0 });
  return () => {
    if (base !== NULL) modules.host.moduleFree(base);
  };
}

/** `free_module`: takes a module apart and gives back all it had. */
export function* freeModule(modules: Modules, module: Module): Routine<void> {
  const { host } = modules;
  host.events.sysfsTeardown?.(module);
  module.state = 'unformed';
  moduleUnloadFree(modules, module);
  yield* host.destroyParams(module.ptr('kp'), module.u32('num_kp'));
  removeFromList(modules, module);
  host.events.freeing?.(module);
  rememberArea(modules, module, 'core');
  rememberArea(modules, module, 'init');
  for (const member of ['version', 'srcversion', 'args'] as const) {
    const copy = module.ptr(member);
    if (copy !== NULL) host.kfree(copy);
  }
  if (module.u32('percpu_size') > 0) host.percpuRelease(module.ptr('percpu'));
  const init = module.layout('init').base;
  const core = module.layout('core').base;
  modules.forget(module);
  if (init !== NULL) host.moduleFree(init);
  host.moduleFree(core);
}
