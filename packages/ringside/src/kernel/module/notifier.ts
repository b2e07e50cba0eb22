import { ERRNO } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import type { Module, ModuleState } from './module.ts';
import type { Modules } from './modules.ts';

/** Results of a notifier. Source: include/linux/notifier.h. */
const NOTIFY_OK = 1;
const NOTIFY_STOP_MASK = 0x8000;

/** Where the links of the chain are: the list's head in the image, then each block's `next`. */
function links(modules: Modules): { head: GuestAddr; next: number; call: number; priority: number } {
  const { types } = modules.host.spec;
  const block = types.struct('notifier_block');
  return {
    head: asAddr(modules.notifyList + types.struct('blocking_notifier_head').offsetOf('head')),
    next: block.offsetOf('next'),
    call: block.offsetOf('notifier_call'),
    priority: block.offsetOf('priority'),
  };
}

/** `register_module_notifier`: by falling priority, later ones of the same priority behind. */
export function registerModuleNotifier(modules: Modules, block: GuestAddr): number {
  const { memory } = modules.host;
  const { head, next, priority, call } = links(modules);
  let link = head;
  for (let at = memory.readPtr(link); at !== NULL; at = memory.readPtr(link)) {
    if (at === block) {
      const name = modules.symbolName(memory.readPtr(asAddr(block + call)));
      modules.host.warn('notifier_chain_register', `notifier callback ${name} already registered`);
      return -ERRNO.EEXIST;
    }
    if (memory.readI32(asAddr(block + priority)) > memory.readI32(asAddr(at + priority))) break;
    link = asAddr(at + next);
  }
  memory.writePtr(asAddr(block + next), memory.readPtr(link));
  memory.writePtr(link, block);
  return 0;
}

/** `unregister_module_notifier` */
export function unregisterModuleNotifier(modules: Modules, block: GuestAddr): number {
  const { memory } = modules.host;
  const { head, next } = links(modules);
  let link = head;
  for (let at = memory.readPtr(link); at !== NULL; at = memory.readPtr(link)) {
    if (at === block) {
      memory.writePtr(link, memory.readPtr(asAddr(block + next)));
      return 0;
    }
    link = asAddr(at + next);
  }
  return -ERRNO.ENOENT;
}

/** Calls at most `limit` blocks of the chain; how many were called, and what the last one said. */
function* callChain(
  modules: Modules,
  module: Module,
  state: ModuleState,
  limit = Number.POSITIVE_INFINITY,
): Routine<{ ret: number; called: number }> {
  const { host } = modules;
  const { head, next, call } = links(modules);
  let ret = 0;
  let called = 0;
  let block = host.memory.readPtr(head);
  while (block !== NULL && called < limit) {
    const following = host.memory.readPtr(asAddr(block + next));
    const callee = host.memory.readPtr(asAddr(block + call));
    ret = yield* host.callInt(callee, block, modules.structs.state[state], module.addr);
    called++;
    if (ret & NOTIFY_STOP_MASK) break;
    block = following;
  }
  return { ret, called };
}

/** `blocking_notifier_call_chain` */
export function* notifyModule(modules: Modules, module: Module, state: ModuleState): Routine<void> {
  yield* callChain(modules, module, state);
}

/** Tells the chain that a module comes; when one refuses, those before it hear that it goes. 0 or an errno. */
export function* notifyComing(modules: Modules, module: Module): Routine<number> {
  const { ret, called } = yield* callChain(modules, module, 'coming');
  if (ret & NOTIFY_STOP_MASK) yield* callChain(modules, module, 'going', called - 1);
  const value = ret & ~NOTIFY_STOP_MASK;
  return value > NOTIFY_OK ? NOTIFY_OK - value : 0;
}
