/** Operations that the host makes, by number: what translated code passes. */
export const X87_OPERATIONS = [
  'add',
  'mul',
  'com',
  'comp',
  'sub',
  'subr',
  'div',
  'divr',
  'addp',
  'mulp',
  'subp',
  'subrp',
  'divp',
  'divrp',
  'ucom',
  'ucomp',
  'compp',
  'ucompp',
  'comi',
  'comip',
  'ucomi',
  'ucomip',
  'ld',
  'st',
  'stp',
  'stpnce',
  'stt',
  'bld',
  'bstp',
  'xch',
  'free',
  'freep',
  'cmov',
  'chs',
  'abs',
  'tst',
  'xam',
  'ld1',
  'ldl2t',
  'ldl2e',
  'ldpi',
  'ldlg2',
  'ldln2',
  'ldz',
  '2xm1',
  'yl2x',
  'yl2xp1',
  'ptan',
  'patan',
  'sin',
  'cos',
  'sincos',
  'xtract',
  'prem',
  'prem1',
  'decstp',
  'incstp',
  'sqrt',
  'rndint',
  'scale',
  'ldcw',
  'nstenv',
  'ldenv',
  'nsave',
  'rstor',
  'fxrstor',
] as const;

export type X87Operation = (typeof X87_OPERATIONS)[number];

/** Where the second operand is, or where the result goes: registers, or 16 bytes beside the register file. */
export const X87_FORM = {
  none: 0,
  /** ST is the first operand and the target, ST(i) the second. */
  top: 1,
  /** The other way round. */
  register: 2,
  single: 3,
  double: 4,
  extended: 5,
  int16: 6,
  int32: 7,
  int64: 8,
  /** Environments of 16-bit operand size. */
  short: 9,
} as const;

/** An operation, its form, and a register of the stack, in one number. Bit 16 is a condition that holds (`fcmov`). */
export function x87Code(operation: X87Operation, form: number, register = 0): number {
  return X87_OPERATIONS.indexOf(operation) | (form << 8) | (register << 12);
}

/** What the host answers, as bits. */
export const X87_ANSWER = {
  /** The result is beside the register file and is to be stored; without it nothing is. */
  deliver: 1,
} as const;
