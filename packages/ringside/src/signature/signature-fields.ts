import { FormatError } from '../bytes/index.ts';
import { digestByOid } from './digest.ts';
import { displayName } from './distinguished-name.ts';
import { OID_SIGNED_DATA, parseSignedData } from './pkcs7.ts';
import { findSignature, SignatureIdType, type SignatureInfo } from './trailer.ts';

/** What `modinfo` prints about an appended signature. */
export interface SignatureFields {
  /** `PKCS#7`, or `PGP` / `X509` of ancient formats. */
  readonly sig_id: string;
  readonly signer: string;
  /** Key identifier: for PKCS#7 the certificate's serial number. */
  readonly sig_key: Uint8Array;
  readonly sig_hashalgo: string;
  readonly signature: Uint8Array;
}

/** Names by `module_signature.hash` and `.id_type`. Source: kmod 30, libkmod/libkmod-signature.c. */
const HASHES = ['md4', 'md5', 'sha1', 'rmd160', 'sha256', 'sha384', 'sha512', 'sha224', 'sm3'];
const ID_TYPES = ['PGP', 'X509', 'PKCS#7'];
const ALGORITHMS_KNOWN = 2;

/**
 * The signature of a module file as kmod reads it, without checking it; undefined when the file has none or one
 * that kmod passes over in silence.
 */
export function readSignatureFields(file: Uint8Array): SignatureFields | undefined {
  const signed = findSignature(file);
  const info = signed?.info;
  if (signed === undefined || info === undefined) return undefined;
  const { algo, hash, idType, signerLength, keyIdLength, signatureLength } = info;
  if (algo >= ALGORITHMS_KNOWN || hash >= HASHES.length || idType >= ID_TYPES.length) return undefined;
  const whole = signatureLength + signerLength + keyIdLength;
  if (signatureLength === 0 || whole > signed.sizeBeforeInfo) return undefined;
  const start = signed.sizeBeforeInfo - signatureLength;
  if (idType !== SignatureIdType.pkcs7) return plainFields(file, start, info);
  try {
    return pkcs7Fields(file.subarray(start, signed.sizeBeforeInfo));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function plainFields(file: Uint8Array, start: number, info: SignatureInfo): SignatureFields {
  const keyStart = start - info.keyIdLength;
  const signerStart = keyStart - info.signerLength;
  return {
    sig_id: ID_TYPES[info.idType]!,
    signer: new TextDecoder().decode(file.subarray(signerStart, keyStart)),
    sig_key: file.subarray(keyStart, start),
    sig_hashalgo: HASHES[info.hash]!,
    signature: file.subarray(start, start + info.signatureLength),
  };
}

function pkcs7Fields(bytes: Uint8Array): SignatureFields | undefined {
  let contentType = '';
  const { signers } = parseSignedData(bytes, (event) => {
    if (event.kind === 'content-type') contentType = event.oid;
  });
  const [signer] = signers;
  if (contentType !== OID_SIGNED_DATA || signer?.id.kind !== 'issuer-and-serial') return undefined;
  const digest = digestByOid(signer.digestOid);
  if (digest === undefined) return undefined;
  const { issuer, serial } = signer.id;
  // kmod prints the serial as a number: without the zero octet that only says that it is positive.
  const firstDigit = serial.findIndex((byte) => byte !== 0);
  return {
    sig_id: 'PKCS#7',
    signer: displayName(issuer) ?? '',
    sig_key: firstDigit < 0 ? new Uint8Array() : serial.subarray(firstDigit),
    sig_hashalgo: digest.name,
    signature: signer.signature,
  };
}

/** Bytes per line of a hexadecimal value in `modinfo`'s output. Source: kmod 30, `modinfo` on any signed module. */
const HEX_PER_LINE = 20;

/** `AA:BB:..`, broken after every 20 bytes (behind the colon) with a line break and two tabs. */
export function formatHexField(bytes: Uint8Array): string {
  let text = '';
  bytes.forEach((byte, index) => {
    text += byte.toString(16).toUpperCase().padStart(2, '0');
    if (index === bytes.length - 1) return;
    text += (index + 1) % HEX_PER_LINE === 0 ? ':\n\t\t' : ':';
  });
  return text;
}
