import { PROFILE, PROFILE_BYTES } from './engine-layout.ts';
import type { Profile } from './lift-function.ts';

/** Where indirect calls have led lately: two table slots. */
const SITE_BYTES = 8;
/** A counter that has been acted on counts from here again, for code that is still running in the old translation. */
const AGAIN = 2 ** 30;

/** The words that quick code counts in: how often functions run, and where their indirect calls lead. */
export class ProfileArea {
  readonly #words: Int32Array;
  readonly #hotAfter: number;
  #next = PROFILE;
  /** Offsets in memory, by address of the function or call. */
  readonly #counters = new Map<number, number>();
  readonly #sites = new Map<number, number>();
  readonly #functions = new Map<number, number>();

  /** `hotAfter`: runs until a function counts as hot. */
  constructor(buffer: ArrayBufferLike, hotAfter: number) {
    this.#words = new Int32Array(buffer);
    this.#hotAfter = hotAfter;
  }

  /** What the quick code of a function counts in, from the start again; undefined when nothing is to be counted. */
  of(entry: number): Profile | undefined {
    if (this.#hotAfter === Infinity) return undefined;
    let counter = this.#counters.get(entry);
    if (counter === undefined) {
      counter = this.#take(4);
      if (counter === undefined) return undefined;
      this.#counters.set(entry, counter);
      this.#functions.set(counter, entry);
    }
    this.#words[counter >> 2] = this.#hotAfter;
    return { counter, siteAt: (addr) => this.#siteAt(addr) };
  }

  /** The function whose counter has run out, once. */
  takeHot(counter: number): number | undefined {
    if (this.#words[counter >> 2]! >= 0) return undefined;
    this.#words[counter >> 2] = AGAIN;
    return this.#functions.get(counter);
  }

  /** The table slots that the indirect call at the address has led to lately. */
  slotsOf(callSite: number): number[] {
    const at = this.#sites.get(callSite);
    if (at === undefined) return [];
    return [this.#words[at >> 2]!, this.#words[(at >> 2) + 1]!].filter((slot) => slot !== 0);
  }

  #siteAt(addr: number): number | undefined {
    let at = this.#sites.get(addr);
    if (at === undefined) {
      at = this.#take(SITE_BYTES);
      if (at !== undefined) this.#sites.set(addr, at);
    }
    return at;
  }

  #take(bytes: number): number | undefined {
    if (this.#next + bytes > PROFILE + PROFILE_BYTES) return undefined;
    const at = this.#next;
    this.#next += bytes;
    return at;
  }
}
