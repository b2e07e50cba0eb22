import { type DigestAlgorithm, digestByOid } from './digest.ts';
import {
  OID_SIGNED_DATA,
  parseSignedData,
  type SignedData,
  type SignedDataEvent,
  type SignerId,
} from './pkcs7.ts';

/** Names of the errno values that a signature check ends in. */
export type SignatureErrno = 'EBADMSG' | 'EINVAL' | 'EKEYREJECTED' | 'ENODATA' | 'ENOKEY' | 'ENOPKG';

/** A line that the kernel logs while it looks at a signature. */
export interface SignatureLog {
  /** The kernel's log level: 3 error, 4 warning. */
  readonly level: number;
  readonly text: string;
}

/** What the texts of the log depend on. */
export interface LoggingFacts {
  /** The image's `OID__NR`, which the kernel logs for an algorithm that it does not know; without it no such line. */
  readonly unknownOid?: number;
  /** `CONFIG_MESSAGE_LOGLEVEL_DEFAULT`, for lines that the kernel gives no level. Default: 4. */
  readonly defaultLogLevel?: number;
}

/** Why the kernel would not take a message, thrown inside this folder only. */
export class SignatureRefused extends Error {
  readonly errno: SignatureErrno;

  constructor(errno: SignatureErrno, reason: string) {
    super(reason);
    this.errno = errno;
  }
}

/** The signature algorithms that the kernel's parser knows. */
export type SignatureAlgorithm = 'rsa' | 'ecdsa' | 'sm2' | 'ecrdsa';

const SIGNATURE_ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
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

const OID_DATA = '1.2.840.113549.1.7.1';
const OID_MS_INDIRECT_DATA = '1.3.6.1.4.1.311.2.1.4';
const OID_CONTENT_TYPE = '1.2.840.113549.1.9.3';
const OID_MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const OID_SIGNING_TIME = '1.2.840.113549.1.9.5';
const OID_SMIME_CAPABILITIES = '1.2.840.113549.1.9.15';

const EXPECTED_OIDS: ReadonlySet<string> = new Set([
  OID_DATA,
  OID_SIGNED_DATA,
  OID_MS_INDIRECT_DATA,
  OID_CONTENT_TYPE,
  OID_MESSAGE_DIGEST,
  OID_SIGNING_TIME,
  OID_SMIME_CAPABILITIES,
  '1.2.840.113549.1.9.1',
]);
/** X.520 attributes of names: commonName and its siblings. */
const NAME_ATTRIBUTE = /^2\.5\.4\.\d+$/;

