import type { SystemMemory } from './system-instructions.ts';

/** Selectors of the flat segments that 64-bit kernels run in. Source: arch/x86/include/asm/segment.h. */
export const FLAT_CODE = 0x10;
export const FLAT_DATA = 0x18;

/** A descriptor of 8 bytes. Source: SDM vol. 3, 3.4.5. */
export interface Descriptor {
  readonly bits: bigint;
  readonly type: number;
  /** Code or data; else a system descriptor. */
  readonly segment: boolean;
  readonly privilege: number;
  readonly present: boolean;
  readonly long: boolean;
  readonly base: bigint;
  /** In bytes. */
  readonly limit: number;
}

export interface TableRegister {
  readonly limit: number;
  readonly base: bigint;
}

function parse(bits: bigint): Descriptor {
  const field = (shift: number, size: number): number =>
    Number((bits >> BigInt(shift)) & ((1n << BigInt(size)) - 1n));
  const raw = field(0, 16) | (field(48, 4) << 16);
  return {
    bits,
    type: field(40, 4),
    segment: field(44, 1) === 1,
    privilege: field(45, 2),
    present: field(47, 1) === 1,
    long: field(53, 1) === 1,
    base: BigInt(field(16, 24)) | (BigInt(field(56, 8)) << 24n),
    limit: field(55, 1) === 1 ? raw * 4096 + 4095 : raw,
  };
}

/** What is there before a table is loaded: the flat segments. */
const FLAT: Readonly<Record<number, bigint>> = {
  [FLAT_CODE]: 0x00af_9b00_0000_ffffn,
  [FLAT_DATA]: 0x00cf_9300_0000_ffffn,
};

/** The descriptor of a selector, from the global table; undefined: none. Local tables are not there. */
export function descriptorOf(
  selector: number,
  table: TableRegister | undefined,
  memory: SystemMemory,
): Descriptor | undefined {
  const at = selector & 0xfff8;
  if (at === 0 || (selector & 4) !== 0) return undefined;
  if (table === undefined) {
    const bits = FLAT[at];
    return bits === undefined ? undefined : parse(bits);
  }
  if (at + 7 > table.limit) return undefined;
  return parse(memory.read(BigInt.asUintN(64, table.base + BigInt(at)), 8));
}

export function isCode(d: Descriptor): boolean {
  return d.segment && (d.type & 8) !== 0;
}

/** Readable from privilege level 0. */
export function isReadable(d: Descriptor): boolean {
  return d.segment && ((d.type & 8) === 0 || (d.type & 2) !== 0);
}

export function isWritable(d: Descriptor): boolean {
  return d.segment && (d.type & 10) === 2;
}

/** System descriptors that `lar` (and, without the gates, `lsl`) knows in 64-bit mode: LDT, TSS, call gate. */
export function isKnown(d: Descriptor, gates: boolean): boolean {
  return d.segment || d.type === 2 || d.type === 9 || d.type === 11 || (gates && d.type === 12);
}
