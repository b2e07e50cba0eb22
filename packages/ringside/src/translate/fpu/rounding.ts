/** How results are rounded, as RC of the control words has it. */
export const ROUND = { nearest: 0, down: 1, up: 2, zero: 3 } as const;
export type RoundingMode = 0 | 1 | 2 | 3;

/** Exceptions of floating-point arithmetic, as bits of the status word and of MXCSR. Source: SDM vol. 1, 4.9.1. */
export const FP = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 0x10, PE: 0x20 } as const;

/**
 * An exact finite number that is not zero: `sig * 2^exp`. Where the value cannot be written down (a quotient, a root) the lowest
 * bit is a sticky one: it stands for anything between it and zero, and lies far below all bits that are kept.
 */
export interface Real {
  readonly sign: 0 | 1;
  readonly sig: bigint;
  readonly exp: number;
}

/** Significant bits, and the exponents of the leading bit of the smallest and the largest normal number. */
export interface Format {
  readonly precision: number;
  readonly emin: number;
  readonly emax: number;
}

export interface Rounded {
  readonly sign: 0 | 1;
  /** `sig * 2^exp`; 0 when it rounds to zero. */
  readonly sig: bigint;
  readonly exp: number;
  readonly infinite: boolean;
  /** FP bits. */
  readonly flags: number;
  /** The magnitude was made larger. */
  readonly up: boolean;
}

/** Bits of a positive number. */
export function bitLength(n: bigint): number {
  const text = n.toString(16);
  return 4 * text.length - Math.clz32(Number.parseInt(text[0]!, 16)) + 28;
}

/** `n * 2^-shift` with the bits that fall out collected in the lowest one. */
export function shiftSticky(n: bigint, shift: number): bigint {
  if (shift <= 0) return n << BigInt(-shift);
  const kept = n >> BigInt(shift);
  return kept << BigInt(shift) === n ? kept : kept | 1n;
}

/** Drops `shift` bits by the rules of the mode. */
export function roundBits(
  sign: number,
  sig: bigint,
  shift: number,
  mode: RoundingMode,
): { kept: bigint; inexact: boolean; up: boolean } {
  if (shift <= 0) return { kept: sig << BigInt(-shift), inexact: false, up: false };
  const kept = sig >> BigInt(shift);
  const rest = sig - (kept << BigInt(shift));
  if (rest === 0n) return { kept, inexact: false, up: false };
  let up: boolean;
  if (mode === ROUND.nearest) {
    const half = 1n << BigInt(shift - 1);
    up = rest > half || (rest === half && (kept & 1n) === 1n);
  } else up = mode === (sign === 0 ? ROUND.up : ROUND.down);
  return { kept: up ? kept + 1n : kept, inexact: true, up };
}

/**
 * Rounds to a format. Tininess is found after rounding, as x86 does. `unmasked` (FP bits): for these overflow and underflow the
 * result is given with an unbounded exponent, so that the caller can scale it.
 * Source: SDM vol. 1, 4.9.1.4 and 4.9.1.5.
 */
export function round(x: Real, format: Format, mode: RoundingMode, unmasked = 0): Rounded {
  const { precision, emin, emax } = format;
  const { sign } = x;
  const bits = bitLength(x.sig);
  const shift = bits - precision;
  const free = roundBits(sign, x.sig, shift, mode);
  const lead = x.exp + shift + bitLength(free.kept) - 1;
  const inexact = free.inexact ? FP.PE : 0;
  if (lead > emax) {
    if ((unmasked & FP.OE) !== 0) {
      return {
        sign,
        sig: free.kept,
        exp: x.exp + shift,
        infinite: false,
        flags: FP.OE | inexact,
        up: free.up,
      };
    }
    const infinite = mode === ROUND.nearest || mode === (sign === 0 ? ROUND.up : ROUND.down);
    const largest = (1n << BigInt(precision)) - 1n;
    return { sign, sig: largest, exp: emax - precision + 1, infinite, flags: FP.OE | FP.PE, up: infinite };
  }
  if (lead >= emin) {
    return { sign, sig: free.kept, exp: x.exp + shift, infinite: false, flags: inexact, up: free.up };
  }
  if ((unmasked & FP.UE) !== 0) {
    return { sign, sig: free.kept, exp: x.exp + shift, infinite: false, flags: FP.UE | inexact, up: free.up };
  }
  const lowest = emin - precision + 1;
  const tiny = roundBits(sign, x.sig, lowest - x.exp, mode);
  const flags = tiny.inexact ? FP.UE | FP.PE : 0;
  return { sign, sig: tiny.kept, exp: lowest, infinite: false, flags, up: tiny.up };
}

/** The integer nearest to the number by the mode, as a magnitude. */
export function roundToInteger(x: Real, mode: RoundingMode): { kept: bigint; inexact: boolean; up: boolean } {
  // More bits than this do not change the outcome.
  const shift = Math.min(-x.exp, bitLength(x.sig) + 2);
  return shift === -x.exp ? roundBits(x.sign, x.sig, shift, mode) : roundBits(x.sign, 1n, 2, mode);
}
