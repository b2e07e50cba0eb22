import { type GuestAddr, NULL, type UnsupportedError } from '../bytes/index.ts';
import { type Access, GuestAccessFault } from '../memory/index.ts';
import type { CpuException } from '../translate/index.ts';
import type { Kernel } from './kernel.ts';
import { accessOf } from './mm/kasan/access.ts';
import { faultType, firstPoisoned, poisonType } from './mm/kasan/classify.ts';
import { type Finding, MemoryError } from './mm/kasan/memory-error.ts';
import type { BugType, MemoryReport } from './mm/kasan/memory-report.ts';
import { regionOf } from './mm/kasan/region.ts';
import { UninitError, type UninitFinding } from './mm/kmsan/uninit-error.ts';
import type { UninitReport } from './mm/kmsan/uninit-report.ts';
import type { BadFree } from './mm/slab.ts';
import { panic } from './traps/oops.ts';

/** Something that the real kernel would not have said: what Ringside saw beyond it. */
export type Report =
  | MemoryReport
  | UninitReport
  | { readonly kind: 'unsupported'; readonly error: UnsupportedError };

/** Places at which something was seen; a guest that makes code as it runs has as many as it likes. */
const PLACES_LIMIT = 10_000;

/**
 * What was seen, in order; told to whoever listens. Each place is told once, as a loop over freed memory must not drown
 * the first finding, and counted from then on. `Deviation:` KASAN tells only the first of all, unless
 * `kasan_multi_shot` is on the command line; with that, every one is told here too.
 */
export class Reports {
  readonly all: Report[] = [];
  onReport: ((report: Report) => void) | undefined;
  /** The machine panics after a report, as a kernel with KASAN and panic_on_warn. */
  panics = false;
  readonly #k: Kernel;
  /** By kind, access, address of the code and the function of ours that it has called. */
  readonly #places = new Map<string, MemoryError | UninitError>();
  /** Set while a report is made: what that reads is not the guest's doing. */
  #busy = false;

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** An access to memory that is mapped but not for use; it will be made. */
  poison(address: GuestAddr, size: number, access: Access): void {
    const { memory } = this.#k;
    this.#memoryError('poison', access, address, '', () => {
      const firstBad = firstPoisoned(memory, address, size);
      const region = regionOf(this.#k, firstBad);
      return { address, size, access, firstBad, region, bug: poisonType(memory, firstBad, region) };
    });
  }

  /** An exception of guest code that nothing handles: told when it is about a memory access. */
  exception(stop: CpuException): void {
    const found = accessOf(this.#k, stop);
    if (found !== undefined) this.fault(found.address, found.size, found.access, found.firstBad);
  }

  /** An access that the processor does not allow. */
  fault(address: GuestAddr, size: number, access: Access, firstBad = address): void {
    const { memory } = this.#k;
    this.#memoryError('fault', access, address, '', () => {
      const region = regionOf(this.#k, firstBad);
      return {
        address,
        size: access === 'execute' ? 0 : size,
        access,
        firstBad,
        region,
        bug: faultType(memory, firstBad, access, region),
      };
    });
  }

  /** A pointer that cannot be freed. */
  badFree(address: GuestAddr, bug: BadFree & BugType): void {
    this.#memoryError('bad-free', 'free', address, bug, () => ({
      address,
      size: 0,
      access: 'free',
      firstBad: address,
      region: regionOf(this.#k, address),
      bug,
    }));
  }

  /** A value that nobody has given decides something. */
  uninitialised(use: string, find: () => UninitFinding): void {
    this.#told(`uninit-value ${use}`, 'read', NULL, (ip) => new UninitError(this.#k, ip, find()));
  }

  /** Something that Ringside lacks: each thing is told once. */
  unsupported(error: UnsupportedError): void {
    if (this.all.some((report) => report.kind === 'unsupported' && report.error.message === error.message))
      return;
    this.#add({ kind: 'unsupported', error });
  }

  /** The code there goes: what comes to its addresses is another place. */
  codeGoes(start: GuestAddr, size: number): void {
    for (const [key, { place }] of this.#places) {
      if (place.address >= start && place.address <= start + size) this.#places.delete(key);
    }
  }

  #memoryError(
    kind: MemoryReport['kind'],
    access: MemoryReport['access'],
    address: GuestAddr,
    what: string,
    find: () => Finding,
  ): void {
    const make = (ip: GuestAddr) => new MemoryError(this.#k, kind, ip, find());
    this.#told(`${kind} ${what} ${access}`, access, address, make);
  }

  #told(
    what: string,
    access: MemoryReport['access'],
    address: GuestAddr,
    make: (ip: GuestAddr) => MemoryError | UninitError,
  ): void {
    if (this.#busy) return;
    this.#busy = true;
    let error: MemoryError | UninitError;
    try {
      const ip = MemoryError.codeAddress(this.#k, access, address);
      const native = this.#k.natives.nameAt(this.#k.cpu.regs.rip) ?? '';
      const key = `${what} ${ip} ${native}`;
      const known = this.#places.get(key);
      if (known !== undefined) {
        known.count++;
        if (!this.#k.commandLine.has('kasan_multi_shot')) return;
      }
      error = make(ip);
      if (this.#places.size < PLACES_LIMIT) this.#places.set(key, error);
    } catch (problem) {
      // what the guest has broken cannot be described; that will show in what it does next
      if (!(problem instanceof GuestAccessFault)) throw problem;
      return;
    } finally {
      this.#busy = false;
    }
    this.#add(error);
    this.#panic(error.kind === 'uninit-value');
  }

  /** Source: mm/kasan/report.c, end_report. */
  #panic(uninit: boolean): void {
    const k = this.#k;
    if (k.halted) return;
    // Source: mm/kmsan/report.c, kmsan_report, with the words of mm/kasan
    if (this.panics) panic(k, `${uninit ? 'KMSAN' : 'KASAN'}: panic_on_warn set ...`);
    else if (!uninit && k.commandLine.get('kasan.fault') === 'panic') panic(k, 'kasan.fault=panic set ...');
  }

  #add(report: Report): void {
    this.all.push(report);
    this.onReport?.(report);
  }
}
