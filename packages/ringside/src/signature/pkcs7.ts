import { contextTag, DerReader, DerTag, oidText } from './der.ts';
import { type DigestAlgorithm, digestByOid } from './digest.ts';

/** Names of the errno values that a signature check ends in. */
export type SignatureErrno = 'EBADMSG' | 'EINVAL' | 'EKEYREJECTED' | 'ENODATA' | 'ENOKEY' | 'ENOPKG';

/** A line that the kernel logs while it looks at a signature. */
export interface SignatureLog {
  /** The kernel's log level: 3 error, 4 warning. */
  readonly level: 3 | 4;
  readonly text: string;
}

/** Why the kernel would not take a message, thrown inside this folder only. */
export class SignatureRefused extends Error {
  readonly errno: SignatureErrno;
  readonly log: SignatureLog | undefined;

  constructor(errno: SignatureErrno, reason: string, log?: SignatureLog) {
    super(reason);
    this.errno = errno;
    this.log = log;
  }
}

/** Who signed: the certificate's issuer and serial number, or its subject key identifier. */
export type SignerId =
  | { readonly kind: 'issuer-and-serial'; readonly issuer: Uint8Array; readonly serial: Uint8Array }
  | { readonly kind: 'subject-key-id'; readonly keyId: Uint8Array };

/** One SignerInfo of a SignedData message. */
export interface SignerInfo {
  readonly version: number;
  readonly id: SignerId;
  /** Dotted object identifiers. */
  readonly digestOid: string;
  readonly signatureOid: string;
  readonly hasSignedAttributes: boolean;
  readonly signature: Uint8Array;
}

/** A PKCS#7 / CMS SignedData message, as far as module signatures use it. */
export interface SignedData {
  readonly contentType: string;
  readonly version: number;
  readonly dataType: string;
  readonly hasContent: boolean;
  readonly signers: readonly SignerInfo[];
}

const OID_DATA = '1.2.840.113549.1.7.1';
const OID_SIGNED_DATA = '1.2.840.113549.1.7.2';
const OID_MS_INDIRECT_DATA = '1.3.6.1.4.1.311.2.1.4';

/** Reads a message; bytes after it are left alone. Throws `FormatError`. Source: RFC 2315, RFC 5652. */
export function parseSignedData(bytes: Uint8Array): SignedData {
  const contentInfo = new DerReader(bytes, 'module signature').enter(DerTag.sequence);
  const contentType = oidText(contentInfo.next(DerTag.objectIdentifier).content);
  const signedData = contentInfo.enter(contextTag(0)).enter(DerTag.sequence);
  const version = smallInteger(signedData.next(DerTag.integer).content);
  setOrSequence(signedData);
  const inner = signedData.enter(DerTag.sequence);
  const dataType = oidText(inner.next(DerTag.objectIdentifier).content);
  const hasContent = inner.optional(contextTag(0)) !== undefined;
  for (const number of [0, 2, 1, 3]) signedData.optional(contextTag(number));
  const list = setOrSequence(signedData);
  const signers: SignerInfo[] = [];
  while (!list.atEnd) signers.push(parseSignerInfo(list.enter(DerTag.sequence)));
  return { contentType, version, dataType, hasContent, signers };
}

function setOrSequence(reader: DerReader): DerReader {
  return reader.enter(reader.peekTag() === DerTag.sequence ? DerTag.sequence : DerTag.set);
}

function smallInteger(content: Uint8Array): number {
  return content.length === 1 ? content[0]! : -1;
}

function parseSignerInfo(info: DerReader): SignerInfo {
  const version = smallInteger(info.next(DerTag.integer).content);
  const id = parseSignerId(info);
  const digestOid = oidText(info.enter(DerTag.sequence).next(DerTag.objectIdentifier).content);
  const attributes = info.optional(contextTag(0)) ?? info.optional(contextTag(2));
  const signatureOid = oidText(info.enter(DerTag.sequence).next(DerTag.objectIdentifier).content);
  const signature = info.next(DerTag.octetString).content;
  return { version, id, digestOid, signatureOid, hasSignedAttributes: attributes !== undefined, signature };
}

