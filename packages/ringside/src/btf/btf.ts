import type { BtfEnum, BtfFuncProto, BtfKind, BtfType, BtfTypeId } from './kinds.ts';

/** Where a member lies and what it is. */
export interface MemberLayout {
  /** As asked for, e.g. `work.func`. */
  readonly path: string;
  /** Bytes from the start of the outermost struct. For a bit-field: of the byte its first bit is in. */
  readonly offset: number;
  /** Of the member's type; for a bit-field, the size of the declared type. */
  readonly sizeBytes: number;
  /** 0 for ordinary members; for a bit-field, its first bit within the byte at `offset` (little-endian). */
  readonly bitOffset: number;
  /** Width of a bit-field, 0 for an ordinary member. */
  readonly bitSize: number;
  readonly type: BtfTypeId;
}

/** Layout of one struct or union. Answers are remembered, so that asking again is a map look-up. */
export interface StructLayout {
  readonly kind: 'struct' | 'union';
  readonly name: string;
  readonly id: BtfTypeId;
  readonly size: number;
  /**
   * The member at a path: names joined with `.`, array elements as `[3]`, anonymous structs and unions searched
   * through (`offsetOf('__state')`, `member('entry.next')`, `member('comm[2]')`). Pointers are not followed.
   * Throws `UnsupportedError` when this kernel's struct has no such member.
   */
  member(path: string): MemberLayout;
  find(path: string): MemberLayout | undefined;
  /** `member(path).offset`. Throws for a bit-field, whose place is more than an offset. */
  offsetOf(path: string): number;
}

export interface FunctionPrototype {
  readonly name: string;
  readonly returns: BtfTypeId;
  readonly params: BtfFuncProto['params'];
  readonly variadic: boolean;
}

/**
 * The types of a kernel, or of a module on top of its kernel's. Nothing is decoded before it is asked for.
 * Methods that find nothing return `undefined`; those named for a thing (`struct`, `enumValue`, `type`) throw
 * `UnsupportedError`, since kernel code that asks for them cannot go on with this kernel.
 */
export interface Btf {
  /** Ids 0 to `typeCount - 1` exist; 0 is `void`. */
  readonly typeCount: number;
  /** Decodes one record. */
  type(id: BtfTypeId): BtfType;
  /** First type of this kind and name. `kind` `'struct'` finds unions only when asked for `'union'`. */
  find(kind: BtfKind, name: string): BtfTypeId | undefined;
  /** All types of this kind with this name. */
  findAll(kind: BtfKind, name: string): readonly BtfTypeId[];
  /** Ids of every type of a kind. */
  ids(kind: BtfKind): Iterable<BtfTypeId>;

  /** Layout of `struct name`, `union name`, or of the struct a typedef of that name stands for. */
  struct(name: string): StructLayout;
  findStruct(name: string): StructLayout | undefined;
  /** Layout of the struct or union that `id` is, through typedefs and qualifiers. */
  layout(id: BtfTypeId): StructLayout;
  enumeration(name: string): BtfEnum | undefined;
  /** Value of an enumerator of any enum, also anonymous ones: `enumValue('MODULE_STATE_GOING')`. */
  enumValue(enumerator: string): number;
  findEnumValue(enumerator: string): number | undefined;
  func(name: string): FunctionPrototype | undefined;

  /** The type behind typedefs, qualifiers and type tags. */
  resolve(id: BtfTypeId): BtfType;
  /** Size in bytes of a value of this type; `void`, functions and forward declarations have 0. */
  sizeOf(id: BtfTypeId): number;
  /** The type as C: `struct list_head *`, `int (*)(struct file *, loff_t)`. */
  nameOf(id: BtfTypeId): string;
  /** The declaration as C with its body, offsets as comments when asked for. */
  format(id: BtfTypeId, options?: FormatOptions): string;
}

export interface FormatOptions {
  /** Appends offset and size of each member as a comment, in pahole's order. */
  readonly offsets?: boolean;
}
