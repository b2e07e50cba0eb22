/**
 * Lazy flags. An instruction that sets the arithmetic flags leaves its operands in FA, FB and FC, and the flags are
 * worked out when something looks. What they belong to is a *kind*, a small number:
 *
 *   bits 0-4    base: which operation FA and FB are operands or results of; MEMORY: the flags are in the register file
 *   bits 5-6    its width: 8, 16, 32, 64 bits
 *   bits 8-9    overlay: CF (and OF) come from FC, the rest from the base (`bt`, `inc`, rotates)
 *   bits 10-11  the overlay's width
 *
 *   bit 14, 15   only in the register file: FA or FB is the signed number in bits 16-31
 *
 * Mostly the kind is known when translating. Where paths meet with different ones it is in the local FKIND.
 * The register file has the same four slots, so that leaving a function is four stores at most; `settle` below
 * turns them into RFLAGS when the host looks.
 */
export const BASE = {
  MEMORY: 0,
  /** FA holds the flags, in their places in RFLAGS. */
  PACKED: 1,
  ADD: 2,
  /** FA + FB + 1 */
  ADC: 3,
  /** FA - FB */
  SUB: 4,
  /** FA - FB - 1 */
  SBB: 5,
  /** FA is the result. */
  LOGIC: 6,
  INC: 7,
  DEC: 8,
  /** FA shifted by FB, which is not 0 and below the width of the operation (32 or 64). */
  SHL: 9,
  SHR: 10,
  SAR: 11,
  /** Signed and unsigned product of FA and FB: CF and OF tell whether it overflows. */
  IMUL: 12,
  MUL: 13,
} as const;

export const OVERLAY = {
  NONE: 0,
  /** FC is CF. */
  CARRY: 1 << 8,
  /** FC is the result of a rotate. */
  ROL: 2 << 8,
  ROR: 3 << 8,
} as const;

export const INLINE_A = 1 << 14;
export const INLINE_B = 1 << 15;

export const BASE_MASK = 0x7f;
export const OVERLAY_MASK = 0xf00;

/** As the flag state of a place in a function: the flags' kind is in the local FKIND. */
export const DYNAMIC = -1;
/** The flags are where they were when the function was entered: in the register file. */
export const MEMORY = 0;

const WIDTH_CODE: Readonly<Record<number, number>> = { 8: 0, 16: 1, 32: 2, 64: 3 };

export function flagKind(base: number, width: number): number {
  return base | (WIDTH_CODE[width]! << 5);
}

export function overlayKind(overlay: number, width: number): number {
  return overlay | (WIDTH_CODE[width]! << 10);
}

export function widthOf(kind: number): number {
  return 8 << ((kind >> 5) & 3);
}

export function overlayWidthOf(kind: number): number {
  return 8 << ((kind >> 10) & 3);
}

/** How an instruction changes the flag state, as far as that is known before lifting. */
const C = 1;
const P = 4;
const A = 0x10;
const Z = 0x40;
const S = 0x80;
const O = 0x800;
const ALL = C | P | A | Z | S | O;

function parity(low: number): number {
  let v = low & 0xff;
  v ^= v >> 4;
  return (0x9669 >> (v & 15)) & 1 ? P : 0;
}

/** The arithmetic flags of a kind, as bits of RFLAGS. `before`: RFLAGS where the kind's base is MEMORY. */
export function computeFlags(kind: number, fa: bigint, fb: bigint, fc: bigint, before: number): number {
  const inline = BigInt(kind >> 16);
  let flags = baseFlags(kind, kind & INLINE_A ? inline : fa, kind & INLINE_B ? inline : fb, before);
  const overlay = kind & 0x300;
  if (overlay === OVERLAY.CARRY) flags = (flags & ~C) | (fc & 1n ? C : 0);
  else if (overlay !== 0) {
    const width = BigInt(overlayWidthOf(kind));
    const top = Number((fc >> (width - 1n)) & 1n);
    const next = Number((fc >> (width - 2n)) & 1n);
    const carry = overlay === OVERLAY.ROL ? Number(fc & 1n) : top;
    const overflow = overlay === OVERLAY.ROL ? top ^ carry : top ^ next;
    flags = (flags & ~(C | O)) | (carry ? C : 0) | (overflow ? O : 0);
  }
  return flags;
}

