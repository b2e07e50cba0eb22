/**
 * The library, for Node: `import { boot } from 'ringside'`. Everything exported here is public; nothing else is.
 *
 * ```ts
 * import { boot, loadSpec } from 'ringside';
 *
 * const machine = await boot({ spec: await loadSpec(), onLog: ({ text }) => console.log(text) });
 * ```
 */
export { FormatError, InputError, InvariantError, RingsideError, UnsupportedError } from './bytes/index.ts';
export type { KernelSpec } from './image/index.ts';
export * from './machine/index.ts';
export { resolveKernel as loadSpec } from './node/index.ts';
