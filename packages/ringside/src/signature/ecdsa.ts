import { bytesToBigInt, DerReader, DerTag } from './der.ts';

/** A short Weierstrass curve y^2 = x^3 - 3x + b over a prime field. */
export interface Curve {
  readonly name: string;
  readonly oid: string;
  readonly p: bigint;
  readonly b: bigint;
  readonly n: bigint;
  readonly g: Point;
  readonly sizeBytes: number;
}

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

export interface EcdsaPublicKey {
  readonly algorithm: 'ecdsa';
  readonly curve: Curve;
  readonly point: Point;
}

/** The curves of `CONFIG_CRYPTO_ECDSA` that sign modules. Source: FIPS 186-4, D.1.2. */
const CURVES: readonly Curve[] = [
  {
    name: 'p256',
    oid: '1.2.840.10045.3.1.7',
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    g: {
      x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    },
    sizeBytes: 32,
  },
  {
    name: 'p384',
    oid: '1.3.132.0.34',
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    g: {
      x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
      y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
    },
    sizeBytes: 48,
  },
];

/** The curve with this object identifier; undefined for one that is not supported. */
export function curveByOid(oid: string): Curve | undefined {
  return CURVES.find((curve) => curve.oid === oid);
}

/** The point an uncompressed SEC 1 encoding names; undefined when it is not one of the curve. */
export function decodePoint(curve: Curve, bytes: Uint8Array): Point | undefined {
  if (bytes.length !== 1 + 2 * curve.sizeBytes || bytes[0] !== 4) return undefined;
  const x = bytesToBigInt(bytes.subarray(1, 1 + curve.sizeBytes));
  const y = bytesToBigInt(bytes.subarray(1 + curve.sizeBytes));
  const rest = (y * y - x * x * x + 3n * x - curve.b) % curve.p;
  return x < curve.p && y < curve.p && rest === 0n ? { x, y } : undefined;
}

/** Whether `signature` (DER `SEQUENCE { r, s }`) signs `digest`. Source: FIPS 186-4 section 6.4. */
export function verifyEcdsa(key: EcdsaPublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const { curve } = key;
  const pair = new DerReader(signature, 'ECDSA signature').enter(DerTag.sequence);
  const r = bytesToBigInt(pair.next(DerTag.integer).content);
  const s = bytesToBigInt(pair.next(DerTag.integer).content);
  if (r <= 0n || s <= 0n || r >= curve.n || s >= curve.n) return false;
  const z = bytesToBigInt(digest.subarray(0, curve.sizeBytes));
  const w = inverse(s, curve.n);
  const sum = add(
    curve,
    multiply(curve, curve.g, (z * w) % curve.n),
    multiply(curve, key.point, (r * w) % curve.n),
  );
  return sum !== undefined && sum.x % curve.n === r;
}

function multiply(curve: Curve, point: Point, scalar: bigint): Point | undefined {
  let result: Point | undefined;
  let square: Point | undefined = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(curve, result, square);
    square = add(curve, square, square);
  }
  return result;
}

/** The sum of two points; undefined is the point at infinity. */
function add(curve: Curve, a: Point | undefined, b: Point | undefined): Point | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const { p } = curve;
  const same = a.x === b.x;
  if (same && (a.y + b.y) % p === 0n) return undefined;
  const slope = same ? (3n * a.x * a.x - 3n) * inverse(2n * a.y, p) : (b.y - a.y) * inverse(b.x - a.x, p);
  const x = modulo(slope * slope - a.x - b.x, p);
  return { x, y: modulo(slope * (a.x - x) - a.y, p) };
}

/** The inverse of `value` modulo a prime, by the extended Euclidean algorithm. */
function inverse(value: bigint, prime: bigint): bigint {
  let [low, high] = [modulo(value, prime), prime];
  let [factor, previous] = [1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [high, low] = [low, high - quotient * low];
    [previous, factor] = [factor, previous - quotient * factor];
  }
  return modulo(factor, prime);
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}
