import { ERRNO, TAINT } from '../../abi/index.ts';
import { asAddr, NULL } from '../../bytes/index.ts';
import { listAdd, listDel, listEntries } from './list-head.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';

/** The count that loading itself holds; a module whose counter is 0 is going. Source: kernel/module/main.c. */
const MODULE_REF_BASE = 1;
/** Flag of delete_module: take the module away although it is used. Source: O_TRUNC, asm-generic/fcntl.h. */
export const O_TRUNC = 0o1000;

/** `module_refcount` */
export function moduleRefcount(module: Module): number {
  return module.refcnt - MODULE_REF_BASE;
}

/** `try_module_get`: false when the module is going. */
export function tryModuleGet(module: Module): boolean {
  const count = module.refcnt;
  if (module.state === 'going' || count === 0) return false;
  module.refcnt = count + 1;
  return true;
}

/** `module_put`; false where the kernel would warn that there was nothing to put. */
export function modulePut(module: Module): boolean {
  const count = module.refcnt;
  if (count <= 0) return false;
  module.refcnt = count - 1;
  return true;
}

/** `strong_try_module_get`: 0, -EBUSY while the module is still being initialised, or -ENOENT. */
export function strongTryModuleGet(module: Module | undefined): number {
  if (module === undefined) return 0;
  if (module.state === 'coming') return -ERRNO.EBUSY;
  return tryModuleGet(module) ? 0 : -ERRNO.ENOENT;
}

/** `module_unload_init`: one count for being loaded, one for the time that init runs. */
export function moduleUnloadInit(modules: Modules, module: Module): void {
  const { memory } = modules.host;
  module.refcnt = MODULE_REF_BASE + 1;
  for (const member of ['source_list', 'target_list'] as const) {
    const head = module.at(member);
    memory.writePtr(head, head);
    memory.writePtr(asAddr(head + 8), head);
  }
}

/** `ref_module`: notes that `user` uses `used`, once. 0 or a negative errno. */
export function refModule(modules: Modules, user: Module, used: Module | undefined): number {
  if (used === undefined) return 0;
  const { host } = modules;
  const { memory } = host;
  const { use } = modules.structs;
  for (const entry of listEntries(memory, used.at('source_list'))) {
    if (memory.readPtr(asAddr(entry - use.source_list + use.source)) === user.addr) return 0;
  }
  const err = strongTryModuleGet(used);
  if (err) return err;
  const link = host.kmalloc(use.size);
  if (link === NULL) {
    modulePut(used);
    return -ERRNO.ENOMEM;
  }
  memory.writePtr(asAddr(link + use.source), user.addr);
  memory.writePtr(asAddr(link + use.target), used.addr);
  listAdd(memory, asAddr(link + use.source_list), used.at('source_list'));
  listAdd(memory, asAddr(link + use.target_list), user.at('target_list'));
  return 0;
}

/** The modules that use `module`, the latest first. */
export function* usersOf(modules: Modules, module: Module): Generator<Module> {
  const { memory } = modules.host;
  const { use } = modules.structs;
  for (const entry of listEntries(memory, module.at('source_list'))) {
    const user = modules.at(memory.readPtr(asAddr(entry - use.source_list + use.source)));
    if (user !== undefined) yield user;
  }
}

/** `module_unload_free`: gives up the modules that `module` uses. */
export function moduleUnloadFree(modules: Modules, module: Module): void {
  const { memory } = modules.host;
  const { use } = modules.structs;
  for (const entry of listEntries(memory, module.at('target_list'))) {
    const link = asAddr(entry - use.target_list);
    const used = modules.at(memory.readPtr(asAddr(link + use.target)));
    if (used !== undefined) modules.put(used);
    listDel(memory, asAddr(link + use.source_list), 'list_del');
    listDel(memory, entry, 'list_del');
    modules.host.kfree(link);
  }
}

/** `try_force_unload`; Debian's kernel has CONFIG_MODULE_FORCE_UNLOAD. */
export function tryForceUnload(modules: Modules, flags: number): boolean {
  const { config } = modules.host.spec;
  if (!(flags & O_TRUNC)) return false;
  if (config !== undefined && config.get('CONFIG_MODULE_FORCE_UNLOAD') !== 'y') return false;
  modules.host.addTaint(TAINT.TAINT_FORCED_RMMOD, true);
  return true;
}

/** `try_release_module_ref`: takes the base count away; false, and nothing taken, when others hold the module. */
export function tryReleaseModuleRef(module: Module): boolean {
  const left = module.refcnt - MODULE_REF_BASE;
  if (left !== 0) return false;
  module.refcnt = 0;
  return true;
}
