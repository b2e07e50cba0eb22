import { LOGLEVEL } from '../../abi/index.ts';
import { type GuestAddr, NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import { detachInit, freeModule } from './free.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { notifyModule } from './notifier.ts';
import { enableRo } from './strict-rwx.ts';
import { trimInitExtable } from './tables.ts';

/** Runs init and makes the module live, or takes it apart again. Source: kernel/module/main.c, do_init_module. */
export function* doInitModule(modules: Modules, module: Module): Routine<number> {
  const { host } = modules;
  const { init } = module;
  let ret = 0;
  if (init !== NULL) {
    ret = yield* host.frame('do_init_module', 'do_one_initcall', doOneInitcall(modules, init));
  }
  if (ret < 0) {
    module.state = 'going';
    modules.put(module);
    yield* notifyModule(modules, module, 'going');
    yield* freeModule(modules, module);
    host.moduleWake();
    return ret;
  }
  if (ret > 0) {
    host.printk(
      LOGLEVEL.LOGLEVEL_WARNING,
      `do_init_module: '${module.name}'->init suspiciously returned ${ret}, it should follow 0/-E convention\n` +
        'do_init_module: loading module anyway...',
    );
    yield* host.frame('do_init_module', 'dump_stack', dumpStack(modules));
  }

  module.state = 'live';
  yield* notifyModule(modules, module, 'live');
  host.events.uevent?.(module);
  if (!module.bool('async_probe_requested')) yield* host.asyncSynchronize();

  modules.put(module);
  trimInitExtable(modules, module);
  const freeInit = detachInit(modules, module);
  module.setPtr('kallsyms', module.at('core_kallsyms'));
  enableRo(host.memory, module, true);
  host.scheduleWork(freeInit);
  host.moduleWake();
  return 0;
}

// biome-ignore lint/correctness/useYield: a frame's body is a routine
function* dumpStack(modules: Modules): Routine<void> {
  modules.host.dumpStack();
}

/** `do_one_initcall`: what init leaves behind must be what it found. Source: init/main.c. */
function* doOneInitcall(modules: Modules, init: GuestAddr): Routine<number> {
  const { host } = modules;
  const count = host.preemptCount;
  const name = describe(modules, init);
  const ret = yield* host.frame('do_one_initcall', '*', host.callInt(init));
  let message = '';
  if (host.preemptCount !== count) {
    message += 'preemption imbalance ';
    host.preemptCount = count;
  }
  if (host.irqsDisabled) {
    message += 'disabled interrupts ';
    host.irqsDisabled = false;
  }
  if (message !== '') host.warn('do_one_initcall', `initcall ${name} returned with ${message}`);
  return ret;
}

/** `%pS`: `hello_init+0x0/0x30 [hello]` */
function describe(modules: Modules, addr: GuestAddr): string {
  const found = modules.lookup(addr);
  if (found === undefined) return `0x${(addr >>> 0).toString(16)}`;
  return `${found.name}+0x${found.offset.toString(16)}/0x${found.size.toString(16)} [${found.module.name}]`;
}
