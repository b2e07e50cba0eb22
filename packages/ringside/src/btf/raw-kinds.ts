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

/** Bytes that follow a record's head, given its kind number and `vlen`; `undefined` for an unknown kind. */
export function tailBytes(kind: number, vlen: number): number | undefined {
  switch (KINDS[kind]) {
    case 'int':
    case 'var':
    case 'decl_tag':
      return 4;
    case 'array':
      return 12;
    case 'struct':
    case 'union':
    case 'datasec':
    case 'enum64':
      return 12 * vlen;
    case 'enum':
    case 'func_proto':
      return 8 * vlen;
    case 'ptr':
    case 'fwd':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'func':
    case 'float':
    case 'type_tag':
      return 0;
    default:
      return undefined;
  }
}
