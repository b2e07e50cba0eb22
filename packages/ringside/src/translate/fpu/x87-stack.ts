import { type Extended, readExtended, writeExtended } from './extended.ts';
import { FP, type RoundingMode } from './rounding.ts';
import type { Environment } from './x87-arithmetic.ts';

/** Offsets in the area that `fxsave` stores. */
const FCW = 0;
const FSW = 2;
const FTW = 4;
const FOP = 6;
const REGISTERS = 32;

/** Bits of the status word. Source: SDM vol. 1, 8.1.3. */
export const STATUS = { SF: 0x40, ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000, B: 0x8000 } as const;
const TOP_SHIFT = 11;
const PRECISIONS = [24, 64, 53, 64] as const;
const EXCEPTIONS = 0x3f;

/** The registers of x87 as they lie beside the register file: control, status, which registers are empty, the stack. */
export class X87Stack {
  readonly #view: DataView;
  readonly #area: number;
  /** Told of an exception that is not masked: the opcode is to be noted. */
  readonly #opcode: () => number;

  constructor(view: DataView, area: number, opcode: () => number) {
    this.#view = view;
    this.#area = area;
    this.#opcode = opcode;
  }

  get control(): number {
    return this.#view.getUint16(this.#area + FCW, true);
  }

  set control(value: number) {
    this.#view.setUint16(this.#area + FCW, (value & 0x1f3f) | 0x40, true);
    this.settle();
  }

  get status(): number {
    return this.#view.getUint16(this.#area + FSW, true);
  }

  set status(value: number) {
    this.#view.setUint16(this.#area + FSW, value & 0xffff, true);
  }

  /** A bit for each register that is not empty, by number. */
  get used(): number {
    return this.#view.getUint8(this.#area + FTW);
  }

  set used(value: number) {
    this.#view.setUint8(this.#area + FTW, value & 0xff);
  }

  get top(): number {
    return (this.status >> TOP_SHIFT) & 7;
  }

  set top(value: number) {
    this.status = (this.status & ~(7 << TOP_SHIFT)) | ((value & 7) << TOP_SHIFT);
  }

  get environment(): Environment {
    const control = this.control;
    return {
      mode: ((control >> 10) & 3) as RoundingMode,
      precision: PRECISIONS[(control >> 8) & 3]!,
      unmasked: ~control & EXCEPTIONS,
    };
  }

  #number(i: number): number {
    return (this.top + i) & 7;
  }

  isEmpty(i: number): boolean {
    return (this.used & (1 << this.#number(i))) === 0;
  }

  /** ST(i), whatever it holds. */
  get(i: number): Extended {
    return readExtended(this.#view, this.#area + REGISTERS + 16 * this.#number(i));
  }

  set(i: number, value: Extended): void {
    writeExtended(this.#view, this.#area + REGISTERS + 16 * this.#number(i), value);
    this.used |= 1 << this.#number(i);
  }

  free(i: number): void {
    this.used &= ~(1 << this.#number(i));
  }

  pop(): void {
    this.free(0);
    this.top = this.top + 1;
  }

  push(value: Extended): void {
    this.top = this.top - 1;
    this.set(0, value);
  }

  /** C1, or all condition bits of the mask. */
  setCondition(bits: number, mask: number = STATUS.C1): void {
    this.status = (this.status & ~mask) | (bits & mask);
  }

  /** Notes exceptions. Whether none of those in `before` (found before the operation is made) is unmasked. */
  raise(flags: number, before: number = FP.IE | FP.DE | FP.ZE): boolean {
    if (flags === 0) return true;
    const { unmasked } = this.environment;
    const stops = (flags & unmasked & before) !== 0;
    this.status |= stops ? flags & (before | STATUS.SF) : flags;
    this.#summary(flags & unmasked);
    return !stops;
  }

  #summary(pending: number): void {
    if ((pending & EXCEPTIONS) === 0) return;
    this.status |= STATUS.ES | STATUS.B;
    this.#view.setUint16(this.#area + FOP, this.#opcode(), true);
  }

  /** The stack is too full (C1) or too empty. Whether the masked answer is to be given. */
  stackFault(overflow: boolean): boolean {
    this.setCondition(overflow ? STATUS.C1 : 0);
    return this.raise(FP.IE | STATUS.SF);
  }

  /** The summary after control or status were loaded. */
  settle(): void {
    const pending = this.status & ~this.control & EXCEPTIONS;
    const summary = STATUS.ES | STATUS.B;
    this.status = pending !== 0 ? this.status | summary : this.status & ~summary;
  }
}
