import { HIGH_HALVES, HIGH_HALVES_SHIFT, SHADOW_BASE } from '../memory/index.ts';
import { CodeWriter, EMPTY_BLOCK, I32, OP } from '../wasm/index.ts';
import { HELPER, HELPER_TYPES } from './engine-layout.ts';
import { type CheckStmt, type Exit, type Expr, REACH, SHADOW } from './ir.ts';

/** The shadow of granules that may be stored to, side by side. */
const FULL = 0x0808_0808_0808_0808n;
/** The bits of the shadow that say whether memory may be read: those of 8 and 9, and the sign. */
const READABLE = 0x8888_8888_8888_8888n;

/** Granules that `bytes` bytes can touch, wherever they begin. */
function granulesOf(bytes: number): number {
  return (bytes + 14) >>> 3;
}

/**
 * A check looks at the address's sign (exact ones: at its whole upper half), at the shadow of all granules that the access can touch at once, and when they are
 * not all fully valid, at exactly its bytes. `leave` writes the way out, which ends in a branch; it is told how many
 * blocks are around it here. In this form the exact look is in place: in a loop a call would make the optimizing compiler
 * spill what is live around it.
 */
export function writeCheck(out: CodeWriter, check: CheckStmt, expr: WriteExpr, leave: WriteLeave): void {
  if (check.sign || check.exact) {
    wrongHalf(out, check, expr);
    out.byte(OP.if);
    out.byte(EMPTY_BLOCK);
    leave(check.exit, 1);
    out.byte(OP.end);
  }
  granule(out, check, expr);
  shadowIsGood(out, check.bytes, check.write);
  out.byte(OP['i32.eqz']);
  out.byte(OP.if);
  out.byte(EMPTY_BLOCK);
  exactly(out, check, expr);
  out.byte(OP['i32.eqz']);
  out.byte(OP.if);
  out.byte(EMPTY_BLOCK);
  leave(check.exit, 2);
  out.byte(OP.end);
  out.byte(OP.end);
}

/** As `writeCheck`, in half the bytes: the exact look is a call. For functions that are not run often. */
export function writeSmallCheck(out: CodeWriter, check: CheckStmt, expr: WriteExpr, leave: WriteLeave): void {
  out.byte(OP.block);
  out.byte(EMPTY_BLOCK);
  out.byte(OP.block);
  out.byte(EMPTY_BLOCK);
  if (check.sign || check.exact) {
    wrongHalf(out, check, expr);
    out.byte(OP.br_if);
    out.byte(0);
  }
  granule(out, check, expr);
  shadowIsGood(out, check.bytes, check.write);
  out.byte(OP.br_if);
  out.byte(1);
  expr(check.ea);
  out.byte(OP['i32.const']);
  out.s32(check.bytes);
  callHelper(out, check.write ? HELPER.mayStore : HELPER.mayLoad);
  out.byte(OP.br_if);
  out.byte(1);
  out.byte(OP.end);
  leave(check.exit, 1);
  out.byte(OP.end);
}

type WriteExpr = (e: Expr) => void;
type WriteLeave = (exit: Exit, blocks: number) => void;

/** Whether the address's upper half is wrong, as far as the check looks at it. */
function wrongHalf(out: CodeWriter, check: CheckStmt, expr: WriteExpr): void {
  expr(check.ea);
  out.byte(OP['i64.const']);
  if (!check.exact) {
    out.byte(0);
    out.byte(OP['i64.ge_s']);
    return;
  }
  out.s32(32);
  out.byte(OP['i64.shr_u']);
  out.byte(OP['i32.wrap_i64']);
  expr(check.ea);
  out.byte(OP['i32.wrap_i64']);
  out.byte(OP['i32.const']);
  out.s32(HIGH_HALVES_SHIFT - 2);
  out.byte(OP['i32.shr_u']);
  out.byte(OP['i32.const']);
  out.s32(0x3fc);
  out.byte(OP['i32.and']);
  out.byte(OP['i32.load']);
  out.byte(2);
  out.u32(HIGH_HALVES);
  out.byte(OP['i32.ne']);
}

