import type { GuestAddr } from '../bytes/index.ts';
import type { GuestMemory } from '../memory/index.ts';
import type { DataAccess } from './accesses.ts';

/** Memory whose accesses stop the processor. */
export interface Watchpoint {
  readonly addr: GuestAddr;
  /** Size in bytes. */
  readonly size: number;
  /** Which accesses stop; `any`: both. */
  readonly access: 'read' | 'write' | 'any';
}

/** An access to watched memory, made already: RIP stands behind the instruction. */
export interface CpuWatchHit {
  readonly kind: 'watchpoint';
  readonly watchpoint: Watchpoint;
  readonly address: GuestAddr;
  readonly accessSize: number;
  readonly access: 'read' | 'write';
}

/** Breakpoints and watchpoints of a processor. Where there are none, translated code pays nothing for them. */
export class DebugPoints {
  readonly breakpoints = new Set<number>();
  readonly watchpoints = new Set<Watchpoint>();
  readonly #memory: GuestMemory;
  /** The hit of a function of ours, which goes on to its end. */
  #pending: CpuWatchHit | undefined;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  watch(watchpoint: Watchpoint): void {
    this.watchpoints.add(watchpoint);
    this.#memory.watch(watchpoint.addr, watchpoint.size);
    this.#memory.onWatched = (addr, size, access) => {
      this.#pending ??= access === 'execute' ? undefined : this.hit([{ addr, size, access }]);
    };
  }

  unwatch(watchpoint: Watchpoint): void {
    this.watchpoints.delete(watchpoint);
    this.#memory.unwatchAll();
    for (const { addr, size } of this.watchpoints) this.#memory.watch(addr, size);
    if (this.watchpoints.size === 0) this.#memory.onWatched = undefined;
  }

  /** The first of the accesses that is watched. */
  hit(accesses: readonly Pick<DataAccess, 'addr' | 'size' | 'access'>[]): CpuWatchHit | undefined {
    for (const { addr, size, access } of accesses) {
      for (const watchpoint of this.watchpoints) {
        if (addr >= watchpoint.addr + watchpoint.size || addr + size <= watchpoint.addr) continue;
        if (watchpoint.access !== 'any' && watchpoint.access !== access) continue;
        return { kind: 'watchpoint', watchpoint, address: addr, accessSize: size, access };
      }
    }
    return undefined;
  }

  get hasPending(): boolean {
    return this.#pending !== undefined;
  }

  /** The hit that is to be reported, once. */
  takePending(): CpuWatchHit | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}
