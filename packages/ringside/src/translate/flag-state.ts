import { OP } from '../wasm/index.ts';
import { HELPER, SLOT_FA, SLOT_FB, SLOT_FC, SLOT_FKIND, slotOffset } from './engine-layout.ts';
import {
  BASE,
  BASE_MASK,
  DYNAMIC,
  flagKind,
  INLINE_A,
  INLINE_B,
  MEMORY,
  OVERLAY,
  OVERLAY_MASK,
  overlayKind,
  overlayWidthOf,
  widthOf,
} from './flags.ts';
import {
  AF,
  and32,
  CF,
  c32,
  c64,
  callHelper,
  type Expr,
  extend,
  FA,
  FB,
  FC,
  FKIND,
  get32,
  get64,
  isConst,
  load,
  not32,
  OF,
  op,
  PF,
  SF,
  type Stmt,
  select,
  sized,
  wrap,
  ZF,
} from './ir.ts';
import type { LiftContext } from './lift-context.ts';
import { SLOT_RFLAGS } from './register-file.ts';

export const FLAG_C = 1;
export const FLAG_P = 4;
export const FLAG_A = 0x10;
export const FLAG_Z = 0x40;
export const FLAG_S = 0x80;
export const FLAG_O = 0x800;
const ALL = FLAG_C | FLAG_P | FLAG_A | FLAG_Z | FLAG_S | FLAG_O;

const EXPLICIT: readonly (readonly [flag: number, local: number, shift: number])[] = [
  [FLAG_C, CF, 0],
  [FLAG_P, PF, 2],
  [FLAG_A, AF, 4],
  [FLAG_Z, ZF, 6],
  [FLAG_S, SF, 7],
  [FLAG_O, OF, 11],
];

export function explicitLocal(flag: number): number {
  return EXPLICIT.find(([f]) => f === flag)![1];
}

/** A constant operand that fits into a stored kind (see flags.ts): then it needs no store of its own. */
function fits(value: number | undefined): value is number {
  return value !== undefined && value >= -0x8000 && value < 0x8000;
}

/** Stores the lazy flags into the register file, from locals. `a`, `b`: the operands, where they are constants. */
export function storeFlags(kind: number, a?: number, b?: number): Stmt[] {
  const store = (name: 'i32.store' | 'i64.store', slot: number, value: Expr): Stmt => ({
    kind: 'store',
    op: OP[name],
    at: c32(0),
    offset: slotOffset(slot),
    value,
  });
  if (kind === MEMORY) return [];
  const values = [
    store('i64.store', SLOT_FA, get64(FA)),
    store('i64.store', SLOT_FB, get64(FB)),
    store('i64.store', SLOT_FC, get64(FC)),
  ];
  if (kind === DYNAMIC) {
    return [
      {
        kind: 'if',
        condition: get32(FKIND),
        yes: [store('i32.store', SLOT_FKIND, get32(FKIND)), ...values],
        no: [],
      },
    ];
  }
  const base = kind & 31;
  const unary = base === BASE.LOGIC || base === BASE.PACKED || base === BASE.INC || base === BASE.DEC;
  const inline = unary ? (fits(a) ? a : undefined) : fits(b) ? b : undefined;
  const tag = inline === undefined ? 0 : (inline << 16) | (unary ? INLINE_A : INLINE_B);
  const stored = [store('i32.store', SLOT_FKIND, c32(kind | tag))];
  if (!unary || inline === undefined) stored.push(values[0]!);
  if (!unary && inline === undefined) stored.push(values[1]!);
  if ((kind & OVERLAY_MASK) !== 0) stored.push(values[2]!);
  return stored;
}

/** The flags at a place in a block, and how to ask for them. */
export class FlagState {
  readonly #c: LiftContext;
  kind: number;
  /** Flags whose explicit locals are right. */
  explicit: number;
  /** Operands of the last `produce` that are constants, and the kind that it made. */
  #constantOf = MEMORY;
  #a0: number | undefined;
  #b0: number | undefined;

  constructor(context: LiftContext, kind: number, explicit: number) {
    this.#c = context;
    this.kind = kind;
    this.explicit = explicit;
  }

