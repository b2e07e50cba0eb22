import { FormatError, UnsupportedError } from '../bytes/index.ts';
import { bytesToBigInt, contextTag, DerReader, DerTag, oidText } from './der.ts';
import { displayName } from './distinguished-name.ts';
import { curveByOid, decodePoint, type EcdsaPublicKey } from './ecdsa.ts';
import type { RsaPublicKey } from './rsa.ts';

export type PublicKey = RsaPublicKey | EcdsaPublicKey;

/** What signature checking needs of an X.509 certificate. */
export interface Certificate {
  /** The whole certificate as DER. */
  readonly der: Uint8Array;
  /** Content octets of the serial number. */
  readonly serial: Uint8Array;
  /** Content octets of the issuer's and the subject's Name. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The subject's common name. */
  readonly name: string;
  /** The subject key identifier, when the certificate states one. */
  readonly subjectKeyId: Uint8Array | undefined;
  readonly publicKey: PublicKey;
}

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const SUBJECT_KEY_ID = '2.5.29.14';

/**
 * Reads one DER certificate (bytes after it are left alone; `certificate.der.length` says how many it takes).
 * Throws `FormatError` when it is none, `UnsupportedError` for keys other than RSA, P-256 and P-384.
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = new DerReader(bytes, 'certificate');
  const whole = outer.next(DerTag.sequence);
  const body = outer.into(whole).enter(DerTag.sequence);
  body.optional(contextTag(0));
  const serial = body.next(DerTag.integer).content;
  body.next(DerTag.sequence);
  const issuer = body.next(DerTag.sequence).content;
  body.next(DerTag.sequence);
  const subject = body.next(DerTag.sequence).content;
  const publicKey = parsePublicKey(body.enter(DerTag.sequence));
  body.optional(contextTag(1, false));
  body.optional(contextTag(2, false));
  const extensions = body.optional(contextTag(3));
  return {
    der: whole.raw,
    serial,
    issuer,
    subject,
    name: displayName(subject) ?? '',
    subjectKeyId: extensions && findSubjectKeyId(body.into(extensions)),
    publicKey,
  };
}

function parsePublicKey(info: DerReader): PublicKey {
  const algorithm = info.enter(DerTag.sequence);
  const oid = oidText(algorithm.next(DerTag.objectIdentifier).content);
  const bits = info.next(DerTag.bitString).content;
  if (bits[0] !== 0) throw new FormatError('public key has unused bits', { section: 'certificate' });
  const key = bits.subarray(1);
  if (oid === RSA_ENCRYPTION) {
    const numbers = new DerReader(key, 'RSA public key').enter(DerTag.sequence);
    const modulus = bytesToBigInt(numbers.next(DerTag.integer).content);
    const exponent = bytesToBigInt(numbers.next(DerTag.integer).content);
    const sizeBytes = Math.ceil(modulus.toString(16).length / 2);
    if (modulus === 0n || exponent >= 1n << 64n) {
      throw new FormatError('RSA key has no modulus or a huge exponent', { section: 'certificate' });
    }
    return { algorithm: 'rsa', modulus, exponent, sizeBytes };
  }
  const curve =
    oid === EC_PUBLIC_KEY ? curveByOid(oidText(algorithm.next(DerTag.objectIdentifier).content)) : undefined;
  if (curve === undefined)
    throw new UnsupportedError({ what: `public key algorithm ${oid} of a certificate` });
  const point = decodePoint(curve, key);
  if (point === undefined)
    throw new FormatError('public key is no point of its curve', { section: 'certificate' });
  return { algorithm: 'ecdsa', curve, point };
}

function findSubjectKeyId(wrapper: DerReader): Uint8Array | undefined {
  const extensions = wrapper.enter(DerTag.sequence);
  while (!extensions.atEnd) {
    const extension = extensions.enter(DerTag.sequence);
    const oid = oidText(extension.next(DerTag.objectIdentifier).content);
    extension.optional(DerTag.boolean);
    const value = extension.next(DerTag.octetString).content;
    if (oid === SUBJECT_KEY_ID) {
      return new DerReader(value, 'subject key identifier').next(DerTag.octetString).content;
    }
  }
  return undefined;
}
