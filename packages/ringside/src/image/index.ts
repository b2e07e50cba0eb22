/**
 * Kernel images as specifications: `vmlinuz`, `vmlinux`, a kernel `.deb` or a spec file in, a `KernelSpec` out.
 */
export type * from './kernel-spec.ts';
