import { ERRNO, LOGLEVEL, TAINT } from '../../abi/index.ts';
import { asAddr, FormatError, type GuestAddr, NULL } from '../../bytes/index.ts';
import { SHF_ALLOC, SHF_RO_AFTER_INIT } from '../../elf/index.ts';
import { GuestAccessFault } from '../../memory/index.ts';
import { dyndbgParam } from '../params/index.ts';
import type { Routine } from '../sched/routine.ts';
import { ftraceModuleInit, moduleFinalize } from './alternatives.ts';
import { elfValidityCheck } from './elf-validity.ts';
import { findModuleSections } from './find-sections.ts';
import { moduleDeallocate, removeFromList } from './free.ts';
import { doInitModule } from './init.ts';
import { addJumpLabels } from './jump-labels.ts';
import { addKallsyms } from './kallsyms.ts';
import { layoutSections, layoutSymtab, moveModule } from './layout.ts';
import { LoadInfo } from './load-info.ts';
import {
  addTaintEarly,
  blacklisted,
  checkModinfo,
  enforceRwxSections,
  modinfo,
  nameInFile,
  tryToForceLoad,
} from './modinfo.ts';
import { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { notifyComing, notifyModule } from './notifier.ts';
import { moduleUnloadFree, moduleUnloadInit } from './refcount.ts';
import { applyRelocations } from './relocate.ts';
import { moduleSigCheck } from './signing.ts';
import { addStaticCalls } from './static-calls.ts';
import { enableRo } from './strict-rwx.ts';
import { simplifySymbols, verifyExportedSymbols } from './symbols.ts';
import { sortExtable } from './tables.ts';
import { checkVersion } from './version.ts';

/** Flags of finit_module. Source: include/uapi/linux/module.h. */
export const MODULE_INIT_IGNORE_MODVERSIONS = 1;
export const MODULE_INIT_IGNORE_VERMAGIC = 2;
export const MODULE_INIT_COMPRESSED_FILE = 4;

/** `may_init_module`: -EPERM once modules are disabled. */
function mayInitModule(modules: Modules): number {
  return modules.disabled ? -ERRNO.EPERM : 0;
}

/**
 * finit_module(): loads the module in `bytes` with the parameters in `args` and runs its init function. 0 or a
 * negative errno, with the kernel's own messages. Throws `FormatError` for bytes on which the real kernel would
 * read or write where it must not, and `UnsupportedError`.
 */
export function* finitModule(
  modules: Modules,
  bytes: Uint8Array,
  args: Uint8Array | string,
  flags = 0,
): Routine<number> {
  const err = mayInitModule(modules);
  if (err) return err;
  const known = MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC | MODULE_INIT_COMPRESSED_FILE;
  if (flags & ~known) return -ERRNO.EINVAL;
  // kernel_read_file refuses an empty file
  if (bytes.length === 0) return -ERRNO.EINVAL;
  if (flags & MODULE_INIT_COMPRESSED_FILE) return -ERRNO.EOPNOTSUPP;
  return yield* modules.host.frame(
    '__do_sys_finit_module',
    'load_module',
    loadModule(modules, bytes, args, flags),
  );
}

/** The steps that must be undone when a later one fails, the latest first. */
class Undo {
  readonly #steps: (() => void)[] = [];

  push(step: () => void): void {
    this.#steps.push(step);
  }

  run(): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  }
}

function* loadModule(
  modules: Modules,
  bytes: Uint8Array,
  args: Uint8Array | string,
  flags: number,
): Routine<number> {
  const info = new LoadInfo(modules.host, modules.structs, bytes);
  const undo = new Undo();
  let formed: Module | number;
  try {
    formed = yield* formModule(modules, info, args, flags, undo);
  } catch (error) {
    undo.run();
    if (!(error instanceof GuestAccessFault)) throw error;
    throw new FormatError(`the module's tables lead to addresses that cannot be used: ${error}`);
  }
  if (typeof formed === 'number') {
    undo.run();
    return formed;
  }
  return yield* doInitModule(modules, formed);
}