function parseSignerId(info: DerReader): SignerId {
  const keyId = info.optional(contextTag(0, false));
  if (keyId !== undefined) return { kind: 'subject-key-id', keyId: keyId.content };
  const both = info.enter(DerTag.sequence);
  const issuer = both.next(DerTag.sequence).content;
  const serial = both.next(DerTag.integer).content;
  return { kind: 'issuer-and-serial', issuer, serial };
}

/** The signature algorithms that the kernel's parser knows. */
export type SignatureAlgorithm = 'rsa' | 'ecdsa' | 'sm2' | 'ecrdsa';

const SIGNATURE_ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['1.2.840.113549.1.1.1', 'rsa'],
  ['1.2.840.10045.4.1', 'ecdsa'],
  ['1.2.840.10045.4.3.1', 'ecdsa'],
  ['1.2.840.10045.4.3.2', 'ecdsa'],
  ['1.2.840.10045.4.3.3', 'ecdsa'],
  ['1.2.840.10045.4.3.4', 'ecdsa'],
  ['1.2.156.10197.1.501', 'sm2'],
  ['1.2.643.7.1.1.1.1', 'ecrdsa'],
  ['1.2.643.7.1.1.1.2', 'ecrdsa'],
]);

/** A SignerInfo whose algorithms the kernel knows. */
export interface KnownSigner {
  readonly id: SignerId;
  readonly digest: DigestAlgorithm;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/**
 * Applies the kernel's rules for a detached module signature, in its order. Throws `SignatureRefused` with the
 * errno and the log line of the real kernel. Source: crypto/asymmetric_keys/pkcs7_{parser,verify}.c, 6.1.
 */
export function acceptModuleSignature(message: SignedData): KnownSigner[] {
  if (message.contentType !== OID_SIGNED_DATA) refuse('EINVAL', 'Only support pkcs7_signedData type');
  if (message.version !== 1 && message.version !== 3) refuse('EINVAL', 'Unsupported SignedData version');
  if (message.dataType !== OID_DATA && message.dataType !== OID_MS_INDIRECT_DATA) {
    throw new SignatureRefused('EINVAL', `data type ${message.dataType} is not supported`);
  }
  const known = message.signers.map((signer) => acceptSigner(message, signer));
  const withAttributes = message.signers.filter((signer) => signer.hasSignedAttributes).length;
  if (message.signers.length === 0 || (withAttributes > 0 && withAttributes < message.signers.length)) {
    refuse('EINVAL', 'Inconsistently supplied authAttrs');
  }
  if (message.hasContent) {
    throw new SignatureRefused('EBADMSG', 'signature is not detached', {
      level: 3,
      text: 'PKCS#7 signature with non-detached data',
    });
  }
  if (message.dataType !== OID_DATA) refuse('EKEYREJECTED', 'Invalid module sig (not pkcs7-data)');
  if (withAttributes > 0) refuse('EKEYREJECTED', 'Invalid module sig (has authattrs)');
  return known;
}

function acceptSigner(message: SignedData, signer: SignerInfo): KnownSigner {
  if (signer.version !== 1 && signer.version !== 3) refuse('EINVAL', 'Unsupported SignerInfo version');
  if ((signer.version === 1) !== (message.version === 1)) {
    refuse('EBADMSG', 'SignedData-SignerInfo version mismatch');
  }
  const digest = digestByOid(signer.digestOid);
  if (digest === undefined) throw new SignatureRefused('ENOPKG', `digest ${signer.digestOid} is unknown`);
  const algorithm = SIGNATURE_ALGORITHMS.get(signer.signatureOid);
  if (algorithm === undefined) {
    throw new SignatureRefused('ENOPKG', `signature algorithm ${signer.signatureOid} is unknown`);
  }
  return { id: signer.id, digest, algorithm, signature: signer.signature };
}

function refuse(errno: SignatureErrno, text: string): never {
  throw new SignatureRefused(errno, text, { level: 4, text: `PKCS7: ${text}` });
}
