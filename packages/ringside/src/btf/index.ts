/**
 * BTF: the compact type information of kernels and modules, bytes in, immutable answers out.
 *
 * Key types: `Btf` (the questions that can be asked), `BtfType` (one decoded record), `StructLayout`; `readBtf`
 * makes the first from a `.BTF` section. Nothing is copied: the section's bytes are shared and decoded on demand.
 *
 *     .BTF bytes -> TypeTable (record boundaries, NameIndex) -> TypeGraph (decoded types, layouts, C text)
 */
export type { Btf, FormatOptions, FunctionPrototype, MemberLayout, StructLayout } from './btf.ts';
export type * from './kinds.ts';
export { HEAD_BYTES, KIND_NUMBER, KINDS, tailBytes } from './raw-kinds.ts';
export { readBtf, TypeGraph } from './type-graph.ts';
export { StringTable, splitSection, TypeTable } from './type-table.ts';
