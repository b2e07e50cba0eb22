import { sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';

/** A digest algorithm by the kernel's name for it. */
export interface DigestAlgorithm {
  readonly name: string;
  /** Its object identifier, dotted. */
  readonly oid: string;
  /** Undefined for an algorithm that signatures name but that Ringside does not compute. */
  readonly compute: ((message: Uint8Array) => Uint8Array) | undefined;
  /**
   * The ASN.1 header of a DigestInfo of this algorithm, as PKCS#1 puts it before the digest. Source: RFC 8017
   * section 9.2, note 1.
   */
  readonly digestInfo: Uint8Array;
}

function algorithm(
  name: string,
  oid: string,
  oidHex: string,
  size: number,
  compute?: (message: Uint8Array) => Uint8Array,
): DigestAlgorithm {
  const oidBytes = Uint8Array.from(oidHex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const identifier = [0x06, oidBytes.length, ...oidBytes, 0x05, 0x00];
  const algorithmPart = [0x30, identifier.length, ...identifier];
  const digestInfo = Uint8Array.from([0x30, algorithmPart.length + 2 + size, ...algorithmPart, 0x04, size]);
  return { name, oid, compute, digestInfo };
}

/** The digest algorithms a PKCS#7 signature can name. Source: crypto/asymmetric_keys/pkcs7_parser.c, 6.1. */
const DIGESTS: readonly DigestAlgorithm[] = [
  algorithm('md4', '1.2.840.113549.2.4', '2a864886f70d0204', 16),
  algorithm('md5', '1.2.840.113549.2.5', '2a864886f70d0205', 16),
  algorithm('sha1', '1.3.14.3.2.26', '2b0e03021a', 20, sha1),
  algorithm('sha224', '2.16.840.1.101.3.4.2.4', '608648016503040204', 28, sha224),
  algorithm('sha256', '2.16.840.1.101.3.4.2.1', '608648016503040201', 32, sha256),
  algorithm('sha384', '2.16.840.1.101.3.4.2.2', '608648016503040202', 48, sha384),
  algorithm('sha512', '2.16.840.1.101.3.4.2.3', '608648016503040203', 64, sha512),
  algorithm('sm3', '1.2.156.10197.1.401', '2a811ccf55018311', 32),
  algorithm('streebog256', '1.2.643.7.1.1.2.2', '2a85030701010202', 32),
  algorithm('streebog512', '1.2.643.7.1.1.2.3', '2a85030701010203', 64),
];

/** The digest algorithm with this object identifier; undefined for one that the kernel does not know. */
export function digestByOid(oid: string): DigestAlgorithm | undefined {
  return DIGESTS.find((digest) => digest.oid === oid);
}
