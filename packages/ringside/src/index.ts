/**
 * The library: `import { boot } from 'ringside'`. Everything exported here is public; nothing else is.
 */
export { FormatError, InputError, InvariantError, RingsideError, UnsupportedError } from './bytes/index.ts';