/** A SignerInfo whose algorithms the kernel knows. */
export interface KnownSigner {
  readonly id: SignerId;
  readonly digest: DigestAlgorithm;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/**
 * Reads a message by the kernel's rules for a detached module signature, in the kernel's order. Throws
 * `SignatureRefused` or `FormatError`. What the kernel logs on the way is added to `log`.
 * Source: crypto/asymmetric_keys/pkcs7_{parser,verify}.c, 6.1.
 *
 * Deviation: an object identifier that is in the kernel's registry but has no business in a signature is logged as
 * unknown; and `Unsupported ... algo` is logged only when `unknownOid` (`OID__NR` of the image) is given.
 */
export function readModuleSignature(
  bytes: Uint8Array,
  log: SignatureLog[],
  logging: LoggingFacts = {},
): KnownSigner[] {
  const message = parseSignedData(bytes, kernelChecks(log, logging));
  const refuse = refuser(log);
  const withAttributes = message.signers.filter((signer) => signer.hasSignedAttributes).length;
  if (message.signers.length === 0 || (withAttributes > 0 && withAttributes < message.signers.length)) {
    refuse('EINVAL', 'Inconsistently supplied authAttrs');
  }
  if (message.hasContent) {
    log.push({ level: 4, text: 'PKCS7: Data already supplied' });
    log.push({ level: 3, text: 'PKCS#7 signature with non-detached data' });
    throw new SignatureRefused('EBADMSG', 'the signature holds the data it signs');
  }
  if (message.dataType !== OID_DATA) refuse('EKEYREJECTED', 'Invalid module sig (not pkcs7-data)');
  if (withAttributes > 0) refuse('EKEYREJECTED', 'Invalid module sig (has authattrs)');
  return knownSigners(message);
}

function knownSigners(message: SignedData): KnownSigner[] {
  return message.signers.flatMap(({ id, digestOid, signatureOid, signature }) => {
    const digest = digestByOid(digestOid);
    const algorithm = SIGNATURE_ALGORITHMS.get(signatureOid);
    return digest === undefined || algorithm === undefined ? [] : [{ id, digest, algorithm, signature }];
  });
}

/** Refuses with a warning in the log that says what the reason says. */
function refuser(log: SignatureLog[]): (errno: SignatureErrno, text: string) => never {
  return (errno, text) => {
    log.push({ level: 4, text: `PKCS7: ${text}` });
    throw new SignatureRefused(errno, text);
  };
}

function kernelChecks(log: SignatureLog[], logging: LoggingFacts): (event: SignedDataEvent) => void {
  const { unknownOid, defaultLogLevel = 4 } = logging;
  const refuse = refuser(log);
  const unsupported = (what: string, oid: string): never => {
    if (unknownOid !== undefined)
      log.push({ level: defaultLogLevel, text: `Unsupported ${what} algo: ${unknownOid}` });
    throw new SignatureRefused('ENOPKG', `${what} algorithm ${oid} is not known`);
  };
  let version = 0;
  let attributes = new Set<string>();
  return (event) => {
    switch (event.kind) {
      case 'oid':
        if (!isExpected(event.oid)) {
          log.push({ level: defaultLogLevel, text: `PKCS7: Unknown OID: [${event.offset}] ${event.oid}` });
        }
        break;
      case 'content-type':
        if (event.oid !== OID_SIGNED_DATA) refuse('EINVAL', 'Only support pkcs7_signedData type');
        break;
      case 'version':
        version = event.version;
        if (version !== 1 && version !== 3) refuse('EINVAL', 'Unsupported SignedData version');
        break;
      case 'data-type':
        if (event.oid !== OID_DATA && event.oid !== OID_MS_INDIRECT_DATA) {
          if (unknownOid !== undefined) refuse('EINVAL', `Unsupported data type ${unknownOid}`);
          throw new SignatureRefused('EINVAL', `data type ${event.oid} is not supported`);
        }
        break;
      case 'signer-version':
        attributes = new Set();
        if (event.version !== 1 && event.version !== 3) refuse('EINVAL', 'Unsupported SignerInfo version');
        if ((event.version === 1) !== (version === 1))
          refuse('EBADMSG', 'SignedData-SignerInfo version mismatch');
        break;
      case 'digest':
        if (digestByOid(event.oid) === undefined) unsupported('digest', event.oid);
        break;
      case 'public-key':
        if (!SIGNATURE_ALGORITHMS.has(event.oid)) unsupported('pkey', event.oid);
        break;
      case 'attribute':
        if (!EXPECTED_OIDS.has(event.oid)) break;
        if (attributes.has(event.oid)) refuse('EKEYREJECTED', 'Repeated/multivalue AuthAttrs not permitted');
        attributes.add(event.oid);
        if (event.oid === OID_SMIME_CAPABILITIES) {
          refuse('EKEYREJECTED', 'S/MIME Caps only allowed with Authenticode');
        }
        break;
      case 'attributes-end':
        if (!attributes.has(OID_CONTENT_TYPE) || !attributes.has(OID_MESSAGE_DIGEST)) {
          refuse('EBADMSG', 'Missing required AuthAttr');
        }
        break;
    }
  };
}

function isExpected(oid: string): boolean {
  return (
    EXPECTED_OIDS.has(oid) ||
    SIGNATURE_ALGORITHMS.has(oid) ||
    digestByOid(oid) !== undefined ||
    NAME_ATTRIBUTE.test(oid)
  );
}
