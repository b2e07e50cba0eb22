import { InvariantError } from './errors.ts';

declare const guestAddr: unique symbol;

/**
 * A 64-bit guest address as a JavaScript number: the signed value of the address.
 *
 * Every canonical address (48 bits, sign-extended) is an exact double this way: user addresses are positive,
 * kernel addresses negative (`0xffffffffc0000000` is `-0x40000000`), and arithmetic on them is plain `+` and
 * `-`. The low 32 bits, where the guest's one memory stores the byte, are `addr >>> 0`.
 *
 * A 64-bit pattern that is not canonical (`0xdead000000000100`, random garbage) has no exact double. It is
 * interned and stands as `EXOTIC_BASE + index * 2^16`, a number that no canonical address has; small field
 * offsets may be added to it and it still converts back exactly.
 */
export type GuestAddr = number & { readonly [guestAddr]: 'GuestAddr' };

const TWO_32 = 0x1_0000_0000;
const CANONICAL_LIMIT = 0x8000_0000_0000;
const EXOTIC_BASE = 2 ** 52;
const EXOTIC_SPAN = 0x1_0000;
const EXOTIC_MAX = 0x10_0000;

/** A ring: the oldest pattern gives way when there are more than EXOTIC_MAX. */
const exoticValues: bigint[] = [];
let nextExotic = 0;
const exoticIndex = new Map<bigint, number>();

/** The null pointer. */
export const NULL = 0 as GuestAddr;

/** Views a number that is known to be an address (a sum of an address and an offset) as one. */
export function asAddr(value: number): GuestAddr {
  return value as GuestAddr;
}

/** Whether the address is canonical: usable by the CPU without a general protection fault. */
export function isCanonical(addr: number): boolean {
  return addr >= -CANONICAL_LIMIT && addr < CANONICAL_LIMIT;
}

/** The address whose upper and lower 32 bits are `high` and `low` (either signed or unsigned). */
export function addrFromParts(high: number, low: number): GuestAddr {
  const signedHigh = high | 0;
  if (signedHigh >= -0x8000 && signedHigh < 0x8000) {
    return (signedHigh * TWO_32 + (low >>> 0)) as GuestAddr;
  }
  return addrFromU64((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

/** The address with this 64-bit pattern (signed or unsigned). */
export function addrFromU64(value: bigint): GuestAddr {
  const signed = BigInt.asIntN(64, value);
  const number = Number(signed);
  if (isCanonical(number)) return number as GuestAddr;
  let index = exoticIndex.get(signed);
  if (index === undefined) {
    index = nextExotic;
    nextExotic = (nextExotic + 1) % EXOTIC_MAX;
    const oldest = exoticValues[index];
    if (oldest !== undefined) exoticIndex.delete(oldest);
    exoticValues[index] = signed;
    exoticIndex.set(signed, index);
  }
  return (EXOTIC_BASE + index * EXOTIC_SPAN + EXOTIC_SPAN / 2) as GuestAddr;
}

/** The unsigned 64-bit pattern of an address. */
export function addrToU64(addr: number): bigint {
  // a sum may have left the canonical range; it is exact all the same
  if (Math.abs(addr) < EXOTIC_BASE) return BigInt.asUintN(64, BigInt(addr));
  const index = Math.floor((addr - EXOTIC_BASE) / EXOTIC_SPAN);
  const value = exoticValues[index];
  if (value === undefined) throw new InvariantError(`number ${addr} is no guest address`);
  const delta = addr - EXOTIC_BASE - index * EXOTIC_SPAN - EXOTIC_SPAN / 2;
  return BigInt.asUintN(64, value + BigInt(delta));
}

/** The upper 32 bits of an address, signed. */
export function addrHigh(addr: number): number {
  return isCanonical(addr)
    ? Math.floor(addr / TWO_32) | 0
    : Number(BigInt.asIntN(32, addrToU64(addr) >> 32n));
}

/** The lower 32 bits of an address, unsigned: where in the guest's memory the byte is. */
export function addrLow(addr: number): number {
  return isCanonical(addr) ? addr >>> 0 : Number(addrToU64(addr) & 0xffff_ffffn);
}

/** 16 hexadecimal digits, as the kernel prints with `%016lx`. */
export function hex64(addr: number): string {
  return addrToU64(addr).toString(16).padStart(16, '0');
}
