/**
 * BTF: the compact type information of kernels and modules, bytes in, immutable answers out.
 *
 * Key types: `Btf` (the questions that can be asked), `BtfType` (one decoded record), `StructLayout`.
 */
export type { Btf, FormatOptions, FunctionPrototype, MemberLayout, StructLayout } from './btf.ts';
export type * from './kinds.ts';
