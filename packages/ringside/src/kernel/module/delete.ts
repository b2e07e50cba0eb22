import { ERRNO } from '../../abi/index.ts';
import { NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import { freeModule } from './free.ts';
import { listEmpty } from './list-head.ts';
import type { Modules } from './modules.ts';
import { notifyModule } from './notifier.ts';
import { tryForceUnload, tryReleaseModuleRef } from './refcount.ts';

/**
 * delete_module(): runs the module's exit function and takes it away. 0 or a negative errno: -ENOENT without such
 * a module, -EWOULDBLOCK while it is used, -EBUSY while it comes or goes, or when it has no exit function.
 * `flags`: `O_TRUNC` forces. Source: kernel/module/main.c.
 */
export function* deleteModule(modules: Modules, name: string, flags = 0): Routine<number> {
  const { host } = modules;
  if (modules.disabled) return -ERRNO.EPERM;
  if (name.length === 0 || name.length >= modules.structs.nameSize) return -ERRNO.ENOENT;
  const module = modules.find(name);
  if (module === undefined) return -ERRNO.ENOENT;
  if (!listEmpty(host.memory, module.at('source_list'))) return -ERRNO.EWOULDBLOCK;
  if (module.state !== 'live') return -ERRNO.EBUSY;
  if (module.init !== NULL && module.exit === NULL && !tryForceUnload(modules, flags)) return -ERRNO.EBUSY;
  if (!tryReleaseModuleRef(module) && !tryForceUnload(modules, flags)) return -ERRNO.EWOULDBLOCK;
  module.state = 'going';

  const { exit } = module;
  if (exit !== NULL) yield* host.frame('__do_sys_delete_module', '*', host.callInt(exit));
  yield* notifyModule(modules, module, 'going');
  yield* host.asyncSynchronize();
  modules.lastUnloaded = { name: module.name, taints: module.flags(false) };
  yield* freeModule(modules, module);
  host.moduleWake();
  return 0;
}
