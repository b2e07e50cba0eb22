import { OP } from '../../wasm/index.ts';
import { HELPER } from '../engine-layout.ts';
import { X87_FORM, type X87Operation, x87Code } from '../fpu/index.ts';
import { and32, c32, c64, callHelper, type Expr, load, make, op, wrap } from '../ir.ts';
import type { LiftContext, MemoryRef } from '../lift-context.ts';
import {
  FPU_AREA,
  FPU_FCW,
  FPU_FDP,
  FPU_FIP,
  FPU_FOP,
  FPU_FSW,
  FPU_FTW,
  FPU_SCRATCH,
  RAX,
} from '../register-file.ts';
import type { Lifter } from './lifter.ts';
import { useFpu, waitForFpu } from './simd.ts';

/**
 * x87. The host makes the arithmetic (`fpu/`), on the registers beside the register file; what is checked, loaded and stored is
 * translated. Operands of memory come and go through FPU_SCRATCH.
 */

function word(offset: number): Expr {
  return make(OP['i32.load16_u'], 32, c32(0), undefined, FPU_AREA + offset);
}

function setWord(c: LiftContext, offset: number, value: Expr): void {
  c.emit({ kind: 'store', op: OP['i32.store16'], at: c32(0), offset: FPU_AREA + offset, value });
}

function setAddress(c: LiftContext, offset: number, value: Expr): void {
  c.emit({ kind: 'store', op: OP['i64.store'], at: c32(0), offset: FPU_AREA + offset, value });
}

/** Notes the instruction and its operand, as environments tell them. */
function remember(c: LiftContext, ea?: Expr): void {
  useFpu(c);
  setAddress(c, FPU_FIP, c64(c.ins.addr));
  if (ea !== undefined) setAddress(c, FPU_FDP, ea);
}

function call(c: LiftContext, code: Expr): Expr {
  return c.hold(callHelper(HELPER.x87, 32, code));
}

function make87(c: LiftContext, code: number): void {
  c.emit({ kind: 'eval', value: callHelper(HELPER.x87, 32, c32(code)), drop: true });
}

/** Memory to the scratch place and back; `bytes` may be any even number. */
function pieces(bytes: number): { at: number; size: 2 | 4 | 8 }[] {
  const list: { at: number; size: 2 | 4 | 8 }[] = [];
  for (let at = 0; at < bytes; ) {
    const size = bytes - at >= 8 ? 8 : bytes - at >= 4 ? 4 : 2;
    list.push({ at, size });
    at += size;
  }
  return list;
}

function toScratch(c: LiftContext, ref: MemoryRef, bytes: number): void {
  for (const { at, size } of pieces(bytes)) {
    const value = c.loadFrom(ref, size, at);
    const name = size === 8 ? 'i64.store' : size === 4 ? 'i32.store' : 'i32.store16';
    c.emit({ kind: 'store', op: OP[name], at: c32(0), offset: FPU_SCRATCH + at, value });
  }
}

function fromScratch(c: LiftContext, ref: MemoryRef, bytes: number): void {
  for (const { at, size } of pieces(bytes)) {
    const value =
      size === 2
        ? make(OP['i32.load16_u'], 32, c32(0), undefined, FPU_SCRATCH + at)
        : load(size === 8 ? 'i64.load' : 'i32.load', c32(0), FPU_SCRATCH + at);
    c.storeTo(ref, size, value, at);
  }
}

/** Checks `bytes` bytes at `ea`, more than one check can. */
function area(c: LiftContext, ea: Expr, bytes: number, write: boolean): MemoryRef {
  if (bytes <= 32 || c.mode !== 'checked') return c.access(ea, bytes, write);
  for (let at = 0; at < bytes; at += 32) {
    c.check(c.hold(op('i64.add', ea, c64(at))), Math.min(32, bytes - at), write, at === 0);
  }
  return { at: c.hold(wrap(ea)), offset: 0, hosted: false };
}

// ---- numbers

type Numbers = 'float' | 'integer';

/** The form of the memory operand. */
function memoryForm(c: LiftContext, numbers: Numbers): number {
  const { size } = c.operand(0);
  if (numbers === 'integer') {
    return size === 16 ? X87_FORM.int16 : size === 32 ? X87_FORM.int32 : X87_FORM.int64;
  }
  return size === 32 ? X87_FORM.single : size === 64 ? X87_FORM.double : X87_FORM.extended;
}

/** The stack register that is an operand beside the top. */
function stackOperand(c: LiftContext): number {
  const { operands } = c.ins;
  return operands.length === 1 || c.ins.encoding.operands[0]!.kind === 'T'
    ? operands[0]!.reg
    : operands[1]!.reg;
}

/** Operands are the stack's, or one is memory's. */
function operate(operation: X87Operation, numbers: Numbers = 'float'): Lifter {
  return (c) => {
    waitForFpu(c);
    const [first] = c.ins.operands;
    if (first?.kind === 'mem') {
      const ea = c.hold(c.address());
      const bytes = first.size >> 3;
      const ref = c.access(ea, bytes, false);
      toScratch(c, ref, bytes);
      remember(c, ea);
      make87(c, x87Code(operation, memoryForm(c, numbers)));
      return;
    }
    remember(c);
    if (first === undefined) make87(c, x87Code(operation, X87_FORM.none));
    else {
      const toRegister = c.ins.encoding.operands[0]!.kind === 'T';
      make87(c, x87Code(operation, toRegister ? X87_FORM.register : X87_FORM.top, stackOperand(c)));
    }
  };
}