/** The number of the access's first granule. */
function granule(out: CodeWriter, check: CheckStmt, expr: (e: Expr) => void): void {
  expr(check.ea);
  out.byte(OP['i32.wrap_i64']);
  out.byte(OP['i32.const']);
  out.byte(3);
  out.byte(OP['i32.shr_u']);
}

/**
 * Whether exactly the access's bytes are good: all granules but the last as a whole, the last one as far as the access
 * reaches.
 */
function exactly(out: CodeWriter, check: CheckStmt, expr: (e: Expr) => void): void {
  const { bytes, write } = check;
  const get = (local: number): void => {
    out.byte(OP['local.get']);
    out.u32(local);
  };
  const number = (value: number): void => {
    out.byte(OP['i32.const']);
    out.s32(value);
  };
  expr(check.ea);
  out.byte(OP['i32.wrap_i64']);
  number(7);
  out.byte(OP['i32.and']);
  if (bytes > 1) {
    number(bytes - 1);
    out.byte(OP['i32.add']);
  }
  out.byte(OP['local.set']);
  out.u32(REACH);
  // The shadow of the last granule is above what the access needs of it, and not that of memory only to be read.
  get(REACH);
  number(7);
  out.byte(OP['i32.and']);
  granule(out, check, expr);
  if (bytes > 1) {
    get(REACH);
    number(3);
    out.byte(OP['i32.shr_u']);
    out.byte(OP['i32.add']);
  }
  out.byte(OP['i32.load8_s']);
  out.byte(0);
  out.u32(SHADOW_BASE);
  if (write) {
    out.byte(OP['local.tee']);
    out.u32(SHADOW);
  }
  out.byte(OP['i32.lt_s']);
  if (write) {
    get(SHADOW);
    number(9);
    out.byte(OP['i32.ne']);
    out.byte(OP['i32.and']);
  }
  if (bytes === 1) return;
  // Those below it: their shadow differs from "full" nowhere that matters.
  const granules = granulesOf(bytes);
  const wide = granules > 4;
  granule(out, check, expr);
  loadShadow(out, granules);
  const mask = (1n << BigInt(8 * granules)) - 1n;
  if (!write) {
    constant(out, wide, READABLE & mask);
    out.byte(wide ? OP['i64.and'] : OP['i32.and']);
  }
  constant(out, wide, FULL & mask);
  out.byte(wide ? OP['i64.xor'] : OP['i32.xor']);
  constant(out, wide, 1n);
  get(REACH);
  number(-8);
  out.byte(OP['i32.and']);
  if (wide) out.byte(OP['i64.extend_i32_u']);
  out.byte(wide ? OP['i64.shl'] : OP['i32.shl']);
  constant(out, wide, 1n);
  out.byte(wide ? OP['i64.sub'] : OP['i32.sub']);
  out.byte(wide ? OP['i64.and'] : OP['i32.and']);
  out.byte(wide ? OP['i64.eqz'] : OP['i32.eqz']);
  out.byte(OP['i32.and']);
}

function loadShadow(out: CodeWriter, granules: number): void {
  out.byte(
    granules === 1
      ? OP['i32.load8_s']
      : granules === 2
        ? OP['i32.load16_u']
        : granules > 4
          ? OP['i64.load']
          : OP['i32.load'],
  );
  out.byte(0);
  out.u32(SHADOW_BASE);
}

function constant(out: CodeWriter, wide: boolean, value: bigint): void {
  out.byte(wide ? OP['i64.const'] : OP['i32.const']);
  if (wide) out.s64(value);
  else out.s32(Number(BigInt.asIntN(32, value)));
}

/** What `writeShadowLook` writes, by size and kind of access. */
const looks: (Uint8Array | undefined)[] = new Array<undefined>(2 * 64).fill(undefined);

