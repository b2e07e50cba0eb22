import { DOUBLE, SINGLE } from './binary-format.ts';
import { ln2, log2Of10, log2OfE, log10Of2, pi } from './constants.ts';
import {
  EXTENDED,
  type Extended,
  fromRounded,
  INDEFINITE,
  isDenormal,
  isInfinite,
  isNan,
  isSignaling,
  isUnsupported,
  isZero,
  ONE,
  quiet,
  writeExtended,
  zero,
} from './extended.ts';
import { FP, ROUND, round } from './rounding.ts';
import { constantOf } from './transcendental.ts';
import {
  add,
  arcTangent,
  divide,
  exactly,
  extract,
  logarithm,
  logarithmOfSum,
  multiply,
  order,
  powerOfTwoLessOne,
  type Result,
  remainder,
  roundedInteger,
  scale,
  sineCosine,
  squareRoot,
  subtract,
  tangent,
} from './x87-arithmetic.ts';
import { loadEnvironment, loadState, storeEnvironment, storeState } from './x87-environment.ts';
import { fromDecimal, loadOperand, toBinary, toDecimal, toInteger } from './x87-memory.ts';
import { X87_ANSWER, X87_FORM, X87_OPERATIONS } from './x87-operations.ts';
import { STATUS, X87Stack } from './x87-stack.ts';

/** Flags of `fcomi` as bits of RFLAGS. */
const COMPARED = { less: 1, equal: 0x40, greater: 0, unordered: 0x45 } as const;
const CONDITIONS = STATUS.C0 | STATUS.C1 | STATUS.C2 | STATUS.C3;
const { deliver: DELIVER } = X87_ANSWER;

/**
 * The x87: makes the instruction that translated code names, on the registers beside the register file. Operands of memory
 * come, and results go, through `scratch`.
 */
export class X87Unit {
  readonly #view: DataView;
  readonly #scratch: number;
  readonly #stack: X87Stack;
  readonly #area: number;

  /** `opcode`: the 11 bits of the instruction that is being made, asked when an exception is not masked. */
  constructor(buffer: ArrayBufferLike, area: number, scratch: number, opcode: () => number) {
    this.#view = new DataView(buffer);
    this.#scratch = scratch;
    this.#area = area;
    this.#stack = new X87Stack(this.#view, area, opcode);
  }

