/**
 * The signature appended to a module: what it says and whether a kernel's trusted keys made it.
 *
 *     file -> findSignature -> PKCS#7 SignedData -> readSignatureFields   (what modinfo prints)
 *                                               \-> checkModuleSignature  (what the kernel decides)
 *     image's certificates -> parseCertificate ----/
 *
 * Everything is pure and synchronous: the kernel checks a signature in the middle of loading a module, and the
 * browser's cryptography is asynchronous and does not know every algorithm.
 */
export { type Certificate, type PublicKey, parseCertificate } from './certificate.ts';
export type { SignatureErrno, SignatureLog } from './kernel-rules.ts';
export { formatHexField, readSignatureFields, type SignatureFields } from './signature-fields.ts';
export { checkModuleSignature, type SignatureCheck, type SignatureCheckOptions } from './verify.ts';
