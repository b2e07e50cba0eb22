/**
 * The module subsystem, laid out like Linux's kernel/module: loads a file into guest memory, links it, runs its
 * init function, and takes it away again.
 *
 * `Modules` is the machine's list of modules and owns them; a `Module` is a view of one `struct module` in guest
 * memory, where all of its state is. What the loader needs of the rest of the kernel is `ModuleHost`.
 *
 *     bytes ──► signature ──► ELF checks ──► modinfo ──► layout, move ──► symbols ──► relocations ──► text patches
 *           ──► permissions ──► parameters ──► init ──► live ──► exit ──► freed
 */
export { bootCpuHas, preemptStaticCall } from './boot-cpu.ts';
export { deleteModule } from './delete.ts';
export { moduleExportTable } from './exports.ts';
export type {
  MachineFacts,
  ModuleEvents,
  ModuleHost,
  ParseArgs,
  ParseArgsResult,
} from './host.ts';
export { updateStaticKey } from './jump-labels.ts';
export { kernelModuleHost, kernelParamServices } from './kernel-host.ts';
export {
  finitModule,
  initModuleFromMemory,
  MODULE_INIT_COMPRESSED_FILE,
  MODULE_INIT_IGNORE_MODVERSIONS,
  MODULE_INIT_IGNORE_VERMAGIC,
} from './load.ts';
export { type LoadedSection, Module, type ModuleLayout, type ModuleState } from './module.ts';
export { type FormerMemory, Modules } from './modules.ts';
export { procKallsyms, procModules } from './procfs.ts';
export { moduleRefcount, O_TRUNC, usersOf } from './refcount.ts';
export { updateStaticCall } from './static-calls.ts';
export { type ModulePart, partAt } from './strict-rwx.ts';
export { moduleSyscalls } from './syscalls.ts';
export type { ExceptionFixup, ModuleBug } from './tables.ts';
