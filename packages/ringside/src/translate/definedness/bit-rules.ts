/**
 * Which bits of a result depend on undefined bits of the operands. A value is its bits and a mask in which a set bit is an
 * undefined one; all are unsigned. The rules never call a bit defined that could differ, except where a comment says so, and
 * for sums and differences they are exact.
 */
export interface Bits {
  readonly value: bigint;
  readonly mask: bigint;
}

export function ones(width: number): bigint {
  return (1n << BigInt(width)) - 1n;
}

/** The least and the greatest value that the bits may have. */
export function range({ value, mask }: Bits): { readonly least: bigint; readonly most: bigint } {
  return { least: value & ~mask, most: value | mask };
}

/** The same of a signed number of `width` bits. */
export function signedRange({ value, mask }: Bits, width: number) {
  const sign = 1n << BigInt(width - 1);
  const least = (value & ~mask) | (mask & sign);
  const most = (value | mask) & ~(mask & sign);
  return { least: BigInt.asIntN(width, least), most: BigInt.asIntN(width, most) };
}

/** A carry or borrow: the least and the greatest that it may be. */
export interface Carry {
  readonly least: bigint;
  readonly most: bigint;
}
export const NO_CARRY: Carry = { least: 0n, most: 0n };

export function addMask(a: Bits, b: Bits, width: number, carry = NO_CARRY): bigint {
  if ((a.mask | b.mask) === 0n && carry.least === carry.most) return 0n;
  const [x, y] = [range(a), range(b)];
  const differs = (x.least + y.least + carry.least) ^ (x.most + y.most + carry.most);
  return (a.mask | b.mask | differs) & ones(width);
}

export function subMask(a: Bits, b: Bits, width: number, borrow = NO_CARRY): bigint {
  if ((a.mask | b.mask) === 0n && borrow.least === borrow.most) return 0n;
  const [x, y] = [range(a), range(b)];
  const differs = (x.least - y.most - borrow.most) ^ (x.most - y.least - borrow.least);
  return (a.mask | b.mask | differs) & ones(width);
}

/** A defined 0 makes the bit defined. */
export function andMask(a: Bits, b: Bits): bigint {
  return (a.mask | b.mask) & (a.value | a.mask) & (b.value | b.mask);
}

/** A defined 1 makes the bit defined. */
export function orMask(a: Bits, b: Bits): bigint {
  return (a.mask | b.mask) & ~(a.value & ~a.mask) & ~(b.value & ~b.mask);
}

/** From the lowest undefined bit up: what a product's low half is made of. */
export function smearUp(mask: bigint, width: number): bigint {
  return BigInt.asUintN(width, mask === 0n ? 0n : mask | -mask);
}

export function multiplyMask(a: Bits, b: Bits, width: number): bigint {
  if ((a.mask | b.mask) === 0n) return 0n;
  if ((a.mask === 0n && a.value === 0n) || (b.mask === 0n && b.value === 0n)) return 0n;
  return smearUp(
    (a.mask === 0n ? 0n : a.mask * lowestBit(b)) | (b.mask === 0n ? 0n : b.mask * lowestBit(a)),
    width,
  );
}

/** The lowest bit that may be set. */
function lowestBit({ value, mask }: Bits): bigint {
  const most = value | mask;
  return most & -most;
}

/** What a mask becomes when the value is shifted or rotated by a defined count, below twice the width. */
export function shiftMask(name: string, mask: bigint, count: number, width: number): bigint {
  const n = BigInt(count);
  const all = ones(width);
  switch (name) {
    case 'shl':
      return (mask << n) & all;
    case 'shr':
      return mask >> n;
    case 'sar':
      return BigInt.asUintN(width, BigInt.asIntN(width, mask) >> n);
    default: {
      const turn = BigInt(count % width);
      const left = name === 'rol' ? turn : BigInt(width) - turn;
      return ((mask << left) | (mask >> (BigInt(width) - left))) & all;
    }
  }
}

export function signExtend(mask: bigint, from: number, to: number): bigint {
  return BigInt.asUintN(to, BigInt.asIntN(from, mask));
}

export function swapBytes(mask: bigint, width: number): bigint {
  let swapped = 0n;
  for (let i = 0; i < width; i += 8) swapped = (swapped << 8n) | ((mask >> BigInt(i)) & 0xffn);
  return swapped;
}

/** Whether a scan for the lowest (or highest) set bit finds a defined one before any undefined one. */
export function scanIsDefined({ value, mask }: Bits, width: number, fromTop: boolean): boolean {
  for (let i = 0; i < width; i++) {
    const bit = 1n << BigInt(fromTop ? width - 1 - i : i);
    if (mask & bit) return false;
    if (value & bit) return true;
  }
  return true;
}
