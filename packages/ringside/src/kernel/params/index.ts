/**
 * Parameters of modules: `parseArgs` cuts an argument string into names and values and has each set by its
 * parameter's own function, guest's or ours; `StandardParams` and the array functions are those functions for
 * the standard types. The state is the guest's `struct kernel_param` and the variables it points to.
 *
 *     argument string -> nextArg -> kernel_param -> ops->set (through `callInt`) -> the module's variable
 */
export * from './array-ops.ts';
export * from './dyndbg.ts';
export { showModuleParam } from './module-params.ts';
export * from './parse-args.ts';
export * from './services.ts';
export * from './standard-ops.ts';
