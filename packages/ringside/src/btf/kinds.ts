/**
 * One decoded BTF type record per kind. A type is named by its id, an index into the type table; id 0 is `void`.
 * Sizes are in bytes, bit counts and bit offsets say so in their names.
 *
 * Source: Documentation/bpf/btf.rst, include/uapi/linux/btf.h.
 */

export type BtfTypeId = number;

export interface BtfVoid {
  readonly kind: 'void';
  readonly id: 0;
  readonly name: '';
}

export interface BtfInt {
  readonly kind: 'int';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly sizeBytes: number;
  readonly bits: number;
  /** Of the value within its storage; 0 but for old-style bit-fields. */
  readonly bitOffset: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
}

/** `ptr` and everything that only wraps another type. `name` is empty except for `typedef` and `type_tag`. */
export interface BtfReference {
  readonly kind: 'ptr' | 'typedef' | 'volatile' | 'const' | 'restrict' | 'type_tag';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly target: BtfTypeId;
}

export interface BtfArray {
  readonly kind: 'array';
  readonly id: BtfTypeId;
  readonly name: '';
  readonly element: BtfTypeId;
  readonly indexType: BtfTypeId;
  /** Number of elements; 0 for a flexible array. */
  readonly count: number;
}

export interface BtfMember {
  /** Empty for an anonymous struct, an anonymous union or padding. */
  readonly name: string;
  readonly type: BtfTypeId;
  /** From the start of the struct. */
  readonly bitOffset: number;
  /** Width of a bit-field, 0 for an ordinary member. */
  readonly bitfieldBits: number;
}

export interface BtfComposite {
  readonly kind: 'struct' | 'union';
  readonly id: BtfTypeId;
  /** Empty when anonymous. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly members: readonly BtfMember[];
}

export interface BtfEnumerator {
  readonly name: string;
  /** Exact for `enum` and for every `enum64` value below 2^53; `wide` is exact always. */
  readonly value: number;
  readonly wide: bigint;
}

export interface BtfEnum {
  readonly kind: 'enum' | 'enum64';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly sizeBytes: number;
  readonly signed: boolean;
  readonly values: readonly BtfEnumerator[];
}

export interface BtfForward {
  readonly kind: 'fwd';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly of: 'struct' | 'union';
}

export interface BtfFunc {
  readonly kind: 'func';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly proto: BtfTypeId;
  readonly linkage: 'static' | 'global' | 'extern';
}

export interface BtfParam {
  /** Empty when the prototype does not name it. */
  readonly name: string;
  readonly type: BtfTypeId;
}

export interface BtfFuncProto {
  readonly kind: 'func_proto';
  readonly id: BtfTypeId;
  readonly name: '';
  readonly returns: BtfTypeId;
  /** Without the `...` of a variadic function. */
  readonly params: readonly BtfParam[];
  readonly variadic: boolean;
}

export interface BtfVar {
  readonly kind: 'var';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly type: BtfTypeId;
  readonly linkage: 'static' | 'global' | 'extern';
}

export interface BtfSectionEntry {
  readonly type: BtfTypeId;
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface BtfDataSection {
  readonly kind: 'datasec';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly sizeBytes: number;
  readonly entries: readonly BtfSectionEntry[];
}

export interface BtfFloat {
  readonly kind: 'float';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly sizeBytes: number;
}

export interface BtfDeclTag {
  readonly kind: 'decl_tag';
  readonly id: BtfTypeId;
  readonly name: string;
  readonly target: BtfTypeId;
  /** Which member or parameter is tagged, -1 for the target itself. */
  readonly component: number;
}

export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfReference
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfForward
  | BtfFunc
  | BtfFuncProto
  | BtfVar
  | BtfDataSection
  | BtfFloat
  | BtfDeclTag;

export type BtfKind = BtfType['kind'];
