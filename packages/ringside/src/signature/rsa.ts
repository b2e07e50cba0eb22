import { bytesToBigInt, sameBytes } from './der.ts';
import type { DigestAlgorithm } from './digest.ts';

export interface RsaPublicKey {
  readonly algorithm: 'rsa';
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Bytes in the modulus, and so in every signature. */
  readonly sizeBytes: number;
}

/** Whether `signature` is the PKCS#1 v1.5 signature of `digest`. Source: RFC 8017 section 8.2.2. */
export function verifyRsa(
  key: RsaPublicKey,
  algorithm: DigestAlgorithm,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const paddingSize = key.sizeBytes - 3 - algorithm.digestInfo.length - digest.length;
  if (signature.length !== key.sizeBytes || paddingSize < 8) return false;
  const expected = new Uint8Array(key.sizeBytes).fill(0xff);
  expected[0] = 0;
  expected[1] = 1;
  expected[2 + paddingSize] = 0;
  expected.set(algorithm.digestInfo, 3 + paddingSize);
  expected.set(digest, key.sizeBytes - digest.length);
  const value = bytesToBigInt(signature);
  if (value >= key.modulus) return false;
  return sameBytes(toBytes(power(value, key.exponent, key.modulus), key.sizeBytes), expected);
}

/** `base ** exponent % modulus`. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function toBytes(value: bigint, size: number): Uint8Array {
  const hex = value.toString(16).padStart(size * 2, '0');
  return Uint8Array.from({ length: size }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );
}
