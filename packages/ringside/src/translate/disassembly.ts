import { CPU_FEATURES, FeatureSet } from './features.ts';
import { readFunction, type TextSource } from './guest-function.ts';
import { inlineCalls } from './inline-calls.ts';
import { liftFunction, type Tier } from './lift-function.ts';
import { emitForListing, type TranslatedText } from './listing.ts';

export interface DisassemblyOptions {
  /** Whether the translation checks memory accesses. */
  readonly checked: boolean;
  /** `hot`: as functions become that run often, with the callees in place that are in the same text. */
  readonly tier: Tier;
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
  const { functionAt, thunkAt, tier } = options;
  const features = new FeatureSet(new Set(CPU_FEATURES));
  const source: TextSource = { bytes: text, fetchable, functionAt, thunkAt, features, stopsAt: () => false };
  const quick = readFunction(source, addr);
  const fn =
    tier === 'quick'
      ? quick
      : inlineCalls(quick, {
          read: (callee) =>
            fetchable(callee) && functionAt(callee)?.start === callee
              ? readFunction(source, callee)
              : undefined,
          targetsOf: () => [],
        });
  const lifted = liftFunction(fn, {
    mode: options.checked ? 'checked' : 'plain',
    isFunctionStart: true,
    isBounded: () => true,
    tier,
    marks: true,
    group: true,
    exact: false,
    profile: undefined,
    nativeAt: () => -1,
  });
  return emitForListing(fn, lifted);
}
