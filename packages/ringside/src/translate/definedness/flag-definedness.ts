import { ALL_FLAGS, FLAG_BITS } from '../../x86/index.ts';
import { type Bits, ones, range, signedRange } from './bit-rules.ts';

const { c: CF, p: PF, a: AF, z: ZF, s: SF, o: OF } = FLAG_BITS;

/** A comparison: flags as `cmp` sets them, whose conditions may be defined where single flags are not. */
interface Comparison {
  readonly left: Bits;
  readonly right: Bits;
  readonly width: number;
}

/** Flags that each condition reads. Source: SDM vol. 1, appendix B. */
const CONDITION_FLAGS: Readonly<Record<string, number>> = {
  o: OF,
  b: CF,
  e: ZF,
  be: CF | ZF,
  s: SF,
  p: PF,
  l: SF | OF,
  le: SF | OF | ZF,
};
const NEGATIVE: Readonly<Record<string, string>> = {
  no: 'o',
  ae: 'b',
  ne: 'e',
  a: 'be',
  ns: 's',
  np: 'p',
  ge: 'l',
  g: 'le',
};

/** Which of the arithmetic flags are undefined, or what they were compared from. */
export class FlagDefinedness {
  #mask = 0;
  #comparison: Comparison | undefined;

  /** Flags as a whole: all defined, or some not. */
  set(mask: number): void {
    this.#mask = mask & ALL_FLAGS;
    this.#comparison = undefined;
  }

  /** Some flags change, the others stay. */
  change(flags: number, mask: number): void {
    this.set((this.mask & ~flags) | (mask & flags));
  }

  /** Flags of `left - right`; a result of logic compares like the result with 0. */
  compare(left: Bits, right: Bits, width: number): void {
    this.#mask = 0;
    this.#comparison = (left.mask | right.mask) === 0n ? undefined : { left, right, width };
  }

  get isDefined(): boolean {
    return this.#mask === 0 && this.#comparison === undefined;
  }

  /** A set bit is an undefined flag, in its place in RFLAGS. */
  get mask(): number {
    const comparison = this.#comparison;
    if (comparison === undefined) return this.#mask;
    let mask = 0;
    if (!isDefined('b', comparison)) mask |= CF;
    if (!isDefined('e', comparison)) mask |= ZF;
    if (!isDefined('s', comparison)) mask |= SF;
    if (!isDefined('o', comparison)) mask |= OF;
    if (!isDefined('p', comparison)) mask |= PF;
    return ((comparison.left.mask | comparison.right.mask) & 0xfn) === 0n ? mask : mask | AF;
  }

  /** Whether a condition (`e`, `nle`, ...) as it is spelled in `jcc` depends on undefined bits. */
  dependsOn(condition: string): boolean {
    const base = NEGATIVE[condition] ?? condition;
    if (this.#comparison !== undefined) return !isDefined(base, this.#comparison);
    return (this.#mask & (CONDITION_FLAGS[base] ?? 0)) !== 0;
  }

  save(): { readonly mask: number; readonly comparison: Comparison | undefined } {
    return { mask: this.#mask, comparison: this.#comparison };
  }

  restore(saved: ReturnType<FlagDefinedness['save']>): void {
    this.#mask = saved.mask;
    this.#comparison = saved.comparison;
  }
}

function isDefined(condition: string, { left, right, width }: Comparison): boolean {
  const zero = right.mask === 0n && right.value === 0n;
  switch (condition) {
    case 'e': {
      const same = ~(left.value ^ right.value) | left.mask | right.mask;
      // a defined bit that differs decides
      return (~same & ones(width)) !== 0n;
    }
    case 'b': {
      const [a, b] = [range(left), range(right)];
      return a.most < b.least || a.least >= b.most;
    }
    case 'be': {
      const [a, b] = [range(left), range(right)];
      return a.most <= b.least || a.least > b.most;
    }
    case 'l': {
      const [a, b] = [signedRange(left, width), signedRange(right, width)];
      return a.most < b.least || a.least >= b.most;
    }
    case 'le': {
      const [a, b] = [signedRange(left, width), signedRange(right, width)];
      return a.most <= b.least || a.least > b.most;
    }
    case 's':
      return zero && ((left.mask >> BigInt(width - 1)) & 1n) === 0n;
    case 'o':
      return zero;
    default:
      return ((left.mask | right.mask) & 0xffn) === 0n;
  }
}