  /** A new base: all flags now come from these operands. */
  produce(base: number, width: number, a: Expr, b?: Expr): void {
    this.#c.set(FA, this.#c.wide(a));
    if (b !== undefined) this.#c.set(FB, this.#c.wide(b));
    this.kind = flagKind(base, width);
    this.explicit = 0;
    this.#constantOf = this.kind;
    this.#a0 = isConst(a) ? a.n : undefined;
    this.#b0 = b !== undefined && isConst(b) ? b.n : undefined;
  }

  /** As `produce`, with a base that depends on a carry (0 or 1): `base + 1` with it. */
  produceWithCarry(base: number, width: number, carry: Expr, a: Expr, b: Expr): void {
    this.#c.set(FKIND, op(OP['i32.add'], c32(flagKind(base, width)), carry));
    this.#c.set(FA, this.#c.wide(a));
    this.#c.set(FB, this.#c.wide(b));
    this.kind = DYNAMIC;
    this.explicit = 0;
  }

  /** As `produce`, unless `keep` holds (a shift by a count of 0): then everything stays. `needed` flags are made explicit. */
  produceUnless(keep: Expr, base: number, width: number, a: Expr, b: Expr, needed: number): void {
    const c = this.#c;
    if (needed !== 0) this.makeExplicit(needed);
    const old = this.kind === DYNAMIC ? get32(FKIND) : c32(this.kind);
    const held = c.hold(keep);
    this.#constantOf = MEMORY;
    c.set(FKIND, select(held, old, c32(flagKind(base, width))));
    c.set(FA, select(held, get64(FA), c.wide(a)));
    c.set(FB, select(held, get64(FB), c.wide(b)));
    if (needed !== 0) {
      this.kind = flagKind(base, width);
      this.explicit = 0;
      const fresh = c.collect(() => this.makeExplicit(needed));
      c.emit({ kind: 'if', condition: not32(held), yes: fresh, no: [] });
    }
    this.kind = DYNAMIC;
    this.explicit = needed;
  }

  /** Flags that the lifter worked out itself, into their explicit locals. */
  setExplicit(mask: number, values: Readonly<Record<number, Expr>>): void {
    for (const [flag, local] of EXPLICIT) {
      if ((mask & flag) !== 0) this.#c.set(local, values[flag]!);
    }
    this.explicit |= mask;
  }

  /** The flags as a PACKED base in FA. */
  pack(): void {
    if (this.kind === flagKind(BASE.PACKED, 64)) return;
    this.producePacked(this.packed());
  }

  packedLocal(): Expr {
    return get64(FA);
  }

  /** Flags given as bits of RFLAGS in a 32-bit expression. */
  producePacked(bits: Expr): void {
    this.produce(BASE.PACKED, 64, extend(bits));
  }

