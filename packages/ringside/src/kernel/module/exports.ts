import { ERRNO } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { IMAGE } from '../../memory/index.ts';
import { type ExportTable, fn, partial } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import { updateStaticKey } from './jump-labels.ts';
import type { Module } from './module.ts';
import { registerModuleNotifier, unregisterModuleNotifier } from './notifier.ts';
import { pvOps } from './pv-ops.ts';
import { moduleRefcount, strongTryModuleGet, tryModuleGet } from './refcount.ts';
import { isSigEnforced } from './signing.ts';
import { transformTrampoline, updateStaticCall } from './static-calls.ts';
import { findSymbol } from './symbols.ts';

/**
 * The module an argument points to. A pointer to nothing faults here, as in the real function; one to freed memory
 * is reported as it is read.
 */
function moduleArgument(k: Kernel, i: number): Module | undefined {
  const addr = k.args.addr(i);
  if (addr === NULL) return undefined;
  k.memory.readU32(addr);
  return k.modules.at(addr);
}

const stringArgument = (k: Kernel, i: number): string => k.memory.readString(k.args.addr(i));

/** `static_key.enabled`. */
const enabled = (k: Kernel, key: GuestAddr): number => k.memory.readI32(key);

function setEnabled(k: Kernel, key: GuestAddr, value: number): void {
  k.memory.writeU32(key, value);
  updateStaticKey(k.modules, key);
}

/** Source: kernel/jump_label.c, static_key_slow_inc and static_key_slow_dec. */
function addToKey(k: Kernel, delta: 1 | -1): void {
  const key = k.args.addr(0);
  const before = enabled(k, key);
  const after = before + delta;
  if (after < 0) {
    k.warnInKernel('__static_key_slow_dec_cpuslocked', 'jump label: negative count!\n');
    return;
  }
  k.memory.writeU32(key, after);
  if (before === 0 || after === 0) updateStaticKey(k.modules, key);
}

function enableKey(k: Kernel): void {
  const key = k.args.addr(0);
  if (enabled(k, key) === 0) setEnabled(k, key, 1);
}

function disableKey(k: Kernel): void {
  const key = k.args.addr(0);
  if (enabled(k, key) === 1) setEnabled(k, key, 0);
}

/** kernel/module/main.c, kernel/kmod.c, kernel/jump_label.c, kernel/static_call_inline.c, arch/x86/kernel/paravirt.c */
export const moduleExportTable: ExportTable = {
  try_module_get: fn('bool try_module_get(struct module *module)', (k) => {
    const module = moduleArgument(k, 0);
    return module === undefined ? k.args.addr(0) === NULL : tryModuleGet(module);
  }),
  __module_get: fn('void __module_get(struct module *module)', (k) => {
    const module = moduleArgument(k, 0);
    if (module !== undefined) module.refcnt += 1;
  }),
  module_put: fn('void module_put(struct module *module)', (k) => {
    const module = moduleArgument(k, 0);
    if (module !== undefined) k.modules.put(module);
  }),
  module_refcount: fn('int module_refcount(struct module *mod)', (k) => {
    const module = moduleArgument(k, 0);
    return module === undefined ? -1 : moduleRefcount(module);
  }),
  __module_put_and_kthread_exit: fn(
    'void __module_put_and_kthread_exit(struct module *mod, long int code)',
    function* (k) {
      const module = moduleArgument(k, 0);
      const code = k.args.i64(1);
      if (module !== undefined) k.modules.put(module);
      yield* k.modules.host.kthreadExit(code);
    },
  ),
  register_module_notifier: fn('int register_module_notifier(struct notifier_block *nb)', (k) =>
    registerModuleNotifier(k.modules, k.args.addr(0)),
  ),
  unregister_module_notifier: fn('int unregister_module_notifier(struct notifier_block *nb)', (k) =>
    unregisterModuleNotifier(k.modules, k.args.addr(0)),
  ),
  __symbol_get: fn('void * __symbol_get(const char *symbol)', (k) => {
    const name = stringArgument(k, 0);
    const found = findSymbol(k.modules, name, true);
    if (found === undefined) return NULL;
    if (!found.gplOnly) {
      k.modules.host.printk(4, `failing symbol_get of non-GPLONLY symbol ${name}.`);
      return NULL;
    }
    if (strongTryModuleGet(found.owner)) return NULL;
    if (found.owner === undefined) k.natives.resolve(name, found.address);
    return found.address;
  }),
  __symbol_put: partial(
    'void __symbol_put(const char *symbol)',
    'a symbol that does not exist is a warning, not a BUG',
    (k) => {
      const found = findSymbol(k.modules, stringArgument(k, 0), true);
      if (found === undefined) k.warnInKernel('__symbol_put', '');
      else if (found.owner !== undefined) k.modules.put(found.owner);
    },
  ),
  symbol_put_addr: partial(
    'void symbol_put_addr(void *addr)',
    'an address outside all text is a warning, not a BUG',
    (k) => {
      const addr = k.args.addr(0);
      if (addr >= IMAGE.start && addr < IMAGE.start + IMAGE.size) return;
      const module = k.modules.textAddressOf(addr);
      if (module === undefined) k.warnInKernel('symbol_put_addr', '');
      else k.modules.put(module);
    },
  ),
  __request_module: partial(
    'int __request_module(bool wait, const char *fmt, ...)',
    'there is no modprobe to ask: always -ENOENT',
    () => -ERRNO.ENOENT,
  ),
  is_module_sig_enforced: fn('bool is_module_sig_enforced(void)', (k) =>
    isSigEnforced(k.spec, k.commandLine.get('module.sig_enforce')),
  ),
  static_key_count: fn('int static_key_count(struct static_key *key)', (k) => {
    const count = enabled(k, k.args.addr(0));
    return count >= 0 ? count : 1;
  }),
  static_key_slow_inc: fn('bool static_key_slow_inc(struct static_key *key)', (k) => {
    addToKey(k, 1);
    return true;
  }),
  static_key_slow_dec: fn('void static_key_slow_dec(struct static_key *key)', (k) => addToKey(k, -1)),
  static_key_enable: fn('void static_key_enable(struct static_key *key)', enableKey),
  static_key_enable_cpuslocked: fn('void static_key_enable_cpuslocked(struct static_key *key)', enableKey),
  static_key_disable: fn('void static_key_disable(struct static_key *key)', disableKey),
  static_key_disable_cpuslocked: fn('void static_key_disable_cpuslocked(struct static_key *key)', disableKey),
  __static_call_update: fn(
    'void __static_call_update(struct static_call_key *key, void *tramp, void *func)',
    (k) => {
      const key = k.args.addr(0);
      const func = k.args.addr(2);
      if (k.memory.readPtr(key) === func) return;
      k.memory.writePtr(key, func);
      const trampoline = k.args.addr(1);
      if (trampoline !== NULL) transformTrampoline(k.modules, asAddr(trampoline), func);
      updateStaticCall(k.modules, key);
    },
  ),
  __static_call_return0: fn('long int __static_call_return0(void)', () => 0),
  pv_ops: pvOps,
};
