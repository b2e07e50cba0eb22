import type { Btf } from '../btf/index.ts';
import type { GuestAddr } from '../bytes/index.ts';

/**
 * Everything Ringside knows of one kernel: facts read from its image, none of its code. Immutable and shareable
 * between machines; parts are decoded when first asked for.
 *
 * Addresses are link addresses, as the kernel has them when booted with `nokaslr`.
 */
export interface KernelSpec {
  /** `uname -r`. */
  readonly release: string;
  /** `uname -v`. */
  readonly version: string;
  /** `uname -m`. */
  readonly machine: string;
  /** `linux_banner`, without its newline: what `/proc/version` prints. */
  readonly banner: string;
  /** What a module's `vermagic` is compared with, as the kernel has it (a trailing space included). */
  readonly vermagic: string;
  readonly exports: ExportTable;
  readonly symbols: SymbolTable;
  readonly types: Btf;
  /** Certificates of the built-in trusted keyring, which module signatures are checked against. */
  readonly trustedKeys: readonly TrustedKey[];
  /** The kernel's `.config`, where one was found. */
  readonly config: KernelConfig | undefined;
  readonly sections: readonly ImageSection[];
  /** Calls inside some functions of the image: where their frames in a backtrace return to. */
  readonly calls: CallTable;
}

export interface KernelExport {
  readonly name: string;
  /** For a per-CPU variable: its offset in the per-CPU area. */
  readonly address: GuestAddr;
  /** Unsigned 32-bit; `undefined` when the kernel is built without `MODVERSIONS`. */
  readonly crc: number | undefined;
  readonly gplOnly: boolean;
  readonly namespace: string | undefined;
}

/** Iterates in the order of names (by UTF-16 unit, which is the kernel's order for ASCII names). */
export interface ExportTable extends Iterable<KernelExport> {
  readonly size: number;
  byName(name: string): KernelExport | undefined;
}

export interface KernelSymbol {
  readonly name: string;
  /** nm's letter, as in `/proc/kallsyms`: `T` global text, `t` local text, `D`, `b`, ... */
  readonly type: string;
  readonly address: GuestAddr;
  /** Bytes to the next symbol at a higher address, as kallsyms counts it. */
  readonly size: number;
}

export interface SymbolAt extends KernelSymbol {
  /** Of the address that was asked for, from the symbol's start. */
  readonly offset: number;
}

/** The kernel's own symbol table, as `/proc/kallsyms` shows it. Iterates in the table's order. */
export interface SymbolTable extends Iterable<KernelSymbol> {
  readonly size: number;
  /** Every symbol of that name, in the table's order. */
  byName(name: string): readonly KernelSymbol[];
  /** The first of that name: what `kallsyms_lookup_name` finds. */
  lookup(name: string): KernelSymbol | undefined;
  /** The symbol that covers an address, as the kernel picks it among aliases; outside the image `undefined`. */
  at(address: GuestAddr): SymbolAt | undefined;
}

export interface TrustedKey {
  /** The X.509 certificate. */
  readonly der: Uint8Array;
  /** The subject's common name, e.g. `Debian Secure Boot CA`. */
  readonly subject: string;
  /** Hexadecimal, lower case, no separators. */
  readonly serial: string;
  /** Hexadecimal; what the kernel logs behind the name when it loads the certificate. */
  readonly subjectKeyId: string | undefined;
}

export interface KernelConfig {
  /** By full name, `CONFIG_SMP`. `y`, `m`, a number or a string without its quotes; `undefined` when not set. */
  get(name: string): string | undefined;
  entries(): Iterable<readonly [name: string, value: string]>;
}

export interface ImageSection {
  readonly name: string;
  /** `.data..percpu` starts at 0. */
  readonly address: GuestAddr;
  readonly size: number;
  /** In the vmlinux file. */
  readonly offset: number;
}

/** One call instruction of a function of the image. */
export interface ImageCall {
  /** Of the instruction after the call, from the function's start: what a backtrace prints after `+`. */
  readonly returnOffset: number;
  /** The symbol called, or `*` for a call through a pointer. */
  readonly target: string;
}

export interface ImageCalls {
  readonly name: string;
  readonly address: GuestAddr;
  readonly size: number;
  readonly calls: readonly ImageCall[];
  /** Functions this one jumps to as its last act: a backtrace then shows the callee without this function. */
  readonly tailCalls: readonly string[];
}

/** Facts for frames of functions that Ringside itself implements; only functions listed in `frame-functions.ts`. */
export interface CallTable extends Iterable<ImageCalls> {
  of(functionName: string): ImageCalls | undefined;
  /** The first call of `callee` (`*`: through a pointer) in `caller`, as an offset for a backtrace. */
  returnOffset(caller: string, callee: string): number | undefined;
}
