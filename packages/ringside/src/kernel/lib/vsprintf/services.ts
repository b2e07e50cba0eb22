import type { GuestAddr } from '../../../bytes/index.ts';
import type { GuestMemory } from '../../../memory/index.ts';
import type { SipHashKey } from '../siphash.ts';

/** The questions about structs that formatting asks; a `Btf` answers them. */
export interface StructQuery {
  struct(name: string): { readonly size: number; offsetOf(path: string): number };
}

/** How a symbol is shown: `%pS` and `%pB` with offset and size, `%ps` without. `build-id` forms: `%pSb`, `%pBb`. */
export interface SymbolStyle {
  readonly offset: boolean;
  /** The address is a return address: the symbol is looked up one byte before it. */
  readonly backtrace: boolean;
  readonly buildId: boolean;
}

/** One flag of a `%pG` set, in the order of the kernel's table. */
export interface FlagName {
  readonly mask: bigint;
  readonly name: string;
}

/** A number that is kept in the upper bits of `page->flags`. */
export interface PageFlagField {
  readonly name: string;
  readonly shift: number;
  readonly width: number;
  readonly hex: boolean;
}

export interface FlagTables {
  readonly gfp: readonly FlagName[];
  readonly vma: readonly FlagName[];
  readonly page: readonly FlagName[];
  readonly pageFields: readonly PageFlagField[];
  /** Number of flags in `enum pageflags`: lower bits of `page->flags`. */
  readonly pageFlagBits: number;
}

/** What formatting needs of the rest of the kernel. */
export interface FormatServices {
  readonly memory: GuestMemory;
  readonly types: StructQuery;
  /** As `sprint_symbol` and its siblings print it. */
  symbol(addr: GuestAddr, style: SymbolStyle): string;
  /** The key that `%p` hashes with, once the random number generator is ready. */
  pointerKey(): SipHashKey | undefined;
  /** `no_hash_pointers` on the kernel's command line. */
  readonly noHashPointers: boolean;
  /** Whether `%pK` may show this pointer; asked only when `kptr_restrict` is not 0. */
  restrictedPointer?(): 'hash' | 'show' | 'hide' | 'irq';
  readonly flags: () => FlagTables;
  /** `WARN_ONCE` in `vsnprintf`'s own code; `site` names the place that warns once. */
  warnOnce(site: string, text: string): void;
}