function store(operation: 'st' | 'stp' | 'stpnce' | 'stt' | 'bstp', numbers: Numbers = 'float'): Lifter {
  return (c) => {
    waitForFpu(c);
    const to = c.operand(0);
    if (to.kind === 'st') {
      remember(c);
      make87(c, x87Code(operation, X87_FORM.register, to.reg));
      return;
    }
    const ea = c.hold(c.address());
    const ref = c.access(ea, to.size >> 3, true);
    remember(c, ea);
    const delivers = call(c, c32(x87Code(operation, memoryForm(c, numbers))));
    const yes = c.collect(() => fromScratch(c, ref, to.size >> 3));
    c.emit({ kind: 'if', condition: delivers, yes, no: [] });
  };
}

/** `fcomi` and its like: the relation is told also when the exception is not masked. */
function compareFlags(operation: X87Operation): Lifter {
  return (c) => {
    waitForFpu(c);
    remember(c);
    make87(c, x87Code(operation, X87_FORM.top, stackOperand(c)));
    c.flags.producePacked(c.hold(load('i32.load', c32(0), FPU_SCRATCH)));
  };
}

function conditionalMove(condition: string): Lifter {
  return (c) => {
    waitForFpu(c);
    const holds = c.hold(c.flags.condition(condition));
    remember(c);
    const code = c32(x87Code('cmov', X87_FORM.top, stackOperand(c)));
    c.emit({
      kind: 'eval',
      value: callHelper(HELPER.x87, 32, op('i32.or', code, op('i32.shl', holds, c32(16)))),
      drop: true,
    });
  };
}

// ---- control

/** Bytes of an environment or of the whole state. */
function stateBytes(c: LiftContext, whole: boolean): number {
  return (c.ins.operandSize === 16 ? 14 : 28) + (whole ? 80 : 0);
}

function environmentForm(c: LiftContext): number {
  return c.ins.operandSize === 16 ? X87_FORM.short : X87_FORM.none;
}

function storeState(operation: 'nstenv' | 'nsave'): Lifter {
  return (c) => {
    const bytes = stateBytes(c, operation === 'nsave');
    const ref = area(c, c.hold(c.address()), bytes, true);
    useFpu(c);
    make87(c, x87Code(operation, environmentForm(c)));
    fromScratch(c, ref, bytes);
  };
}

function loadState(operation: 'ldenv' | 'rstor'): Lifter {
  return (c) => {
    waitForFpu(c);
    const bytes = stateBytes(c, operation === 'rstor');
    const ref = area(c, c.hold(c.address()), bytes, false);
    toScratch(c, ref, bytes);
    useFpu(c);
    make87(c, x87Code(operation, environmentForm(c)));
  };
}

/** Operations of the table whose names are those of the host's. */
const NAMED =
  'add mul com comp sub subr div divr addp mulp subp subrp divp divrp ucom ucomp compp ucompp bld xch free freep chs abs tst xam ld1 ldl2t ldl2e ldpi ldlg2 ldln2 ldz 2xm1 yl2x yl2xp1 ptan patan sin cos sincos xtract prem prem1 decstp incstp sqrt rndint scale ld'.split(
    ' ',
  ) as X87Operation[];
const INTEGERS = 'add mul com comp sub subr div divr ld'.split(' ') as X87Operation[];

export const X87_LIFTERS: Readonly<Record<string, Lifter>> = {
  ...Object.fromEntries(NAMED.map((name) => [`f${name}`, operate(name)])),
  ...Object.fromEntries(INTEGERS.map((name) => [`fi${name}`, operate(name, 'integer')])),
  fst: store('st'),
  fstp: store('stp'),
  fstpnce: store('stpnce'),
  fist: store('st', 'integer'),
  fistp: store('stp', 'integer'),
  fisttp: store('stt', 'integer'),
  fbstp: store('bstp'),
  fcomi: compareFlags('comi'),
  fcomip: compareFlags('comip'),
  fucomi: compareFlags('ucomi'),
  fucomip: compareFlags('ucomip'),
  fcmovb: conditionalMove('b'),
  fcmove: conditionalMove('e'),
  fcmovbe: conditionalMove('be'),
  fcmovu: conditionalMove('p'),
  fcmovnb: conditionalMove('ae'),
  fcmovne: conditionalMove('ne'),
  fcmovnbe: conditionalMove('a'),
  fcmovnu: conditionalMove('np'),
  fwait: waitForFpu,
  fnop: waitForFpu,
  /** Of the 8087 and 80287: without effect since. */
  fneni: () => {},
  fnstenv: storeState('nstenv'),
  fnsave: storeState('nsave'),
  fldenv: loadState('ldenv'),
  frstor: loadState('rstor'),
  fninit: (c) => {
    useFpu(c);
    setWord(c, FPU_FCW, c32(0x37f));
    setWord(c, FPU_FSW, c32(0));
    setWord(c, FPU_FTW, c32(0));
    setWord(c, FPU_FOP, c32(0));
    setAddress(c, FPU_FIP, c64(0));
    setAddress(c, FPU_FDP, c64(0));
  },
  fnclex: (c) => {
    useFpu(c);
    setWord(c, FPU_FSW, and32(word(FPU_FSW), 0x7f00));
  },
  fnstcw: (c) => c.write(0, c.hold(word(FPU_FCW))),
  fnstsw: (c) => c.write(0, c.hold(word(FPU_FSW))),
  fnstsw_ax: (c) => c.writeReg(RAX, 16, c.hold(word(FPU_FSW))),
  fldcw: (c) => {
    waitForFpu(c);
    const value = c.hold(c.read(0));
    useFpu(c);
    c.emit({ kind: 'store', op: OP['i32.store16'], at: c32(0), offset: FPU_SCRATCH, value });
    make87(c, x87Code('ldcw', X87_FORM.none));
  },
};
