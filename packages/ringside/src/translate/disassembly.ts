import { readFunction, type TextSource } from './guest-function.ts';
import { liftFunction } from './lift-function.ts';
import { emitForListing, type TranslatedText } from './listing.ts';

export interface DisassemblyOptions {
  /** Whether the translation checks memory accesses. */
  readonly checked: boolean;
  /** The bounds of functions; without them a function ends where control flow does. */
  readonly functionAt: TextSource['functionAt'];
  readonly thunkAt: TextSource['thunkAt'];
}

/**
 * Translates the function at an address without a machine, to look at. `text` holds the byte of an address at the
 * address's low 32 bits; `fetchable` says which addresses are text.
 */
export function translateToText(
  text: Uint8Array,
  fetchable: (addr: number) => boolean,
  addr: number,
  options: DisassemblyOptions,
): TranslatedText {
  const { functionAt, thunkAt } = options;
  const fn = readFunction({ bytes: text, fetchable, functionAt, thunkAt, stopsAt: () => false }, addr);
  const lifted = liftFunction(fn, {
    mode: options.checked ? 'checked' : 'plain',
    isFunctionStart: true,
    isBounded: () => true,
    tier: 'quick',
    marks: true,
    group: true,
    exact: false,
    profile: undefined,
    nativeAt: () => -1,
  });
  return emitForListing(fn, lifted);
}
