import { OP } from '../../wasm/index.ts';
import { and32, c32, type Expr, make, op } from '../ir.ts';
import type { LiftContext } from '../lift-context.ts';
import { FPU_AREA, FPU_FCW, FPU_FSW, FPU_FTW, RAX } from '../register-file.ts';
import type { Lifter } from './lifter.ts';
import { useFpu } from './simd.ts';

/** Exceptions that `fldcw` may leave masked, and the bit of the control word that always reads as 1. */
const ALL_MASKED = 0x3f;
const RESERVED_ONE = 0x40;

function word(offset: number): Expr {
  return make(OP['i32.load16_u'], 32, c32(0), undefined, FPU_AREA + offset);
}

function setWord(c: LiftContext, offset: number, value: Expr): void {
  c.emit({ kind: 'store', op: OP['i32.store16'], at: c32(0), offset: FPU_AREA + offset, value });
}

/**
 * Control and status of x87. Arithmetic has 80 bits, which WebAssembly has no operations for: it is refused rather
 * than made with 64.
 */
export const X87_LIFTERS: Readonly<Record<string, Lifter>> = {
  fnop: () => {},
  fninit: (c) => {
    useFpu(c);
    setWord(c, FPU_FCW, c32(0x37f));
    setWord(c, FPU_FSW, c32(0));
    setWord(c, FPU_FTW, c32(0));
  },
  fnclex: (c) => {
    useFpu(c);
    setWord(c, FPU_FSW, and32(word(FPU_FSW), 0x7f00));
  },
  fnstcw: (c) => c.write(0, c.hold(word(FPU_FCW))),
  fnstsw: (c) => c.write(0, c.hold(word(FPU_FSW))),
  fnstsw_ax: (c) => c.writeReg(RAX, 16, c.hold(word(FPU_FSW))),
  fldcw: (c) => {
    const value = c.hold(c.read(0));
    c.exit('unsupported', op(OP['i32.ne'], and32(value, ALL_MASKED), c32(ALL_MASKED)));
    useFpu(c);
    setWord(c, FPU_FCW, op(OP['i32.or'], and32(value, 0x1f3f), c32(RESERVED_ONE)));
  },
};
