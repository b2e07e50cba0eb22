/**
 * The module file (`.ko`) as a specification.
 *
 *   .ko bytes ──► readSignatureBlock ──► ElfFile ──► ModuleSpec (lazy tables; relocations resolved to places)
 *   .ko.xz/.zst/.gz ──► compression ──┘
 *
 * Pure and shareable; a machine's live `Module` is made from it elsewhere. The layouts of the kernel's own tables
 * (ORC, alternatives, ...) are those of 6.1.
 */
export { readModinfoSection } from './modinfo-section.ts';
export type * from './module-spec.ts';
export { openModule } from './open-module.ts';
export { readModule } from './read-module.ts';
