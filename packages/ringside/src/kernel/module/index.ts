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
export { bootCpuFeatures } from './boot-cpu.ts';
export { moduleExportTable } from './exports.ts';
export type { ModuleEvents, ModuleHost } from './host.ts';
export { kernelModuleHost, kernelParamServices } from './kernel-host.ts';
export { Module, type ModuleState } from './module.ts';
export { type FormerMemory, Modules } from './modules.ts';
export { procModules } from './procfs.ts';
export { moduleRefcount, usersOf } from './refcount.ts';
export { moduleSyscalls } from './syscalls.ts';
export type { ExceptionFixup, ModuleBug } from './tables.ts';