/** Everything before init runs. The module, or a negative errno; `undo` then holds what must be undone. */
function* formModule(
  modules: Modules,
  info: LoadInfo,
  args: Uint8Array | string,
  flags: number,
  undo: Undo,
): Routine<Module | number> {
  const { host } = modules;
  const ignored = MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC;
  let err = moduleSigCheck(info, (flags & ignored) !== 0);
  err ||= elfValidityCheck(info);
  err ||= setupLoadInfo(info, flags);
  if (err) return err;
  if (blacklisted(host.bootOption('module_blacklist'), info.name)) {
    host.printk(LOGLEVEL.LOGLEVEL_ERR, `Module ${info.name} is blacklisted`);
    return -ERRNO.EPERM;
  }
  // modinfo and versions are looked at, but not loaded
  info.section(info.index.vers).flags &= ~SHF_ALLOC;
  info.section(info.index.info).flags &= ~SHF_ALLOC;
  const layoutCrc = host.spec.exports.byName('module_layout')?.crc;
  if (!checkVersion(info, 'module_layout', layoutCrc, (bit) => addTaintEarly(info, bit)))
    return -ERRNO.ENOEXEC;

  const module = layoutAndAllocate(modules, info, flags, undo);
  if (typeof module === 'number') return module;

  err = yield* addUnformedModule(modules, module);
  if (err) return err;
  undo.push(() => {
    removeFromList(modules, module);
    host.moduleWake();
  });

  module.setBool('sig_ok', info.sigOk);
  if (!info.sigOk && host.spec.config?.get('CONFIG_MODULE_SIG') !== undefined) {
    if (!modules.once.printed.has('unsigned')) {
      modules.once.printed.add('unsigned');
      host.printk(
        LOGLEVEL.LOGLEVEL_NOTICE,
        `${module.name}: module verification failed: signature and/or required key missing - tainting kernel`,
      );
    }
    modules.addTaintModule(module, TAINT.TAINT_UNSIGNED_MODULE);
  }

  err = percpuModalloc(info, module);
  if (err) return err;
  undo.push(() => percpuModfree(modules, module));
  moduleUnloadInit(modules, module);
  undo.push(() => moduleUnloadFree(modules, module));
  findModuleSections(info, module);
  err = checkLicenseAndVersions(modules, info, module);
  if (err) return err;
  setupModinfo(modules, info, module, undo);

  err = yield* simplifySymbols(modules, info, module);
  if (err < 0) return err;
  err = applyRelocations(info, module.name);
  if (err < 0) return err;
  postRelocation(modules, info, module);
  err = copyArgs(modules, module, args, undo);
  if (err) return err;
  ftraceModuleInit(info, module);

  err = completeFormation(modules, info, module);
  if (err) return err;
  err = yield* prepareComingModule(modules, module);
  if (err) {
    module.state = 'going';
    return err;
  }
  err = yield* host.frame('load_module', 'parse_args', parseArguments(modules, module));
  if (!err) err = host.events.sysfsSetup?.(module) ?? 0;
  if (err < 0) {
    module.state = 'going';
    yield* host.destroyParams(module.ptr('kp'), module.u32('num_kp'));
    yield* notifyModule(modules, module, 'going');
    return err;
  }
  return module;
}

/** Finds the sections that loading needs and the module's name. Source: setup_load_info. */
function setupLoadInfo(info: LoadInfo, flags: number): number {
  const { host, index } = info;
  index.info = info.findSec('.modinfo');
  const named = index.info === 0 ? undefined : modinfo(info, 'name');
  const called = named || '(missing .modinfo section or name field)';
  const symtab = info.sections.find((section, i) => i > 0 && section.type === 2);
  if (symtab === undefined) {
    host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${named ?? called}: module has no symbols (stripped?)`);
    return -ERRNO.ENOEXEC;
  }
  index.sym = symtab.index;
  index.str = symtab.link;
  info.strtab = info.section(index.str).offset;
  index.mod = info.findSec('.gnu.linkonce.this_module');
  if (index.mod === 0) {
    host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${named ?? called}: No module found in object`);
    return -ERRNO.ENOEXEC;
  }
  info.name = named ?? nameInFile(info);
  index.vers = flags & MODULE_INIT_IGNORE_MODVERSIONS ? 0 : info.findSec('__versions');
  index.pcpu = info.findSec('.data..percpu');
  return 0;
}

