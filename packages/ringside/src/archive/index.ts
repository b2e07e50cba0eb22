/**
 * Archives that kernels and initial file systems come in: `ar` and `tar` (Debian packages), `cpio` (initramfs).
 * Readers only: bytes in, members out, whose data are views of the archive.
 */
export { isAr, readAr } from './ar.ts';
export type { ArchiveEntry } from './archive-entry.ts';
export { type CpioArchive, readCpio } from './cpio.ts';
export { readTar } from './tar.ts';
