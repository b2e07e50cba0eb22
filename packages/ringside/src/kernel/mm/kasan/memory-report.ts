import type { GuestAddr } from '../../../bytes/index.ts';
import type { Access } from '../../../memory/index.ts';
import type { StackFrame } from './stack-frame.ts';

/**
 * What is wrong, in KASAN's words where it has some. Ours, for what KASAN leaves to the processor or does not see:
 * `read-only-write`, `data-execution`, `stack-overflow`, `percpu-out-of-bounds`.
 */
export type BugType =
  | 'slab-out-of-bounds'
  | 'global-out-of-bounds'
  | 'vmalloc-out-of-bounds'
  | 'percpu-out-of-bounds'
  | 'out-of-bounds'
  | 'use-after-free'
  | 'double-free'
  | 'invalid-free'
  | 'null-ptr-deref'
  | 'user-memory-access'
  | 'wild-memory-access'
  | 'read-only-write'
  | 'data-execution'
  | 'stack-overflow'
  | 'unknown-crash';

/** Who allocated or freed the memory. */
export interface TrackReport {
  readonly pid: number;
  readonly comm: string;
  /** The whole stack, innermost first; empty for what the kernel allocated at boot. */
  readonly stack: readonly StackFrame[];
}

interface Lifetime {
  readonly allocated: TrackReport | undefined;
  /** Undefined while it is allocated. */
  readonly freed: TrackReport | undefined;
}

/** What the address belongs to, belonged to, or is next to. Addresses and sizes in bytes. */
export type MemoryRegion =
  | (Lifetime & {
      readonly kind: 'slab';
      readonly start: GuestAddr;
      /** The size asked for. */
      readonly size: number;
      readonly cache: string;
      /** What each of the cache's objects has room for. */
      readonly cacheSize: number;
    })
  | (Lifetime & {
      readonly kind: 'pages';
      readonly start: GuestAddr;
      readonly size: number;
      readonly order: number;
      /** `kmalloc` of more than the caches have. */
      readonly use: 'kmalloc' | 'pages';
    })
  | (Lifetime & {
      readonly kind: 'vmalloc';
      readonly start: GuestAddr;
      readonly size: number;
      /** Mapped bytes: whole pages. */
      readonly mapped: number;
    })
  | (Lifetime & {
      readonly kind: 'percpu';
      readonly start: GuestAddr;
      readonly size: number;
      readonly cpu: number;
    })
  | {
      readonly kind: 'variable';
      readonly start: GuestAddr;
      readonly size: number;
      readonly name: string;
      readonly module: string;
    }
  | { readonly kind: 'stack'; readonly start: GuestAddr; readonly size: number }
  /** Memory of a module that has been unloaded, or init memory, which is freed when init has returned. */
  | {
      readonly kind: 'former-module';
      readonly start: GuestAddr;
      readonly size: number;
      readonly module: string;
      readonly what: 'core' | 'init';
      readonly symbol: string | undefined;
    }
  /** Text, constants and other memory of a module that is there. */
  | {
      readonly kind: 'module';
      readonly start: GuestAddr;
      readonly size: number;
      readonly module: string;
      readonly section: string;
    };

/** 16 shadow bytes, in KASAN's encoding, for 128 bytes of memory. */
export interface ShadowRow {
  readonly address: GuestAddr;
  readonly bytes: readonly number[];
}

/** A line of a call trace that is no frame: the begin or end of a stack, or registers that an interrupt saved. */
export interface TraceRemark {
  readonly remark: readonly string[];
}

/** A memory error. What it says is as it was when the error happened, also when modules have gone since. */
export interface MemoryReport {
  /**
   * `poison`: memory not for use, which the processor would not have minded: the access was made.
   * `fault`: an access that faults on the real kernel too; its oops follows.
   * `bad-free`: nothing was freed.
   */
  readonly kind: 'poison' | 'fault' | 'bad-free';
  readonly bug: BugType;
  readonly access: Access | 'free';
  /** Of the access in bytes; 0 for frees and jumps. */
  readonly size: number;
  /** Where the access begins, or what was to be freed. */
  readonly address: GuestAddr;
  /** The first byte of the access that is wrong. */
  readonly firstBad: GuestAddr;
  /** The code that did it. For functions of ours their caller. */
  readonly place: StackFrame;
  readonly comm: string;
  readonly pid: number;
  /** Virtual nanoseconds since boot. */
  readonly timeNs: number;
  /** Innermost first; the first is `place`, or the function of ours that `place` has called. */
  readonly stack: readonly StackFrame[];
  readonly region: MemoryRegion | undefined;
  /** The shadow around `firstBad`; empty where there is no memory. */
  readonly shadow: readonly ShadowRow[];
  /** How often it has happened at this place, up to now. */
  readonly count: number;
  /** The whole report as text, as a kernel with KASAN prints it. */
  readonly text: string;
}
