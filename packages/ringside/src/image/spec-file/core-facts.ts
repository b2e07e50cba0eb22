import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { CORE_CONFIG, CORE_SYMBOLS } from '../core-symbols.ts';
import type { KernelConfig, KernelSymbol, SymbolAt, SymbolTable } from '../kernel-spec.ts';

/** What every start asks for, stored beside the release: `null` for what the kernel does not have. */
export interface CoreFacts {
  readonly symbols: Readonly<
    Record<string, readonly [type: string, address: number, size: number, shown: 0 | 1] | null>
  >;
  readonly config: Readonly<Record<string, string | null>>;
}

export function collectCoreFacts(symbols: SymbolTable, config: KernelConfig | undefined): CoreFacts {
  const found: Record<string, readonly [string, number, number, 0 | 1] | null> = {};
  for (const name of CORE_SYMBOLS) {
    const symbol = symbols.lookup(name);
    // another name at the same address may be the one that an address is shown as
    const shown =
      symbol !== undefined && symbol.address < 0 && symbols.at(symbol.address)?.name === name ? 1 : 0;
    found[name] = symbol === undefined ? null : [symbol.type, symbol.address, symbol.size, shown];
  }
  const settings = Object.fromEntries(CORE_CONFIG.map((name) => [name, config?.get(name) ?? null]));
  return { symbols: found, config: settings };
}

/** Answers from the core facts, and from the full table for everything else. */
export class CoreFirstSymbols implements SymbolTable {
  readonly #core: CoreFacts['symbols'];
  readonly #full: () => SymbolTable;
  readonly #at = new Map<number, KernelSymbol>();

  constructor(core: CoreFacts['symbols'], full: () => SymbolTable) {
    this.#core = core;
    this.#full = full;
    for (const [name, entry] of Object.entries(core)) {
      if (entry !== null && entry[3] === 1) this.#at.set(entry[1], symbolOf(name, entry));
    }
  }

  get size(): number {
    return this.#full().size;
  }

  byName(name: string): readonly KernelSymbol[] {
    return this.#full().byName(name);
  }

  lookup(name: string): KernelSymbol | undefined {
    const entry = Object.hasOwn(this.#core, name) ? this.#core[name] : undefined;
    if (entry === undefined) return this.#full().lookup(name);
    return entry === null ? undefined : symbolOf(name, entry);
  }

  at(address: GuestAddr): SymbolAt | undefined {
    const symbol = this.#at.get(address);
    return symbol === undefined ? this.#full().at(address) : { ...symbol, offset: 0 };
  }

  [Symbol.iterator](): Iterator<KernelSymbol> {
    return this.#full()[Symbol.iterator]();
  }
}

function symbolOf(
  name: string,
  [type, address, size]: readonly [string, number, number, 0 | 1],
): KernelSymbol {
  return { name, type, address: asAddr(address), size };
}

/** The same for the configuration. */
export class CoreFirstConfig implements KernelConfig {
  readonly #core: CoreFacts['config'];
  readonly #full: () => KernelConfig;

  constructor(core: CoreFacts['config'], full: () => KernelConfig) {
    this.#core = core;
    this.#full = full;
  }

  get(name: string): string | undefined {
    const value = Object.hasOwn(this.#core, name) ? this.#core[name] : undefined;
    return value === undefined ? this.#full().get(name) : (value ?? undefined);
  }

  entries(): Iterable<readonly [name: string, value: string]> {
    return this.#full().entries();
  }
}