  /** Makes it; X87_ANSWER bits. */
  execute(code: number): number {
    const s = this.#stack;
    const operation = X87_OPERATIONS[code & 0xff]!;
    const form = (code >> 8) & 15;
    const i = (code >> 12) & 7;
    switch (operation) {
      case 'add':
      case 'mul':
      case 'sub':
      case 'subr':
      case 'div':
      case 'divr':
        this.#arithmetic(operation, form, i);
        return 0;
      case 'addp':
      case 'mulp':
      case 'subp':
      case 'subrp':
      case 'divp':
      case 'divrp':
        if (this.#arithmetic(operation.slice(0, -1), X87_FORM.register, i)) s.pop();
        return 0;
      case 'com':
      case 'ucom':
      case 'tst':
        this.#compare(operation, form, i);
        return 0;
      case 'comp':
      case 'ucomp':
        if (this.#compare(operation, form, i)) s.pop();
        return 0;
      case 'compp':
      case 'ucompp':
        if (this.#compare(operation, form, 1)) {
          s.pop();
          s.pop();
        }
        return 0;
      case 'comi':
      case 'ucomi':
        this.#compareFlags(operation, i);
        return 0;
      case 'comip':
      case 'ucomip':
        if (this.#compareFlags(operation, i)) s.pop();
        return 0;
      case 'ld':
        this.#load(form, i);
        return 0;
      case 'bld':
        this.#push(fromDecimal(this.#view, this.#scratch));
        return 0;
      case 'st':
      case 'stp':
      case 'stpnce':
      case 'stt':
      case 'bstp':
        return this.#store(operation, form, i);
      case 'xch':
        this.#exchange(i);
        return 0;
      case 'free':
        s.free(i);
        s.setCondition(0);
        return 0;
      case 'freep':
        s.free(i);
        s.setCondition(0);
        s.pop();
        return 0;
      case 'cmov':
        this.#conditionalMove(i, (code & 0x1_0000) !== 0);
        return 0;
      case 'chs':
      case 'abs':
        this.#unary((x) => exactly({ ...x, sign: operation === 'abs' ? 0 : ((x.sign ^ 1) as 0 | 1) }));
        return 0;
      case 'xam':
        this.#examine();
        return 0;
      case 'ld1':
        this.#push(ONE);
        return 0;
      case 'ldz':
        this.#push(zero(0));
        return 0;
      case 'ldl2t':
        this.#constant(log2Of10());
        return 0;
      case 'ldl2e':
        this.#constant(log2OfE());
        return 0;
      case 'ldpi':
        this.#constant(pi());
        return 0;
      case 'ldlg2':
        this.#constant(log10Of2());
        return 0;
      case 'ldln2':
        this.#constant(ln2());
        return 0;
      case '2xm1':
        this.#unary((x) => powerOfTwoLessOne(x, s.environment));
        return 0;
      case 'sqrt':
        this.#unary((x) => squareRoot(x, s.environment));
        return 0;
      case 'rndint':
        this.#unary((x) => roundedInteger(x, s.environment));
        return 0;
      case 'sin':
      case 'cos':
        this.#sineOrCosine(operation);
        return 0;
      case 'sincos':
        this.#sineAndCosine();
        return 0;
      case 'ptan':
        this.#tangent();
        return 0;
      case 'yl2x':
        this.#popping((x, y) => logarithm(x, y, s.environment));
        return 0;
      case 'yl2xp1':
        this.#popping((x, y) => logarithmOfSum(x, y, s.environment));
        return 0;
      case 'patan':
        this.#popping((x, y) => arcTangent(x, y, s.environment));
        return 0;
      case 'scale':
        if (!this.#underflow([0, 1], 0)) this.#deliver(0, scale(s.get(0), s.get(1), s.environment));
        return 0;
      case 'xtract':
        this.#extract();
        return 0;
      case 'prem':
      case 'prem1':
        this.#remainder(operation === 'prem1');
        return 0;
      case 'decstp':
        s.top = s.top - 1;
        s.setCondition(0);
        return 0;
      case 'incstp':
        s.top = s.top + 1;
        s.setCondition(0);
        return 0;
      case 'ldcw':
        s.control = this.#view.getUint16(this.#scratch, true);
        return 0;
      case 'nstenv':
        storeEnvironment(this.#view, this.#area, this.#scratch, s, form === X87_FORM.short);
        return DELIVER;
      case 'ldenv':
        loadEnvironment(this.#view, this.#area, this.#scratch, s, form === X87_FORM.short);
        return 0;
      case 'nsave':
        storeState(this.#view, this.#area, this.#scratch, s, form === X87_FORM.short);
        return DELIVER;
      case 'rstor':
        loadState(this.#view, this.#area, this.#scratch, s, form === X87_FORM.short);
        return 0;
      case 'fxrstor':
        s.settle();
        return 0;
    }
  }

  // ---- parts of many instructions

  /** When a register is empty: the masked answer goes to `target`. Whether that was so. */
  #underflow(needed: readonly number[], target: number, pops = 0): boolean {
    const s = this.#stack;
    if (!needed.some((i) => s.isEmpty(i))) return false;
    if (s.stackFault(false)) {
      s.set(target, INDEFINITE);
      for (let i = 0; i < pops; i++) s.pop();
    }
    return true;
  }

  /** Notes a result's exceptions and puts it into ST(i). Whether it was put there. */
  #deliver(i: number, result: Result): boolean {
    const s = this.#stack;
    s.setCondition(result.up ? STATUS.C1 : 0);
    if (!s.raise(result.flags)) {
      s.setCondition(0);
      return false;
    }
    s.set(i, result.value);
    return true;
  }

  #push(value: Extended, flags = 0): void {
    const s = this.#stack;
    if (!s.isEmpty(-1)) {
      if (s.stackFault(true)) s.push(INDEFINITE);
      return;
    }
    s.setCondition(0);
    // A denormal is pushed even when its exception is not masked.
    if (s.raise(flags, FP.IE)) s.push(value);
  }

  #constant(fixed: bigint): void {
    const r = round(constantOf(fixed), EXTENDED, this.#stack.environment.mode);
    this.#push(fromRounded(r));
  }

  #unary(of: (x: Extended) => Result): void {
    if (!this.#underflow([0], 0)) this.#deliver(0, of(this.#stack.get(0)));
  }

  /** ST and ST(1) make ST(1), which becomes the top. */
  #popping(of: (x: Extended, y: Extended) => Result): void {
    const s = this.#stack;
    if (this.#underflow([0, 1], 1, 1)) return;
    if (this.#deliver(1, of(s.get(0), s.get(1)))) s.pop();
  }

  // ---- arithmetic and comparing

  /** Whether a result was given. */
  #arithmetic(operation: string, form: number, i: number): boolean {
    const s = this.#stack;
    const target = form === X87_FORM.register ? i : 0;
    const fromRegister = form === X87_FORM.top || form === X87_FORM.register;
    if (fromRegister ? s.isEmpty(0) || s.isEmpty(i) : s.isEmpty(0)) {
      if (!s.stackFault(false)) return false;
      s.set(target, INDEFINITE);
      return true;
    }
    const source = fromRegister
      ? s.get(form === X87_FORM.top ? i : 0)
      : loadOperand(this.#view, this.#scratch, form);
    const old = s.get(target);
    const env = s.environment;
    return this.#deliver(target, calculate(operation, old, source, env));
  }

  /** The condition bits of a comparison; whether the instruction went through. */
  #compare(operation: string, form: number, i: number): boolean {
    const s = this.#stack;
    const fromRegister = form === X87_FORM.none || form === X87_FORM.top;
    const test = operation === 'tst';
    s.setCondition(0);
    if (s.isEmpty(0) || (fromRegister && !test && s.isEmpty(i))) {
      s.setCondition(STATUS.C0 | STATUS.C2 | STATUS.C3, CONDITIONS);
      return s.stackFault(false);
    }
    const a = s.get(0);
    const b = test ? zero(0) : fromRegister ? s.get(i) : loadOperand(this.#view, this.#scratch, form);
    const { flags, relation } = compare(a, b, operation.startsWith('u'));
    // The relation is told even when the exception is not masked; only the pop is not made then.
    const bits =
      (relation & 1 ? STATUS.C0 : 0) | (relation & 4 ? STATUS.C2 : 0) | (relation & 0x40 ? STATUS.C3 : 0);
    s.setCondition(bits, CONDITIONS);
    return s.raise(flags);
  }

  #compareFlags(operation: string, i: number): boolean {
    const s = this.#stack;
    const empty = s.isEmpty(0) || s.isEmpty(i);
    const { flags, relation } = empty
      ? { flags: 0, relation: COMPARED.unordered }
      : compare(s.get(0), s.get(i), operation.startsWith('u'));
    this.#view.setUint32(this.#scratch, relation, true);
    return empty ? s.stackFault(false) : s.raise(flags);
  }

  #examine(): void {
    const s = this.#stack;
    const x = s.get(0);
    const sign = x.sign ? STATUS.C1 : 0;
    const kind = s.isEmpty(0)
      ? STATUS.C3 | STATUS.C0
      : isUnsupported(x)
        ? 0
        : isNan(x)
          ? STATUS.C0
          : isInfinite(x)
            ? STATUS.C2 | STATUS.C0
            : isZero(x)
              ? STATUS.C3
              : isDenormal(x)
                ? STATUS.C3 | STATUS.C2
                : STATUS.C2;
    s.setCondition(kind | sign, CONDITIONS);
  }

  // ---- moves

  #load(form: number, i: number): void {
    const s = this.#stack;
    if (form === X87_FORM.register) {
      if (!s.isEmpty(i)) this.#push(s.get(i));
      else if (s.stackFault(false)) s.push(INDEFINITE);
      return;
    }
    const value = loadOperand(this.#view, this.#scratch, form);
    if (form !== X87_FORM.single && form !== X87_FORM.double) {
      this.#push(value);
      return;
    }
    const signaling = isSignaling(value);
    const flags = signaling ? FP.IE : value.wasDenormal === true ? FP.DE : 0;
    this.#push(signaling ? quiet(value) : value, flags);
  }

  #store(operation: 'st' | 'stp' | 'stpnce' | 'stt' | 'bstp', form: number, i: number): number {
    const s = this.#stack;
    const pops = operation !== 'st';
    if (form === X87_FORM.register) {
      s.setCondition(0);
      if (s.isEmpty(0)) {
        // The form at D9 does not look whether there is something to store.
        if (operation !== 'stpnce') {
          if (!s.stackFault(false)) return 0;
          s.set(i, INDEFINITE);
        }
      } else s.set(i, s.get(0));
      if (pops) s.pop();
      return 0;
    }
    const { mode, unmasked } = s.environment;
    const empty = s.isEmpty(0);
    const value = empty ? INDEFINITE : s.get(0);
    const decimal = operation === 'bstp';
    const rounding = operation === 'stt' ? ROUND.zero : mode;
    let bits = 0n;
    let flags = 0;
    let up = false;
    if (form === X87_FORM.extended && !decimal) writeExtended(this.#view, this.#scratch, value);
    else {
      ({ bits, flags, up } = decimal
        ? toDecimal(value, mode)
        : form === X87_FORM.single || form === X87_FORM.double
          ? toBinary(form === X87_FORM.single ? SINGLE : DOUBLE, value, mode, unmasked)
          : toInteger(value, SIZES[form]!, rounding));
      this.#view.setBigUint64(this.#scratch, BigInt.asUintN(64, bits), true);
      this.#view.setUint16(this.#scratch + 8, Number(bits >> 64n), true);
    }
    if (empty) {
      if (!s.stackFault(false)) return 0;
    } else {
      s.setCondition(up ? STATUS.C1 : 0);
      if (!s.raise(flags, FP.IE | FP.OE | FP.UE)) {
        s.setCondition(0);
        return 0;
      }
    }
    if (pops) s.pop();
    return DELIVER;
  }

  #exchange(i: number): void {
    const s = this.#stack;
    s.setCondition(0);
    if (s.isEmpty(0) || s.isEmpty(i)) {
      const a = s.isEmpty(0) ? INDEFINITE : s.get(0);
      const b = s.isEmpty(i) ? INDEFINITE : s.get(i);
      if (!s.stackFault(false)) return;
      s.set(0, b);
      s.set(i, a);
      return;
    }
    const a = s.get(0);
    s.set(0, s.get(i));
    s.set(i, a);
  }

  #conditionalMove(i: number, holds: boolean): void {
    const s = this.#stack;
    if (this.#underflow([0, i], 0)) return;
    if (holds) s.set(0, s.get(i));
  }

  // ---- the rest

  #extract(): void {
    const s = this.#stack;
    if (s.isEmpty(0)) {
      if (s.stackFault(false)) {
        s.set(0, INDEFINITE);
        s.push(INDEFINITE);
      }
      return;
    }
    if (!s.isEmpty(-1)) {
      if (s.stackFault(true)) {
        s.set(0, INDEFINITE);
        s.push(INDEFINITE);
      }
      return;
    }
    const { exponent, significand, flags } = extract(s.get(0));
    s.setCondition(0);
    if (!s.raise(flags)) return;
    s.set(0, exponent);
    s.push(significand);
  }

  #remainder(nearest: boolean): void {
    const s = this.#stack;
    s.setCondition(0, STATUS.C1 | STATUS.C2);
    if (this.#underflow([0, 1], 0)) return;
    const result = remainder(s.get(0), s.get(1), s.environment, nearest);
    if (!s.raise(result.flags)) return;
    s.set(0, result.value);
    const q = result.quotient;
    if (q === undefined) return;
    const bits = (q & 4 ? STATUS.C0 : 0) | (q & 2 ? STATUS.C3 : 0) | (q & 1 ? STATUS.C1 : 0);
    s.setCondition(q < 0 ? STATUS.C2 : bits, CONDITIONS);
  }

  #sineOrCosine(operation: 'sin' | 'cos'): void {
    const s = this.#stack;
    s.setCondition(0, STATUS.C2);
    if (this.#underflow([0], 0)) return;
    const both = sineCosine(s.get(0), s.environment);
    s.setCondition(both === undefined ? STATUS.C2 : 0, STATUS.C1 | STATUS.C2);
    if (both !== undefined) this.#deliver(0, operation === 'sin' ? both.sine : both.cosine);
  }

  /** ST becomes one thing, another is pushed. */
  #two(first: Result, second: Result): void {
    const s = this.#stack;
    s.setCondition(second.up ? STATUS.C1 : 0);
    if (!s.raise(first.flags | second.flags)) return;
    s.set(0, first.value);
    s.push(second.value);
  }

  /** Whether the stack takes one more; else the answer has been given. */
  #roomForTwo(): boolean {
    const s = this.#stack;
    const empty = s.isEmpty(0);
    if (!empty && s.isEmpty(-1)) return true;
    if (s.stackFault(!empty)) {
      s.set(0, INDEFINITE);
      s.push(INDEFINITE);
    }
    return false;
  }

