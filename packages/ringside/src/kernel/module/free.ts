import { type GuestAddr, NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import { moduleSymbols } from './kallsyms.ts';
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

/** Notes what functions were in an area that is about to go, for reports of jumps into it. */
function rememberArea(modules: Modules, module: Module, which: 'core' | 'init'): void {
  const { base, size, textSize } = module.layout(which);
  if (base === NULL) return;
  const functions: { readonly start: GuestAddr; readonly name: string }[] = [];
  for (const symbol of moduleSymbols(modules.host.memory, module)) {
    const { address } = symbol;
    if (symbol.undefined || symbol.name === '' || address < base || address >= base + textSize) continue;
    functions.push({ start: address, name: symbol.name });
  }
  functions.sort((a, b) => a.start - b.start);
  // of several names for one place, the kernel takes the first in the table
  const distinct = functions.filter(({ start }, i) => functions[i - 1]?.start !== start);
  modules.remember({
    start: base,
    size,
    moduleName: module.name,
    what: which,
    symbolAt(addr) {
      const at = distinct.findLastIndex(({ start }) => start <= addr);
      const found = distinct[at];
      if (found === undefined || addr >= base + textSize) return undefined;
      const end = distinct[at + 1]?.start ?? base + textSize;
      return { name: found.name, offset: addr - found.start, size: end - found.start };
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
  host.events.freeing?.(module);
  module.state = 'unformed';
  moduleUnloadFree(modules, module);
  yield* host.destroyParams(module.ptr('kp'), module.u32('num_kp'));
  removeFromList(modules, module);
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