function layoutAndAllocate(modules: Modules, info: LoadInfo, flags: number, undo: Undo): Module | number {
  const ignoreVermagic = (flags & MODULE_INIT_IGNORE_VERMAGIC) !== 0;
  const err = checkModinfo(info, { ignoreVermagic, once: modules.once }) || enforceRwxSections(info);
  if (err) return err;
  info.section(info.index.pcpu).flags &= ~SHF_ALLOC;
  for (const name of ['.data..ro_after_init', '__jump_table']) {
    const index = info.findSec(name);
    if (index !== 0) info.section(index).flags |= SHF_RO_AFTER_INIT;
  }
  layoutSections(info);
  layoutSymtab(info);
  const thisModule = info.section(info.index.mod);
  if (thisModule.size < info.structs.size) {
    throw new FormatError(
      `struct module is ${thisModule.size} bytes, this kernel's has ${info.structs.size}; the real kernel would write beyond it`,
      { section: '.gnu.linkonce.this_module' },
    );
  }
  const memory = moveModule(info);
  if (typeof memory === 'number') return memory;
  if (thisModule.addr === undefined) throw new FormatError('struct module has no place in memory');
  const module = new Module(modules.host.memory, modules.structs, thisModule.addr, info.bytes);
  undo.push(() => moduleDeallocate(modules, module, memory));
  module.setLayout('core', { base: memory.core, ...info.core });
  module.setLayout('init', { base: memory.init, ...info.init });
  module.initRange.start = memory.init;
  module.initRange.size = info.init.size;
  module.taints |= info.taints;
  if (info.klp) module.setBool('klp', true);
  module.sections = info.sections
    .filter((section) => section.flags & SHF_ALLOC && section.size > 0 && section.addr !== undefined)
    .map((section) => ({
      name: info.sectionName(section),
      addr: section.addr!,
      size: section.size,
      init: section.place?.init === true,
    }));
  return module;
}

/** Takes the module's place in the list, unless its name is taken. Source: add_unformed_module. */
function* addUnformedModule(modules: Modules, module: Module): Routine<number> {
  module.state = 'unformed';
  const { name } = module;
  let old = modules.find(name, true);
  if (old !== undefined) {
    if (old.state === 'coming' || old.state === 'unformed') {
      yield* modules.host.waitForModules(() => {
        const other = modules.find(name, true);
        return other === undefined || other.state === 'live' || other.state === 'going';
      });
      old = modules.find(name, true);
    }
    return old?.state === 'live' ? -ERRNO.EEXIST : -ERRNO.EBUSY;
  }
  modules.link(module);
  return 0;
}

/** Room for `.data..percpu` on every CPU. Source: percpu_modalloc. */
function percpuModalloc(info: LoadInfo, module: Module): number {
  const { host } = info;
  const section = info.section(info.index.pcpu);
  if (info.index.pcpu === 0 || section.size === 0) return 0;
  let align = section.addralign;
  if (align > 4096) {
    host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${module.name}: per-cpu alignment ${align} > 4096`);
    align = 4096;
  }
  const offset = host.percpuReserve(section.size, Math.max(align, 1));
  if (offset === undefined) {
    host.printk(
      LOGLEVEL.LOGLEVEL_WARNING,
      `${module.name}: Could not allocate ${section.size} bytes percpu data`,
    );
    return -ERRNO.ENOMEM;
  }
  module.setPtr('percpu', asAddr(offset));
  module.setU32('percpu_size', section.size);
  return 0;
}

function percpuModfree(modules: Modules, module: Module): void {
  if (module.u32('percpu_size') > 0) modules.host.percpuRelease(module.ptr('percpu'));
  module.setU32('percpu_size', 0);
}

/** Modules known to lie about their licence, and exports without versions. */
function checkLicenseAndVersions(modules: Modules, info: LoadInfo, module: Module): number {
  const { host } = modules;
  const before = host.hasTaint(TAINT.TAINT_PROPRIETARY_MODULE);
  const { name } = module;
  if (name === 'ndiswrapper') host.addTaint(TAINT.TAINT_PROPRIETARY_MODULE, true);
  if (name === 'driverloader' || name === 'lve')
    modules.addTaintModule(module, TAINT.TAINT_PROPRIETARY_MODULE);
  if (!before && host.hasTaint(TAINT.TAINT_PROPRIETARY_MODULE)) {
    host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${name}: module license taints kernel.`);
  }
  const modversions = host.spec.exports.byName('module_layout')?.crc !== undefined;
  if (
    modversions &&
    ((module.u32('num_syms') > 0 && module.ptr('crcs') === NULL) ||
      (module.u32('num_gpl_syms') > 0 && module.ptr('gpl_crcs') === NULL))
  ) {
    return tryToForceLoad(info, 'no versions for exported symbols', (bit) => {
      if (bit === TAINT.TAINT_FORCED_MODULE) modules.addTaintModule(module, bit);
    });
  }
  return 0;
}

