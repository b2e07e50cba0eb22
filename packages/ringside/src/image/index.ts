/**
 * Kernel images as specifications: a `vmlinuz`, `vmlinux`, kernel `.deb` or spec file in, a `KernelSpec` out.
 *
 *     package ─► vmlinuz ─► ELF ─► KernelFacts ─► specOfFacts ─► KernelSpec
 *                                       └─► encodeSpec ─► spec file ─► openSpec ─► KernelSpec (lazy)
 *
 * Everything is immutable; a `KernelSpec` may be shared by any number of machines.
 */
export { unpackBzImage } from './bzimage.ts';
export { specOfFacts } from './kernel-facts.ts';
export type * from './kernel-spec.ts';
export { detectKernelFile, type KernelFileKind, type ReadKernelOptions, readKernel } from './read-kernel.ts';
export {
  type Deflate,
  type Inflate,
  isSpecFile,
  SpecContainer,
} from './spec-file/container.ts';
export { encodeSpec, type KernelFacts, openSpec } from './spec-file/spec-file.ts';
