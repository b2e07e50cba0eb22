import { type GuestAddr, hex64, type UnsupportedError } from '../bytes/index.ts';
import type { Access } from '../memory/index.ts';
import type { Kernel } from './kernel.ts';
import type { AllocationSite, BadFree, SlabObject } from './mm/slab.ts';

/** Something that the real kernel would not have said: what Ringside saw beyond it. */
export type Report =
  | {
      readonly kind: 'poison';
      readonly addr: GuestAddr;
      readonly size: number;
      readonly access: Access;
      /** The object that the address belongs or belonged to. */
      readonly object: SlabObject | undefined;
      /** RIP of the code that made the access. */
      readonly ip: GuestAddr;
    }
  | {
      readonly kind: 'bad-free';
      readonly addr: GuestAddr;
      readonly bad: BadFree;
      readonly site: AllocationSite;
    }
  | { readonly kind: 'unsupported'; readonly error: UnsupportedError };

/** What was seen, in order; told to whoever listens. */
export class Reports {
  readonly all: Report[] = [];
  onReport: ((report: Report) => void) | undefined;
  readonly #k: Kernel;
  readonly #seen = new Set<string>();

  constructor(k: Kernel) {
    this.#k = k;
  }

  poison(addr: GuestAddr, size: number, access: Access): void {
    const ip = this.#k.sched.guestRip;
    // one report a place, as KASAN has it: a loop over freed memory must not drown the first finding
    const key = `${hex64(ip)} ${access}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#add({ kind: 'poison', addr, size, access, object: this.#k.slab.find(addr), ip });
  }

  badFree(addr: GuestAddr, bad: BadFree, site: AllocationSite): void {
    this.#add({ kind: 'bad-free', addr, bad, site });
  }

  unsupported(error: UnsupportedError): void {
    this.#add({ kind: 'unsupported', error });
  }

  #add(report: Report): void {
    this.all.push(report);
    this.onReport?.(report);
  }
}
