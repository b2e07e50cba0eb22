/**
 * The library, for Node: `import { boot } from 'ringside'`. Everything exported here is public; nothing else is.
 *
 * ```ts
 * import { boot, resolveKernel } from 'ringside';
 *
 * const machine = await boot({ spec: await resolveKernel(undefined), onLog: ({ text }) => console.log(text) });
 * ```
 */
export { FormatError, InputError, InvariantError, RingsideError, UnsupportedError } from './bytes/index.ts';
export type { KernelSpec } from './image/index.ts';
export * from './machine/index.ts';
export { resolveKernel } from './node/index.ts';
