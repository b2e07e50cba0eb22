import { FormatError } from '../bytes/index.ts';
import type { Certificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import { verifyEcdsa } from './ecdsa.ts';
import {
  type KnownSigner,
  type LoggingFacts,
  readModuleSignature,
  type SignatureErrno,
  type SignatureLog,
  SignatureRefused,
} from './kernel-rules.ts';
import type { SignerId } from './pkcs7.ts';
import { verifyRsa } from './rsa.ts';
import { findSignature, SignatureIdType, type SignedFile } from './trailer.ts';

/** The outcome of `module_sig_check` up to the question whether signatures are enforced. */
export type SignatureCheck =
  | {
      readonly ok: true;
      /** Common name of the certificate whose key made the signature. */
      readonly signer: string;
      /** Bytes of the file that are the module; the rest is signature. */
      readonly contentSize: number;
      /** What the kernel logs on the way. */
      readonly log: readonly SignatureLog[];
    }
  | {
      readonly ok: false;
      readonly errno: SignatureErrno;
      /** What is wrong, for people. */
      readonly reason: string;
      /**
       * How the kernel calls a module that it takes all the same unless signatures are enforced (then it logs
       * `Loading of UNVERIFIED is rejected` and returns EKEYREJECTED). Undefined when `errno` is final.
       */
      readonly unverified: string | undefined;
      readonly log: readonly SignatureLog[];
      readonly contentSize: number;
    };

export interface SignatureCheckOptions extends LoggingFacts {
  /** The loader was told to ignore vermagic or versions: the signature then counts as absent. */
  readonly mangled?: boolean;
  /** Whether the kernel has this digest (`sha512`), built in or as a module it can load. Default: yes. */
  readonly hasDigest?: (name: string) => boolean;
}

/** How the kernel calls a module whose signature could not be checked. Source: kernel/module/signing.c, 6.1. */
const UNVERIFIED: Partial<Record<SignatureErrno, string>> = {
  ENODATA: 'unsigned module',
  ENOPKG: 'module with unsupported crypto',
  ENOKEY: 'module with unavailable key',
};

/**
 * Checks the signature appended to a module file against the keys a kernel trusts. Never throws: hostile bytes
 * end in an errno, as in the kernel. Source: kernel/module/signing.c, certs/system_keyring.c, 6.1.
 *
 * Deviation: certificates inside the message are not used to build a chain; the signer must be trusted itself.
 */
export function checkModuleSignature(
  file: Uint8Array,
  trusted: readonly Certificate[],
  options: SignatureCheckOptions = {},
): SignatureCheck {
  const signed = options.mangled ? undefined : findSignature(file);
  const log: SignatureLog[] = [];
  let contentSize = signed?.size ?? file.length;
  try {
    if (signed === undefined) throw new SignatureRefused('ENODATA', 'the file has no signature');
    checkHeader(signed, log);
    const { info, sizeBeforeInfo } = signed;
    contentSize = sizeBeforeInfo - (info?.signatureLength ?? 0);
    const signers = readModuleSignature(file.subarray(contentSize, sizeBeforeInfo), log, options);
    const signer = verifyAny(file.subarray(0, contentSize), signers, trusted, options);
    return { ok: true, signer, contentSize, log };
  } catch (error) {
    const refused = error instanceof SignatureRefused;
    if (!refused && !(error instanceof FormatError)) throw error;
    const errno = refused ? error.errno : 'EBADMSG';
    return { ok: false, errno, reason: error.message, unverified: UNVERIFIED[errno], log, contentSize };
  }
}

/** `mod_check_sig`. Source: kernel/module_signature.c, 6.1. */
function checkHeader({ info, sizeBeforeInfo }: SignedFile, log: SignatureLog[]): void {
  if (info === undefined || sizeBeforeInfo === 0 || info.signatureLength >= sizeBeforeInfo) {
    throw new SignatureRefused('EBADMSG', 'the signature is longer than the file');
  }
  if (info.idType !== SignatureIdType.pkcs7) {
    log.push({ level: 3, text: 'module: not signed with expected PKCS#7 message' });
    throw new SignatureRefused('ENOPKG', 'the signature is no PKCS#7 message');
  }
  if (info.algo || info.hash || info.signerLength || info.keyIdLength || !info.padIsZero) {
    log.push({ level: 3, text: 'module: PKCS#7 signature info has unexpected non-zero params' });
    throw new SignatureRefused('EBADMSG', 'the signature header has unexpected values');
  }
}

/** One good signature by a trusted key is enough; one bad signature by a trusted key spoils all. */
function verifyAny(
  content: Uint8Array,
  signers: readonly KnownSigner[],
  trusted: readonly Certificate[],
  options: SignatureCheckOptions,
): string {
  let name: string | undefined;
  let unsupported: string | undefined;
  let unknown: string | undefined;
  const digests = new Map<string, Uint8Array>();
  for (const signer of signers) {
    const { compute, name: digestName } = signer.digest;
    if (compute === undefined || !(options.hasDigest?.(digestName) ?? true)) {
      unsupported = `the kernel has no digest ${digestName}`;
      continue;
    }
    const certificate = trusted.find((candidate) => isSigner(candidate, signer.id));
    if (certificate === undefined) {
      unknown = 'the signer is not among the trusted keys';
      continue;
    }
    const digest = digests.get(digestName) ?? compute(content);
    digests.set(digestName, digest);
    if (!isValid(certificate, signer, digest)) {
      throw new SignatureRefused(
        'EKEYREJECTED',
        `the signature by "${certificate.name}" does not match the module`,
      );
    }
    name = certificate.name;
  }
  if (name !== undefined) return name;
  if (unsupported !== undefined) throw new SignatureRefused('ENOPKG', unsupported);
  throw new SignatureRefused('ENOKEY', unknown ?? 'the message has no signer');
}

function isSigner(certificate: Certificate, id: SignerId): boolean {
  if (id.kind === 'subject-key-id') {
    return certificate.subjectKeyId !== undefined && sameBytes(certificate.subjectKeyId, id.keyId);
  }
  return sameBytes(certificate.serial, id.serial) && sameBytes(certificate.issuer, id.issuer);
}

function isValid(certificate: Certificate, signer: KnownSigner, digest: Uint8Array): boolean {
  const { publicKey } = certificate;
  if (publicKey.algorithm !== signer.algorithm) return false;
  try {
    return publicKey.algorithm === 'rsa'
      ? verifyRsa(publicKey, signer.digest, digest, signer.signature)
      : verifyEcdsa(publicKey, digest, signer.signature);
  } catch (error) {
    // An ECDSA signature that is no pair of numbers is a signature that does not match.
    if (error instanceof FormatError) return false;
    throw error;
  }
}
