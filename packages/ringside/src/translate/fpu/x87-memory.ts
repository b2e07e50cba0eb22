import { type BinaryFormat, DOUBLE, join, joinRounded, narrowNan, SINGLE, widen } from './binary-format.ts';
import {
  BIAS,
  type Extended,
  fromInteger,
  INDEFINITE,
  isInfinite,
  isNan,
  isSignaling,
  isUnsupported,
  isZero,
  readExtended,
  realOf,
} from './extended.ts';
import { FP, type RoundingMode, round, roundToInteger } from './rounding.ts';
import { X87_FORM } from './x87-operations.ts';

/** A number of memory as an 80-bit one: exact. */
export function loadOperand(view: DataView, at: number, form: number): Extended {
  switch (form) {
    case X87_FORM.single:
      return widen(SINGLE, BigInt(view.getUint32(at, true)));
    case X87_FORM.double:
      return widen(DOUBLE, view.getBigUint64(at, true));
    case X87_FORM.int16:
      return fromInteger(BigInt(view.getInt16(at, true)));
    case X87_FORM.int32:
      return fromInteger(BigInt(view.getInt32(at, true)));
    case X87_FORM.int64:
      return fromInteger(view.getBigInt64(at, true));
    default:
      return readExtended(view, at);
  }
}

export interface Stored {
  readonly bits: bigint;
  readonly flags: number;
  readonly up: boolean;
}

/** As a single or double; `unmasked`: then an overflow or underflow is told, and its bits do not matter. */
export function toBinary(f: BinaryFormat, x: Extended, mode: RoundingMode, unmasked: number): Stored {
  if (isUnsupported(x)) return { bits: narrowNan(f, INDEFINITE), flags: FP.IE, up: false };
  if (isNan(x)) return { bits: narrowNan(f, x), flags: isSignaling(x) ? FP.IE : 0, up: false };
  if (isInfinite(x))
    return { bits: joinRounded(f, { ...NOTHING, sign: x.sign, infinite: true }), flags: 0, up: false };
  if (isZero(x)) return { bits: join(f, { sign: x.sign, exp: 0, fraction: 0n }), flags: 0, up: false };
  const r = round(realOf(x), f, mode, unmasked);
  const lost = (r.flags & unmasked & (FP.OE | FP.UE)) !== 0;
  return { bits: lost ? 0n : joinRounded(f, r), flags: r.flags, up: r.up };
}

const NOTHING = { sig: 0n, exp: 0, flags: 0, up: false } as const;

/** As a signed integer of `size` bits; what does not fit is the indefinite integer. */
export function toInteger(x: Extended, size: number, mode: RoundingMode): Stored {
  const indefinite: Stored = { bits: 1n << BigInt(size - 1), flags: FP.IE, up: false };
  if (isUnsupported(x) || isNan(x) || isInfinite(x)) return indefinite;
  if (isZero(x)) return { bits: 0n, flags: 0, up: false };
  if (x.exp > BIAS + 64) return indefinite;
  const { kept, inexact, up } = roundToInteger(realOf(x), mode);
  const value = x.sign ? -kept : kept;
  if (BigInt.asIntN(size, value) !== value) return indefinite;
  return { bits: BigInt.asUintN(size, value), flags: inexact ? FP.PE : 0, up };
}

const DECIMAL_LIMIT = 10n ** 18n;
const DECIMAL_INDEFINITE = 0xffff_c000_0000_0000_0000n;

/** As 18 decimal digits with a sign byte. */
export function toDecimal(x: Extended, mode: RoundingMode): Stored {
  const whole = toInteger(x, 64, mode);
  const value = BigInt.asIntN(64, whole.bits);
  const magnitude = value < 0n ? -value : value;
  if ((whole.flags & FP.IE) !== 0 || magnitude >= DECIMAL_LIMIT) {
    return { bits: DECIMAL_INDEFINITE, flags: FP.IE, up: false };
  }
  const digits = BigInt(`0x${magnitude.toString()}`);
  return { ...whole, bits: digits | (x.sign ? 0x80n << 72n : 0n) };
}

/** 18 decimal digits; digits above 9 count as they would. */
export function fromDecimal(view: DataView, at: number): Extended {
  let value = 0n;
  for (let i = 8; i >= 0; i--) {
    const byte = view.getUint8(at + i);
    value = value * 100n + BigInt((byte >> 4) * 10 + (byte & 15));
  }
  const negative = view.getUint8(at + 9) >= 0x80;
  const x = fromInteger(value);
  return { ...x, sign: negative ? 1 : 0 };
}