function baseFlags(kind: number, fa: bigint, fb: bigint, before: number): number {
  const width = widthOf(kind);
  const bits = BigInt(width);
  const mask = (1n << bits) - 1n;
  const a = fa & mask;
  const b = fb & mask;
  const sign = (v: bigint): number => Number((v >> (bits - 1n)) & 1n);
  const zsp = (r: bigint): number => (r === 0n ? Z : 0) | (sign(r) ? S : 0) | parity(Number(r & 0xffn));
  switch (kind & 31) {
    case BASE.MEMORY:
      return before & ALL;
    case BASE.PACKED:
      return Number(fa & BigInt(ALL));
    case BASE.ADD:
    case BASE.ADC: {
      const sum = a + b + ((kind & 31) === BASE.ADC ? 1n : 0n);
      const r = sum & mask;
      return (
        zsp(r) |
        (sum > mask ? C : 0) |
        (sign((a ^ r) & (b ^ r)) ? O : 0) |
        (Number((a ^ b ^ r) & 0x10n) ? A : 0)
      );
    }
    case BASE.SUB:
    case BASE.SBB: {
      const difference = a - b - ((kind & 31) === BASE.SBB ? 1n : 0n);
      const r = difference & mask;
      return (
        zsp(r) |
        (difference < 0n ? C : 0) |
        (sign((a ^ b) & (a ^ r)) ? O : 0) |
        (Number((a ^ b ^ r) & 0x10n) ? A : 0)
      );
    }
    case BASE.LOGIC:
      return zsp(a);
    case BASE.INC:
      return zsp(a) | (a === 1n << (bits - 1n) ? O : 0) | ((a & 15n) === 0n ? A : 0);
    case BASE.DEC:
      return zsp(a) | (a === (1n << (bits - 1n)) - 1n ? O : 0) | ((a & 15n) === 15n ? A : 0);
    case BASE.SHL: {
      const wide = a << (fb & 63n);
      const r = wide & mask;
      const carry = Number((wide >> bits) & 1n);
      return zsp(r) | (carry ? C : 0) | (sign(r) !== carry ? O : 0);
    }
    case BASE.SHR: {
      const r = a >> (fb & 63n);
      return zsp(r) | ((a >> ((fb & 63n) - 1n)) & 1n ? C : 0) | (sign(a) ? O : 0);
    }
    case BASE.SAR: {
      const signed = BigInt.asIntN(width, a);
      const r = (signed >> (fb & 63n)) & mask;
      return zsp(r) | ((signed >> ((fb & 63n) - 1n)) & 1n ? C : 0);
    }
    case BASE.IMUL: {
      const product = BigInt.asIntN(width, a) * BigInt.asIntN(width, b);
      return zsp(product & mask) | (product !== BigInt.asIntN(width, product) ? C | O : 0);
    }
    case BASE.MUL: {
      const product = a * b;
      return zsp(product & mask) | (product > mask ? C | O : 0);
    }
    default:
      return before & ALL;
  }
}

/**
 * As `computeFlags`, of the kinds that most instructions leave, from the lower and upper halves of FA and FB and the lower
 * half of FC: without bigints, which take ten times as long. -1: not such a kind.
 */