/** `version` and `srcversion` get copies that outlive the file. */
function setupModinfo(modules: Modules, info: LoadInfo, module: Module, undo: Undo): void {
  const { host } = modules;
  for (const field of ['version', 'srcversion'] as const) {
    const value = modinfo(info, field);
    module[field] = value;
    const copy = value === undefined ? NULL : copyString(modules, value);
    module.setPtr(field, copy);
    if (copy !== NULL) undo.push(() => host.kfree(copy));
  }
}

function copyString(modules: Modules, text: string | Uint8Array): GuestAddr {
  const { host } = modules;
  const bytes = typeof text === 'string' ? Uint8Array.from(text, (c) => c.charCodeAt(0)) : text;
  const addr = host.kmalloc(bytes.length + 1);
  if (addr === NULL) return NULL;
  host.memory.writeBytes(addr, bytes);
  host.memory.writeU8(asAddr(addr + bytes.length), 0);
  return addr;
}

function postRelocation(modules: Modules, info: LoadInfo, module: Module): void {
  sortExtable(modules, module);
  const percpu = info.section(info.index.pcpu);
  if (module.u32('percpu_size') > 0 && percpu.type !== 8) {
    for (const base of modules.host.cpuBases) {
      modules.host.memory.writeBytes(asAddr(base + module.ptr('percpu')), info.data(percpu));
    }
  }
  addKallsyms(info, module);
  moduleFinalize(info, module);
}

/** The parameters' text in kernel memory: `module.args`. */
function copyArgs(modules: Modules, module: Module, args: Uint8Array | string, undo: Undo): number {
  const bytes = typeof args === 'string' ? new TextEncoder().encode(args) : args;
  const end = bytes.indexOf(0);
  const copy = copyString(modules, end < 0 ? bytes : bytes.subarray(0, end));
  if (copy === NULL) return -ERRNO.ENOMEM;
  module.setPtr('args', copy);
  undo.push(() => modules.host.kfree(copy));
  return 0;
}

/** Duplicate exports, bug table, permissions; from here on others see the module. */
function completeFormation(modules: Modules, info: LoadInfo, module: Module): number {
  const err = verifyExportedSymbols(modules, module);
  if (err < 0) return err;
  const bugs = info.section(info.findAnySec('__bug_table'));
  module.setPtr('bug_table', bugs.index === 0 ? NULL : (bugs.addr ?? NULL));
  module.setU32('num_bugs', bugs.index === 0 ? 0 : Math.floor(bugs.size / info.structs.entrySize.bug_entry));
  enableRo(modules.host.memory, module, false);
  module.state = 'coming';
  modules.host.events.formed?.(module);
  return 0;
}

/** The kernel's own notifiers (jump labels before static calls), then the modules'. */
function* prepareComingModule(modules: Modules, module: Module): Routine<number> {
  addJumpLabels(modules, module);
  const err = addStaticCalls(modules, module);
  if (err) return err;
  return yield* notifyComing(modules, module);
}

const TRUE_WORDS = /^([yYtT1]|[oO][nN])/;
const FALSE_WORDS = /^([nNfF0]|[oO][fF])/;

function* parseArguments(modules: Modules, module: Module): Routine<number> {
  const { host } = modules;
  const { name } = module;
  const wanted = host.bootOption('module.async_probe');
  module.setBool('async_probe_requested', wanted !== undefined && (wanted === '' || TRUE_WORDS.test(wanted)));
  const result = yield* host.parseArgs(
    name,
    module.ptr('args'),
    module.ptr('kp'),
    module.u32('num_kp'),
    (param, value) => {
      if (param === 'async_probe') {
        module.setBool('async_probe_requested', !(value !== undefined && FALSE_WORDS.test(value)));
        return 0;
      }
      const { isDyndbg, name: shown } = dyndbgParam(param);
      if (!isDyndbg) {
        host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${name}: unknown parameter '${shown}' ignored`);
      }
      return 0;
    },
  );
  if (result.errno !== undefined) return result.errno;
  if (result.afterDashes !== undefined) {
    host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${name}: parameters '${result.afterDashes}' after \`--' ignored`);
  }
  return 0;
}