  /** CF (and OF) change, the others stay. `value` is CF or a rotate's result. */
  overlay(overlay: number, width: number, value: Expr): void {
    const held = this.#c.hold(this.#c.wide(value));
    if (this.kind === MEMORY) this.load();
    // A carry over a rotate would lose the rotate's OF.
    const keepsOverflow = overlay === OVERLAY.CARRY;
    if (keepsOverflow && this.kind > 0 && (this.kind & 0x200) !== 0) this.pack();
    if (this.kind === DYNAMIC) {
      // A kind of MEMORY in FKIND would lose what lies in the register file: bring it here first.
      const settle = this.#c.collect(() => {
        this.store();
        this.#loadPacked();
      });
      this.#c.emit({
        kind: 'if',
        condition: keepsOverflow
          ? op(OP['i32.or'], not32(get32(FKIND)), and32(get32(FKIND), 0x200))
          : not32(get32(FKIND)),
        yes: settle,
        no: [],
      });
      this.#c.set(FKIND, op(OP['i32.or'], and32(get32(FKIND), BASE_MASK), c32(overlayKind(overlay, width))));
    } else this.kind = (this.kind & BASE_MASK) | overlayKind(overlay, width);
    this.#c.set(FC, held);
    this.explicit &= ~(overlay === OVERLAY.CARRY ? FLAG_C : FLAG_C | FLAG_O);
    if (this.kind === DYNAMIC) {
      // Keep CF and OF explicit: FKIND alone cannot be asked.
      this.#c.set(CF, this.#overlayCarry(overlay, width));
      this.explicit |= FLAG_C;
      if (overlay !== OVERLAY.CARRY) {
        this.#c.set(OF, this.#overlayOverflow(overlay, width));
        this.explicit |= FLAG_O;
      }
    }
  }

  /** The flags of the register file become a PACKED base. */
  load(): void {
    this.#loadPacked();
    this.kind = flagKind(BASE.PACKED, 64);
    this.explicit = 0;
  }

  #loadPacked(): void {
    const c = this.#c;
    this.#constantOf = MEMORY;
    c.emit({ kind: 'eval', value: callHelper(HELPER.settle, 32), drop: true });
    c.set(FA, op(OP['i64.and'], load(OP['i64.load'], c32(0), slotOffset(SLOT_RFLAGS)), c64(ALL)));
    c.set(FKIND, c32(flagKind(BASE.PACKED, 64)));
  }

  /** The state is in the register file again (after a call or an instruction of the host). */
  inMemory(): void {
    this.kind = MEMORY;
    this.explicit = 0;
  }

  /** Stores the state into the register file. */
  store(): void {
    const known = this.kind > 0 && (this.kind & BASE_MASK) === this.#constantOf;
    const stmts = known ? storeFlags(this.kind, this.#a0, this.#b0) : storeFlags(this.kind);
    for (const stmt of stmts) this.#c.emit(stmt);
  }

  /** Makes flags explicit in their locals. */
  makeExplicit(mask: number): void {
    for (const [flag, local] of EXPLICIT) {
      if ((mask & flag) === 0 || (this.explicit & flag) !== 0) continue;
      this.#c.set(local, this.flag(flag));
      this.explicit |= flag;
    }
  }

  /** One flag as 0 or 1. */
  flag(flag: number): Expr {
    if ((this.explicit & flag) !== 0) return get32(explicitLocal(flag));
    this.#known();
    return this.#flagOf(flag);
  }

  /** All arithmetic flags as bits of RFLAGS. */
  packed(): Expr {
    let all: Expr | undefined;
    for (const [flag, , shift] of EXPLICIT) {
      const value = this.flag(flag);
      const bit = shift === 0 ? value : op(OP['i32.shl'], value, c32(shift));
      all = all === undefined ? bit : op(OP['i32.or'], all, bit);
    }
    return all!;
  }

  /** The condition of `jcc`, `setcc`, `cmovcc` as an i32 that is 0 or 1. */
  condition(cc: string): Expr {
    const base = POSITIVE[cc];
    if (base !== undefined) {
      const opposite = this.#direct(cc);
      return opposite ?? not32(this.condition(base));
    }
    const direct = this.#direct(cc);
    if (direct !== undefined) return direct;
    switch (cc) {
      case 'o':
        return this.flag(FLAG_O);
      case 'b':
        return this.flag(FLAG_C);
      case 'e':
        return this.flag(FLAG_Z);
      case 'be':
        return op(OP['i32.or'], this.flag(FLAG_C), this.flag(FLAG_Z));
      case 's':
        return this.flag(FLAG_S);
      case 'p':
        return this.flag(FLAG_P);
      case 'l':
        return op(OP['i32.xor'], this.flag(FLAG_S), this.flag(FLAG_O));
      default:
        return op(OP['i32.or'], this.flag(FLAG_Z), op(OP['i32.xor'], this.flag(FLAG_S), this.flag(FLAG_O)));
    }
  }

  // ---- inside

  /** Makes sure that the kind is known: asks the register file when it is not. */
  #known(): void {
    if (this.kind === DYNAMIC) {
      const explicit = this.explicit;
      this.store();
      this.load();
      this.explicit = explicit;
    } else if (this.kind === MEMORY) this.load();
  }

  #a(width: number): Expr {
    return zeroExtended(get64(FA), width);
  }

  #b(width: number): Expr {
    return zeroExtended(get64(FB), width);
  }

  #result(): Expr {
    const width = widthOf(this.kind);
    const wide = width === 64;
    const a = wide ? get64(FA) : wrap(get64(FA));
    const b = wide ? get64(FB) : wrap(get64(FB));
    switch (this.kind & 31) {
      case BASE.ADD:
        return op(sized(OP['i32.add'], width), a, b);
      case BASE.SUB:
        return op(sized(OP['i32.sub'], width), a, b);
      case BASE.SHL:
        return op(sized(OP['i32.shl'], width), a, b);
      case BASE.SHR:
        return op(sized(OP['i32.shr_u'], width), this.#a(width), b);
      case BASE.SAR:
        return op(sized(OP['i32.shr_s'], width), signExtended(get64(FA), width), b);
      case BASE.IMUL:
      case BASE.MUL:
        return op(sized(OP['i32.mul'], width), a, b);
      default:
        return a;
    }
  }

  /** Conditions that a compare of the operands answers at once. */
  #direct(cc: string): Expr | undefined {
    const base = this.kind & 31;
    if (this.kind === DYNAMIC || this.kind === MEMORY) return undefined;
    const overlaid = (this.kind & OVERLAY_MASK) !== 0;
    const width = widthOf(this.kind);
    const signedA = (): Expr => signExtended(get64(FA), width);
    const signedB = (): Expr => signExtended(get64(FB), width);
    const zero = width === 64 ? c64(0) : c32(0);
    if (base === BASE.SUB && !overlaid) {
      switch (cc) {
        case 'e':
          return op(sized(OP['i32.eq'], width), this.#a(width), this.#b(width));
        case 'ne':
          return op(sized(OP['i32.ne'], width), this.#a(width), this.#b(width));
        case 'b':
          return op(sized(OP['i32.lt_u'], width), this.#a(width), this.#b(width));
        case 'ae':
          return op(sized(OP['i32.ge_u'], width), this.#a(width), this.#b(width));
        case 'be':
          return op(sized(OP['i32.le_u'], width), this.#a(width), this.#b(width));
        case 'a':
          return op(sized(OP['i32.gt_u'], width), this.#a(width), this.#b(width));
        case 'l':
          return op(sized(OP['i32.lt_s'], width), signedA(), signedB());
        case 'ge':
          return op(sized(OP['i32.ge_s'], width), signedA(), signedB());
        case 'le':
          return op(sized(OP['i32.le_s'], width), signedA(), signedB());
        case 'g':
          return op(sized(OP['i32.gt_s'], width), signedA(), signedB());
      }
    }
    if (base === BASE.LOGIC && !overlaid) {
      switch (cc) {
        case 'le':
          return op(sized(OP['i32.le_s'], width), signedA(), zero);
        case 'g':
          return op(sized(OP['i32.gt_s'], width), signedA(), zero);
        case 'l':
          return op(sized(OP['i32.lt_s'], width), signedA(), zero);
        case 'ge':
          return op(sized(OP['i32.ge_s'], width), signedA(), zero);
        case 'b':
        case 'o':
          return c32(0);
        case 'ae':
        case 'no':
          return c32(1);
        case 'be':
          return op(sized(OP['i32.eqz'], width), this.#a(width));
        case 'a':
          return op(sized(OP['i32.ne'], width), this.#a(width), zero);
      }
    }
    if (base === BASE.PACKED) return undefined;
    // CF overlays leave Z, S and P to the base.
    const value = (signed: boolean): Expr => fit(this.#result(), width, signed);
    switch (cc) {
      case 'e':
        return op(sized(OP['i32.eqz'], width), value(false));
      case 'ne':
        return op(sized(OP['i32.ne'], width), value(false), zero);
      case 's':
        return op(sized(OP['i32.lt_s'], width), value(true), zero);
      case 'ns':
        return op(sized(OP['i32.ge_s'], width), value(true), zero);
    }
    return undefined;
  }

  #overlayCarry(overlay: number, width: number): Expr {
    if (overlay === OVERLAY.ROR)
      return wrap(op(OP['i64.and'], op(OP['i64.shr_u'], get64(FC), c64(width - 1)), c64(1)));
    return and32(wrap(get64(FC)), 1);
  }

  #overlayOverflow(overlay: number, width: number): Expr {
    const top = op(OP['i64.shr_u'], get64(FC), c64(width - 1));
    const other = overlay === OVERLAY.ROR ? op(OP['i64.shr_u'], get64(FC), c64(width - 2)) : get64(FC);
    return and32(wrap(op(OP['i64.xor'], top, other)), 1);
  }

  /** `underlying`: what the base says, below an overlay. */
  #flagOf(flag: number, underlying = false): Expr {
    const kind = this.kind;
    const overlay = underlying ? 0 : kind & 0x300;
    if (flag === FLAG_C && overlay !== 0) return this.#overlayCarry(overlay, overlayWidthOf(kind));
    if (flag === FLAG_O && overlay > OVERLAY.CARRY)
      return this.#overlayOverflow(overlay, overlayWidthOf(kind));
    const base = kind & 31;
    const width = widthOf(kind);
    if (base === BASE.PACKED) {
      const shift = EXPLICIT.find(([f]) => f === flag)![2];
      return and32(op(OP['i32.shr_u'], wrap(get64(FA)), c32(shift)), 1);
    }
    const result = (signed: boolean): Expr => fit(this.#result(), width, signed);
    const negative = (value: Expr): Expr =>
      op(sized(OP['i32.lt_s'], width), fit(value, width, true), width === 64 ? c64(0) : c32(0));
    const xor = (a: Expr, b: Expr): Expr => op(sized(OP['i32.xor'], width), a, b);
    const and = (a: Expr, b: Expr): Expr => op(sized(OP['i32.and'], width), a, b);
    const bit = (value: Expr, at: Expr): Expr => {
      const shifted = op(sized(OP['i32.shr_u'], width), value, at);
      return and32(width === 64 ? wrap(shifted) : shifted, 1);
    };
    switch (flag) {
      case FLAG_Z:
        return op(sized(OP['i32.eqz'], width), result(false));
      case FLAG_S:
        return negative(this.#result());
      case FLAG_P: {
        const r = this.#result();
        const low = and32(r.width === 64 ? wrap(r) : r, 0xff);
        return not32(and32(op(OP['i32.popcnt'], low), 1));
      }
      case FLAG_A: {
        if (base === BASE.ADD || base === BASE.SUB) {
          const x = op(OP['i64.xor'], op(OP['i64.xor'], get64(FA), get64(FB)), this.#c.wide(this.#result()));
          return and32(op(OP['i32.shr_u'], wrap(x), c32(4)), 1);
        }
        if (base === BASE.INC) return not32(and32(wrap(get64(FA)), 15));
        if (base === BASE.DEC) return op(OP['i32.eq'], and32(wrap(get64(FA)), 15), c32(15));
        return c32(0);
      }
      case FLAG_C:
        switch (base) {
          case BASE.ADD:
            return op(sized(OP['i32.lt_u'], width), result(false), this.#a(width));
          case BASE.SUB:
            return op(sized(OP['i32.lt_u'], width), this.#a(width), this.#b(width));
          case BASE.SHL: {
            // Bit `width - count` of the operand; beyond the operand there is nothing.
            const n = width === 64 ? get64(FB) : wrap(get64(FB));
            const shifted = op(
              sized(OP['i32.shl'], width),
              this.#a(width),
              op(sized(OP['i32.sub'], width), n, width === 64 ? c64(1) : c32(1)),
            );
            return bit(shifted, width === 64 ? c64(63) : c32(width - 1));
          }
          case BASE.SHR:
          case BASE.SAR: {
            const n = width === 64 ? get64(FB) : wrap(get64(FB));
            const value = base === BASE.SAR ? signExtended(get64(FA), width) : this.#a(width);
            const less = op(sized(OP['i32.sub'], width), n, width === 64 ? c64(1) : c32(1));
            const shifted = op(
              sized(base === BASE.SAR ? OP['i32.shr_s'] : OP['i32.shr_u'], width),
              value,
              less,
            );
            return and32(width === 64 ? wrap(shifted) : shifted, 1);
          }
          case BASE.IMUL:
          case BASE.MUL:
            return this.#multiplyOverflow();
          default:
            return c32(0);
        }
      default:
        switch (base) {
          case BASE.ADD:
            return negative(and(xor(raw(FA, width), this.#result()), xor(raw(FB, width), this.#result())));
          case BASE.SUB:
            return negative(and(xor(raw(FA, width), raw(FB, width)), xor(raw(FA, width), this.#result())));
          case BASE.INC:
            return op(sized(OP['i32.eq'], width), this.#a(width), top(width));
          case BASE.DEC:
            return op(sized(OP['i32.eq'], width), this.#a(width), belowTop(width));
          case BASE.SHL:
            return op(OP['i32.xor'], negative(this.#result()), this.#flagOf(FLAG_C, true));
          case BASE.SHR:
            return negative(raw(FA, width));
          case BASE.IMUL:
          case BASE.MUL:
            return this.#multiplyOverflow();
          default:
            return c32(0);
        }
    }
  }

  #multiplyOverflow(): Expr {
    const width = widthOf(this.kind);
    const signed = (this.kind & 31) === BASE.IMUL;
    if (width === 64) {
      const high = multiplyHigh(this.#c, get64(FA), get64(FB), signed);
      if (!signed) return op(OP['i64.ne'], high, c64(0));
      return op(OP['i64.ne'], high, op(OP['i64.shr_s'], op(OP['i64.mul'], get64(FA), get64(FB)), c64(63)));
    }
    const wide = (local: number): Expr =>
      signed
        ? op(
            width === 32 ? OP['i64.extend32_s'] : width === 16 ? OP['i64.extend16_s'] : OP['i64.extend8_s'],
            get64(local),
          )
        : op(OP['i64.and'], get64(local), c64(2 ** width - 1));
    const product = op(OP['i64.mul'], wide(FA), wide(FB));
    if (!signed) return op(OP['i64.ne'], op(OP['i64.shr_u'], product, c64(width)), c64(0));
    const narrow = op(
      width === 32 ? OP['i64.extend32_s'] : width === 16 ? OP['i64.extend16_s'] : OP['i64.extend8_s'],
      product,
    );
    return op(OP['i64.ne'], narrow, product);
  }
}

/** Negated conditions by their positive form. */
const POSITIVE: Readonly<Record<string, string>> = {
  no: 'o',
  ae: 'b',
  ne: 'e',
  a: 'be',
  ns: 's',
  np: 'p',
  ge: 'l',
  g: 'le',
};

function raw(local: number, width: number): Expr {
  return width === 64 ? get64(local) : wrap(get64(local));
}

function zeroExtended(value: Expr, width: number): Expr {
  if (width === 64) return value;
  return width === 32 ? wrap(value) : and32(wrap(value), width === 8 ? 0xff : 0xffff);
}

function signExtended(value: Expr, width: number): Expr {
  if (width === 64) return value;
  if (width === 32) return wrap(value);
  return op(width === 8 ? OP['i32.extend8_s'] : OP['i32.extend16_s'], wrap(value));
}

function fit(value: Expr, width: number, signed: boolean): Expr {
  if (width >= 32) return value;
  return signed
    ? op(width === 8 ? OP['i32.extend8_s'] : OP['i32.extend16_s'], value)
    : and32(value, width === 8 ? 0xff : 0xffff);
}

function top(width: number): Expr {
  return width === 64
    ? op(OP['i64.shl'], c64(1), c64(63))
    : c32(width === 32 ? 0x8000_0000 | 0 : 1 << (width - 1));
}

function belowTop(width: number): Expr {
  return width === 64
    ? op(OP['i64.shr_u'], c64(-1), c64(1))
    : c32(width === 32 ? 0x7fff_ffff : (1 << (width - 1)) - 1);
}

/** The upper 64 bits of a product. */
export function multiplyHigh(c: LiftContext, x: Expr, y: Expr, signed: boolean): Expr {
  const a = c.hold(x);
  const b = c.hold(y);
  const low = (v: Expr): Expr => op(OP['i64.and'], v, c64(0xffff_ffff));
  const high = (v: Expr): Expr => op(OP['i64.shr_u'], v, c64(32));
  const k = high(op(OP['i64.mul'], low(a), low(b)));
  const t = c.hold(op(OP['i64.add'], op(OP['i64.mul'], high(a), low(b)), k));
  const u = c.hold(op(OP['i64.add'], op(OP['i64.mul'], low(a), high(b)), low(t)));
  const unsigned = op(
    OP['i64.add'],
    op(OP['i64.add'], op(OP['i64.mul'], high(a), high(b)), high(t)),
    high(u),
  );
  if (!signed) return unsigned;
  const zero = c64(0);
  return op(
    OP['i64.sub'],
    op(OP['i64.sub'], unsigned, select(op(OP['i64.lt_s'], a, zero), b, zero)),
    select(op(OP['i64.lt_s'], b, zero), a, zero),
  );
}