  #sineAndCosine(): void {
    const s = this.#stack;
    s.setCondition(0, STATUS.C2);
    if (!this.#roomForTwo()) return;
    const both = sineCosine(s.get(0), s.environment);
    s.setCondition(both === undefined ? STATUS.C2 : 0, STATUS.C1 | STATUS.C2);
    if (both !== undefined) this.#two(both.sine, both.cosine);
  }

  #tangent(): void {
    const s = this.#stack;
    s.setCondition(0, STATUS.C2);
    if (!this.#roomForTwo()) return;
    const result = tangent(s.get(0), s.environment);
    s.setCondition(result === undefined ? STATUS.C2 : 0, STATUS.C1 | STATUS.C2);
    if (result === undefined) return;
    const one = isNan(result.value) ? exactly(result.value) : exactly(ONE);
    this.#two(result, { ...one, up: result.up });
  }
}

const SIZES: Readonly<Record<number, number>> = {
  [X87_FORM.int16]: 16,
  [X87_FORM.int32]: 32,
  [X87_FORM.int64]: 64,
};

function calculate(operation: string, a: Extended, b: Extended, env: X87Stack['environment']): Result {
  switch (operation) {
    case 'add':
      return add(a, b, env);
    case 'mul':
      return multiply(a, b, env);
    case 'sub':
      return subtract(a, b, env);
    case 'subr':
      return subtract(b, a, env);
    case 'div':
      return divide(a, b, env);
    default:
      return divide(b, a, env);
  }
}

/** The relation as bits of RFLAGS. `quietly`: quiet NaNs are no exception. */
function compare(a: Extended, b: Extended, quietly: boolean): { flags: number; relation: number } {
  if (isUnsupported(a) || isUnsupported(b)) return { flags: FP.IE, relation: COMPARED.unordered };
  const relation = order(a, b);
  if (relation === undefined) {
    const invalid = !quietly || isSignaling(a) || isSignaling(b);
    return { flags: invalid ? FP.IE : 0, relation: COMPARED.unordered };
  }
  const flags = isDenormal(a) || isDenormal(b) ? FP.DE : 0;
  return { flags, relation: relation < 0 ? COMPARED.less : relation > 0 ? COMPARED.greater : COMPARED.equal };
}