export function computeCommonFlags(
  kind: number,
  fa: number,
  faHigh: number,
  fb: number,
  fbHigh: number,
  fc: number,
): number {
  const overlay = kind & 0x300;
  if (overlay > OVERLAY.CARRY) return -1;
  let a = fa;
  let aHigh = faHigh;
  if (kind & INLINE_A) {
    a = kind >> 16;
    aHigh = a >> 31;
  }
  let b = fb;
  let bHigh = fbHigh;
  if (kind & INLINE_B) {
    b = kind >> 16;
    bHigh = b >> 31;
  }
  const flags = widthOf(kind) === 64 ? wideFlags(kind & 31, a, aHigh, b, bHigh) : narrowFlags(kind, a, b);
  if (flags < 0 || overlay === 0) return flags;
  return (flags & ~C) | (fc & 1);
}

function narrowFlags(kind: number, a0: number, b0: number): number {
  const width = widthOf(kind);
  const mask = 2 ** width - 1;
  const a = (a0 & mask) >>> 0;
  const b = (b0 & mask) >>> 0;
  const top = width - 1;
  const base = kind & 31;
  const one = base === BASE.ADC || base === BASE.SBB ? 1 : 0;
  let r = a;
  let more = 0;
  switch (base) {
    case BASE.ADD:
    case BASE.ADC: {
      const sum = a + b + one;
      r = ((sum | 0) & mask) >>> 0;
      more = (sum > mask ? C : 0) | ((((a ^ r) & (b ^ r)) >>> top) & 1 ? O : 0) | ((a ^ b ^ r) & A);
      break;
    }
    case BASE.SUB:
    case BASE.SBB: {
      const difference = a - b - one;
      r = ((difference | 0) & mask) >>> 0;
      more = (difference < 0 ? C : 0) | ((((a ^ b) & (a ^ r)) >>> top) & 1 ? O : 0) | ((a ^ b ^ r) & A);
      break;
    }
    case BASE.LOGIC:
      break;
    case BASE.INC:
      more = (r === 2 ** top ? O : 0) | ((r & 15) === 0 ? A : 0);
      break;
    case BASE.DEC:
      more = (r === 2 ** top - 1 ? O : 0) | ((r & 15) === 15 ? A : 0);
      break;
    default:
      return -1;
  }
  return more | (r === 0 ? Z : 0) | ((r >>> top) & 1 ? S : 0) | parity(r);
}

function wideFlags(base: number, a: number, aHigh: number, b: number, bHigh: number): number {
  const one = base === BASE.ADC || base === BASE.SBB ? 1 : 0;
  let r = a >>> 0;
  let rHigh = aHigh >>> 0;
  let more = 0;
  switch (base) {
    case BASE.ADD:
    case BASE.ADC: {
      const low = (a >>> 0) + (b >>> 0) + one;
      const high = (aHigh >>> 0) + (bHigh >>> 0) + (low > 0xffff_ffff ? 1 : 0);
      r = low >>> 0;
      rHigh = high >>> 0;
      more = (high > 0xffff_ffff ? C : 0) | ((aHigh ^ rHigh) & (bHigh ^ rHigh) & SIGN ? O : 0);
      more |= (a ^ b ^ r) & A;
      break;
    }
    case BASE.SUB:
    case BASE.SBB: {
      const low = (a >>> 0) - (b >>> 0) - one;
      const high = (aHigh >>> 0) - (bHigh >>> 0) - (low < 0 ? 1 : 0);
      r = low >>> 0;
      rHigh = high >>> 0;
      more = (high < 0 ? C : 0) | ((aHigh ^ bHigh) & (aHigh ^ rHigh) & SIGN ? O : 0);
      more |= (a ^ b ^ r) & A;
      break;
    }
    case BASE.LOGIC:
      break;
    case BASE.INC:
      more = (r === 0 && rHigh === 0x8000_0000 ? O : 0) | ((r & 15) === 0 ? A : 0);
      break;
    case BASE.DEC:
      more = (r === 0xffff_ffff && rHigh === 0x7fff_ffff ? O : 0) | ((r & 15) === 15 ? A : 0);
      break;
    default:
      return -1;
  }
  return more | (r === 0 && rHigh === 0 ? Z : 0) | (rHigh & SIGN ? S : 0) | parity(r);
}

const SIGN = 0x8000_0000;
