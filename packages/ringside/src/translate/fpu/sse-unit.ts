import { DOUBLE, SINGLE } from './binary-format.ts';
import { exactDouble, exactSingle } from './exactness.ts';
import { FP, ROUND, type RoundingMode } from './rounding.ts';
import {
  calculateLane,
  compareLane,
  convertLane,
  extremeLane,
  integerToLane,
  type Lane,
  laneToInteger,
  type SseArithmetic,
  type SseEnvironment,
} from './sse-arithmetic.ts';
import { SSE_OPERATIONS } from './sse-operations.ts';

const MXCSR = { DAZ: 0x40, MASKS: 0x1f80, FZ: 0x8000 } as const;
const CONTROL = 0xffc0;
const BEFORE = FP.IE | FP.DE | FP.ZE;
/** Where the second operand is behind the first; the result takes the first's place. */
const SECOND = 16;

/** SSE arithmetic on operands beside the register file, in every mode, with the flags of MXCSR. */
export class SseUnit {
  readonly #view: DataView;
  readonly #mxcsr: number;
  readonly #scratch: number;

  constructor(buffer: ArrayBufferLike, mxcsr: number, scratch: number) {
    this.#view = new DataView(buffer);
    this.#mxcsr = mxcsr;
    this.#scratch = scratch;
  }

  /** Makes the operation; 1: an exception that is not masked, nothing but MXCSR has changed. */
  execute(code: number): number {
    const view = this.#view;
    const mxcsr = view.getUint32(this.#mxcsr, true);
    const operation = SSE_OPERATIONS[code & 0xff]!;
    const double = (code & 0x100) !== 0;
    const lanes = ((code >> 10) & 3) + 1;
    if ((mxcsr & CONTROL) === MXCSR.MASKS && lanes === 1 && this.#usual(operation, double, mxcsr)) return 0;
    const env: SseEnvironment = {
      mode: ((mxcsr >> 13) & 3) as RoundingMode,
      unmasked: (~mxcsr >> 7) & 0x3f,
      flushToZero: (mxcsr & MXCSR.FZ) !== 0,
      denormalsAreZeros: (mxcsr & MXCSR.DAZ) !== 0,
    };
    const results: bigint[] = [];
    let flags = 0;
    for (let i = 0; i < lanes; i++) {
      const lane = this.#lane(operation, double, i, code >> 12, env);
      results.push(lane.bits);
      flags |= lane.flags;
    }
    const pending = flags & env.unmasked;
    if (pending !== 0) {
      const told = (pending & BEFORE) !== 0 ? flags & BEFORE : flags;
      view.setUint32(this.#mxcsr, mxcsr | told, true);
      return 1;
    }
    view.setUint32(this.#mxcsr, mxcsr | flags, true);
    this.#deliver(operation, double, results);
    return 0;
  }

  /** The most frequent operations with numbers of the host, as long as they tell at most PE. */
  #usual(operation: string, double: boolean, mxcsr: number): boolean {
    const view = this.#view;
    const at = this.#scratch;
    if (double) {
      const a = view.getFloat64(at, true);
      const r = exactDouble(operation, a, view.getFloat64(at + SECOND, true));
      if (r === undefined) return false;
      view.setFloat64(at, r.value, true);
      if (r.inexact) view.setUint32(this.#mxcsr, mxcsr | FP.PE, true);
      return true;
    }
    const a = view.getFloat32(at, true);
    const r = exactSingle(operation, a, view.getFloat32(at + SECOND, true));
    if (r === undefined) return false;
    view.setFloat32(at, r.value, true);
    if (r.inexact) view.setUint32(this.#mxcsr, mxcsr | FP.PE, true);
    return true;
  }

  #get(at: number, double: boolean, i: number): bigint {
    const from = this.#scratch + at;
    return double
      ? this.#view.getBigUint64(from + 8 * i, true)
      : BigInt(this.#view.getUint32(from + 4 * i, true));
  }

  #lane(
    operation: (typeof SSE_OPERATIONS)[number],
    double: boolean,
    i: number,
    immediate: number,
    env: SseEnvironment,
  ): Lane {
    const f = double ? DOUBLE : SINGLE;
    const a = (): bigint => this.#get(0, double, i);
    const b = (): bigint => this.#get(SECOND, double, i);
    switch (operation) {
      case 'min':
      case 'max':
        return extremeLane(f, operation, a(), b(), env);
      case 'addsub':
        return calculateLane(f, (i & 1) === 0 ? 'sub' : 'add', a(), b(), env);
      case 'cmp':
        return this.#compared(double, i, immediate & 7, env);
      case 'comis':
      case 'ucomis': {
        const { order, flags } = compareLane(f, a(), b(), env, operation === 'ucomis');
        const bits = order === undefined ? 0x45 : order < 0 ? 1 : order === 0 ? 0x40 : 0;
        return { bits: BigInt(bits), flags };
      }
      case 'widen':
        return convertLane(SINGLE, DOUBLE, this.#get(SECOND, false, i), env);
      case 'narrow':
        return convertLane(DOUBLE, SINGLE, this.#get(SECOND, true, i), env);
      case 'fromInteger32':
        return integerToLane(f, BigInt.asIntN(32, this.#get(SECOND, false, i)), env);
      case 'fromInteger64':
        return integerToLane(f, BigInt.asIntN(64, this.#get(SECOND, true, i)), env);
      case 'toInteger32':
        return laneToInteger(f, b(), 32, env.mode, env);
      case 'toInteger64':
        return laneToInteger(f, b(), 64, env.mode, env);
      case 'truncate32':
        return laneToInteger(f, b(), 32, ROUND.zero, env);
      case 'truncate64':
        return laneToInteger(f, b(), 64, ROUND.zero, env);
      default:
        return calculateLane(f, operation satisfies SseArithmetic, a(), b(), env);
    }
  }

  #compared(double: boolean, i: number, predicate: number, env: SseEnvironment): Lane {
    const f = double ? DOUBLE : SINGLE;
    const kind = predicate & 3;
    const { order, flags } = compareLane(
      f,
      this.#get(0, double, i),
      this.#get(SECOND, double, i),
      env,
      kind === 0 || kind === 3,
    );
    const holds =
      kind === 0
        ? order === 0
        : kind === 1
          ? order === -1
          : kind === 2
            ? order === -1 || order === 0
            : order === undefined;
    const all = (1n << BigInt(f.width)) - 1n;
    return { bits: holds === predicate < 4 ? all : 0n, flags };
  }

  /** Results over the first operand; those of packed conversions to narrower lanes with zeros above. */
  #deliver(operation: (typeof SSE_OPERATIONS)[number], double: boolean, results: readonly bigint[]): void {
    const view = this.#view;
    let wide = double;
    if (operation === 'widen' || operation.endsWith('64'))
      wide = operation === 'fromInteger64' ? double : true;
    else if (operation === 'narrow' || operation === 'toInteger32' || operation === 'truncate32')
      wide = false;
    if (!wide && double && results.length === 2) view.setBigUint64(this.#scratch + 8, 0n, true);
    if (operation === 'narrow' && results.length === 2) view.setBigUint64(this.#scratch + 8, 0n, true);
    for (const [i, bits] of results.entries()) {
      if (wide) view.setBigUint64(this.#scratch + 8 * i, bits, true);
      else view.setUint32(this.#scratch + 4 * i, Number(bits), true);
    }
  }
}