/** The number of the first granule is on the stack; leaves whether all are good, as far as one look tells. */
function shadowIsGood(out: CodeWriter, bytes: number, write: boolean): void {
  const key = 2 * bytes + (write ? 1 : 0);
  let look = looks[key];
  if (look === undefined) {
    const once = new CodeWriter(64);
    writeShadowLook(once, bytes, write);
    look = once.take();
    looks[key] = look;
  }
  for (let i = 0; i < look.length; i++) out.byte(look[i]!);
}

function writeShadowLook(out: CodeWriter, bytes: number, write: boolean): void {
  if (bytes === 1) {
    loadShadow(out, 1);
    out.byte(OP['i32.const']);
    out.byte(8);
    out.byte(write ? OP['i32.eq'] : OP['i32.ge_s']);
    return;
  }
  const granules = granulesOf(bytes);
  const wide = granules > 4;
  loadShadow(out, granules);
  const mask = (1n << BigInt(8 * granules)) - 1n;
  const present = write ? mask : READABLE & mask;
  // Nothing to cut off where a load brings no more than that.
  if (!(write && (granules === 2 || granules === 4 || granules === 8))) {
    constant(out, wide, present);
    out.byte(wide ? OP['i64.and'] : OP['i32.and']);
  }
  constant(out, wide, FULL & mask);
  out.byte(wide ? OP['i64.eq'] : OP['i32.eq']);
}

/** Calls the helper whose arguments are on the stack. */
export function callHelper(out: CodeWriter, helper: number): void {
  out.byte(OP['i32.const']);
  out.s32(helper);
  out.byte(OP.call_indirect);
  out.u32(HELPER_TYPES[helper]!);
  out.u32(0);
}

/** The body of an exact check, `(address, bytes) -> are they good?`, sign apart, of loads or stores. */
export function exactCheck(write: boolean): Uint8Array {
  const out = new CodeWriter(128);
  const EA = 0;
  const BYTES = 1;
  const AT = 2;
  const LAST = 3;
  const VALUE = 4;
  const get = (local: number): void => {
    out.byte(OP['local.get']);
    out.u32(local);
  };
  const set = (local: number): void => {
    out.byte(OP['local.set']);
    out.u32(local);
  };
  const number = (value: number): void => {
    out.byte(OP['i32.const']);
    out.s32(value);
  };
  const refuseIf = (): void => {
    out.byte(OP.if);
    out.byte(EMPTY_BLOCK);
    number(0);
    out.byte(OP.return);
    out.byte(OP.end);
  };
  out.u32(1);
  out.u32(3);
  out.byte(I32);
  get(EA);
  out.byte(OP['i32.wrap_i64']);
  set(AT);
  get(AT);
  get(BYTES);
  out.byte(OP['i32.add']);
  number(1);
  out.byte(OP['i32.sub']);
  set(LAST);
  out.byte(OP.loop);
  out.byte(EMPTY_BLOCK);
  get(AT);
  number(3);
  out.byte(OP['i32.shr_u']);
  out.byte(OP['i32.load8_s']);
  out.byte(0);
  out.u32(SHADOW_BASE);
  set(VALUE);
  if (write) {
    // The shadow of what may only be read.
    get(VALUE);
    number(9);
    out.byte(OP['i32.eq']);
    refuseIf();
  }
  // The last byte of this granule that the access needs.
  get(LAST);
  number(7);
  out.byte(OP['i32.and']);
  number(7);
  get(AT);
  get(LAST);
  out.byte(OP['i32.xor']);
  number(8);
  out.byte(OP['i32.lt_u']);
  out.byte(OP.select);
  get(VALUE);
  out.byte(OP['i32.ge_s']);
  refuseIf();
  get(AT);
  number(-8);
  out.byte(OP['i32.and']);
  number(8);
  out.byte(OP['i32.add']);
  set(AT);
  get(AT);
  get(LAST);
  out.byte(OP['i32.le_u']);
  out.byte(OP.br_if);
  out.u32(0);
  out.byte(OP.end);
  number(1);
  out.byte(OP.end);
  return out.take();
}
