import type { BtfKind } from './kinds.ts';

/** `BTF_KIND_*` by number. Source: include/uapi/linux/btf.h. */
export const KINDS: readonly BtfKind[] = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
];

/** `KIND_NUMBER.struct` is `BTF_KIND_STRUCT`. */
export const KIND_NUMBER = Object.fromEntries(KINDS.map((kind, number) => [kind, number])) as Readonly<
  Record<BtfKind, number>
>;

/** Bytes of a record's common head: name, info, size or type. */
export const HEAD_BYTES = 12;

/** Bytes behind a record's head: a fixed number, and a number for each of `vlen` parts. */
const TAILS: Readonly<Record<Exclude<BtfKind, 'void'>, readonly [fixed: number, each: number]>> = {
  int: [4, 0],
  ptr: [0, 0],
  array: [12, 0],
  struct: [0, 12],
  union: [0, 12],
  enum: [0, 8],
  fwd: [0, 0],
  typedef: [0, 0],
  volatile: [0, 0],
  const: [0, 0],
  restrict: [0, 0],
  func: [0, 0],
  func_proto: [0, 8],
  var: [4, 0],
  datasec: [0, 12],
  float: [0, 0],
  decl_tag: [4, 0],
  type_tag: [0, 0],
  enum64: [0, 12],
};

// By number, flat: this is asked for every record of a kernel.
const FIXED = Int8Array.from({ length: 32 }, (_, kind) => tail(kind, 0));
const EACH = Int8Array.from({ length: 32 }, (_, kind) => tail(kind, 1));

function tail(kind: number, part: 0 | 1): number {
  const name = KINDS[kind];
  return name === undefined || name === 'void' ? -1 : TAILS[name][part];
}

/** Bytes that follow a record's head, given its kind number and `vlen`; `undefined` for an unknown kind. */
export function tailBytes(kind: number, vlen: number): number | undefined {
  const fixed = FIXED[kind] ?? -1;
  return fixed < 0 ? undefined : fixed + EACH[kind]! * vlen;
}
