import { OP, OP_NAMES, type OpName } from '../wasm/index.ts';
import { type Instruction, printInstruction, registerName } from '../x86/index.ts';

/**
 * The intermediate form: expression trees over WebAssembly's own operators, and statements. Guest registers are
 * locals that every function has at the same numbers, so that a print reads like the guest's code.
 */
export const DEPTH = 0;
export const FUEL = 1;
/** Guest register `r` is local `GUEST + r`. */
export const GUEST = 2;
/** Operands of the last instruction that set flags, see flags.ts. */
export const FA = 18;
export const FB = 19;
export const FC = 20;
export const RIP = 21;
export const FIRST_I32 = 22;
/** Which kind of instruction FA, FB, FC belong to, where that is not known when translating. */
export const FKIND = 22;
/** The six flags as 0 or 1, where they were made explicit. */
export const CF = 23;
export const ZF = 24;
export const SF = 25;
export const OF = 26;
export const PF = 27;
export const AF = 28;
export const LABEL = 29;
export const SITE = 30;
/** Scratch of checks. */
export const REACH = 31;
export const SHADOW = 32;
/** In hot code, where the lowest byte of the frame (see frame-plan.ts) is in the guest's memory. */
export const STACK = 33;
export const FIRST_TEMP = 34;

const LOCAL_NAMES = [
  'depth',
  'fuel',
  ...Array.from({ length: 16 }, (_, i) => registerName(i)),
  ...[
    'fa',
    'fb',
    'fc',
    'rip',
    'fkind',
    'cf',
    'zf',
    'sf',
    'of',
    'pf',
    'af',
    'label',
    'site',
    'reach',
    'shadow',
    'stack',
  ],
];

export function localName(local: number): string {
  return LOCAL_NAMES[local] ?? `t${local - FIRST_TEMP}`;
}

/** Value types of expressions: integers of 32 or 64 bits, vectors of 128; floating-point values are never held. */
export type Width = 32 | 64 | 128;

export interface Expr {
  readonly op: number;
  readonly width: Width;
  readonly a: Expr | undefined;
  readonly b: Expr | undefined;
  readonly c: Expr | undefined;
  /** The local, the constant, the memory offset, the vector's lane or the function called. */
  readonly n: number;
  /** A constant without an exact number, or the 16 bytes of a vector operation. */
  readonly big: bigint | undefined;
}

/** Leaves by `exit` when bytes of `[ea, ea + bytes)` may not be accessed; `ea` is a local or a constant. */
export interface CheckStmt {
  readonly kind: 'check';
  readonly ea: Expr;
  readonly bytes: number;
  readonly write: boolean;
  /** Whether the sign of the address has to be looked at. */
  readonly sign: boolean;
  /** Instead of the sign: whether the address's upper half is that of the region that its lower half is in. */
  readonly exact: boolean;
  readonly exit: Exit;
}

export type Stmt =
  | CheckStmt
  | { readonly kind: 'set'; readonly local: number; readonly value: Expr }
  | {
      readonly kind: 'store';
      readonly op: number;
      readonly at: Expr;
      readonly offset: number;
      readonly value: Expr;
    }
  /** Evaluates for effect; `drop`: there is a result to throw away. */
  | { readonly kind: 'eval'; readonly value: Expr; readonly drop: boolean }
  | { readonly kind: 'if'; readonly condition: Expr; readonly yes: Stmt[]; readonly no: Stmt[] }
  /** Repeats while `again` holds at the end of the body. */
  | { readonly kind: 'loop'; readonly body: Stmt[]; readonly again: Expr }
  /** Leaves the function when the condition holds (always, without one). */
  | { readonly kind: 'exit'; readonly condition: Expr | undefined; readonly exit: Exit }
  /** Stores the registers of `exit.dirty` into the register file. */
  | { readonly kind: 'sync'; readonly exit: Exit }
  /** Returns to the caller with this RIP; the register file is exact. */
  | { readonly kind: 'leave'; readonly condition: Expr | undefined; readonly rip: Expr }
  /** Marks where a guest instruction begins, for prints. */
  | { readonly kind: 'mark'; readonly ins: Instruction };

/** Why and in what state a function is left by an `exit`. */
export interface Exit {
  readonly reason: ExitReason;
  /** RIP of the state that the exit leaves. */
  readonly rip: number;
  /** Guest registers (a mask) that differ from the register file. */
  dirty: number;
  /** What the flags' locals hold: a kind of flags.ts, or one of its two other values. */
  readonly flags: number;
  /** Guest instructions counted already that were not made. */
  readonly giveBack: number;
  readonly vector?: number | undefined;
  readonly native?: number | undefined;
  /** The counter of quick code that was looked at too: below 0, the function is worth making again. */
  readonly counter?: number | undefined;
}

export type ExitReason =
  /** A check of a memory access failed: the host judges. */
  | 'access'
  | 'exception'
  /** Fuel or depth at a function's entry, fuel at a backward jump. */
  | 'entry'
  /** Depth at the start of a continuation. */
  | 'depth'
  | 'fuel'
  /** A native asked to leave. */
  | 'native'
  /** Goes on in the dispatcher at what SLOT_JUMP holds. */
  | 'jump'
  /** Fuel at an indirect jump backwards, to what SLOT_JUMP holds. */
  | 'jump-back'
  /** Goes on in the dispatcher at `rip`. */
  | 'continue'
  /** The instruction is one for the host: see system.ts. */
  | 'system'
  | 'unsupported';

export function isConst(e: Expr, n?: number): boolean {
  return (
    (e.op === OP['i32.const'] || e.op === OP['i64.const']) &&
    e.big === undefined &&
    (n === undefined || e.n === n)
  );
}

export function make(op: number, width: Width, a?: Expr, b?: Expr, n = 0, c?: Expr, big?: bigint): Expr {
  return { op, width, a, b, c, n, big };
}

// An engine that has seen only numbers in `n` boxes each of them, since some are no small integers.
make(OP.nop, 32, undefined, undefined, null as never);

/** Constants and locals that most functions use, made once: expressions are never changed. */
const SMALLEST = -128;
const SMALL = 256;
const SMALL_32 = Array.from({ length: SMALL - SMALLEST }, (_, i) =>
  constantOf(OP['i32.const'], 32, i + SMALLEST),
);
const SMALL_64 = Array.from({ length: SMALL - SMALLEST }, (_, i) =>
  constantOf(OP['i64.const'], 64, i + SMALLEST),
);
const GET_32 = Array.from({ length: SMALL }, (_, local) => constantOf(OP['local.get'], 32, local));
const GET_64 = Array.from({ length: SMALL }, (_, local) => constantOf(OP['local.get'], 64, local));

function constantOf(code: number, width: Width, n: number): Expr {
  return make(code, width, undefined, undefined, n);
}

export function c32(n: number): Expr {
  const value = n | 0;
  if (value >= SMALLEST && value < SMALL) return SMALL_32[value - SMALLEST]!;
  return constantOf(OP['i32.const'], 32, value);
}

export function c64(n: number): Expr {
  if (n >= SMALLEST && n < SMALL) return SMALL_64[n - SMALLEST]!;
  return constantOf(OP['i64.const'], 64, n);
}

export function cBig(value: bigint): Expr {
  const signed = BigInt.asIntN(64, value);
  const exact = signed >= -(2n ** 53n) && signed <= 2n ** 53n;
  return exact ? c64(Number(signed)) : make(OP['i64.const'], 64, undefined, undefined, 0, undefined, signed);
}

export function constant(width: Width, n: number): Expr {
  return width === 64 ? c64(n) : c32(n);
}

export function get32(local: number): Expr {
  return GET_32[local] ?? constantOf(OP['local.get'], 32, local);
}

export function get64(local: number): Expr {
  return GET_64[local] ?? constantOf(OP['local.get'], 64, local);
}

export function getLocal(local: number, width: Width): Expr {
  if (width === 64) return get64(local);
  return width === 32 ? get32(local) : constantOf(OP['local.get'], width, local);
}

export function guest(reg: number): Expr {
  return get64(GUEST + reg);
}

const COMPARISON = /^i(32|64)\.(eqz|eq|ne|[lg][te]_[su])$/;
const VECTOR = /^(v128|[if]\d+x\d+)\.(?!any_true|bitmask|extract)/;
const NARROW = /^(v128\.any_true|i\d+x\d+\.bitmask|(i8x16|i16x8|i32x4)\.extract_lane.*|f\d\d\.(eq|lt))$/;
const RESULT_WIDTH: readonly Width[] = OP_NAMES.map((name) =>
  name === undefined
    ? 64
    : VECTOR.test(name)
      ? 128
      : NARROW.test(name) || COMPARISON.test(name) || name === 'i32.wrap_i64' || name.startsWith('i32')
        ? 32
        : 64,
);

/**
 * An operator applied; the width of the result follows from it. By its code (`OP['i32.add']`) where much is translated:
 * looking up a name takes longer than all the rest.
 */
export function op(operator: number | OpName, a: Expr, b?: Expr): Expr {
  const code = typeof operator === 'number' ? operator : OP[operator];
  return make(code, RESULT_WIDTH[code]!, a, b);
}

/** The operator on integers of `width` bits, from its 32-bit form: in WebAssembly's numbering they are a constant apart. */
export function sized(code32: number, width: number): number {
  if (width !== 64) return code32;
  return code32 < OP['i64.eqz']
    ? code32 + (OP['i64.eqz'] - OP['i32.eqz'])
    : code32 + (OP['i64.add'] - OP['i32.add']);
}

/** Addition with constants folded in. */
export function add64(a: Expr, n: number): Expr {
  if (n === 0) return a;
  if (isConst(a) && Number.isSafeInteger(a.n + n)) return c64(a.n + n);
  return op(OP['i64.add'], a, c64(n));
}

export function wrap(a: Expr): Expr {
  if (a.op === OP['i64.extend_i32_u'] || a.op === OP['i64.extend_i32_s']) return a.a!;
  if (isConst(a)) return c32(Number(BigInt.asIntN(32, BigInt(a.n))));
  if (a.op === OP['i64.const']) return c32(Number(BigInt.asIntN(32, a.big!)));
  return op(OP['i32.wrap_i64'], a);
}

export function extend(a: Expr): Expr {
  if (isConst(a)) return c64(a.n >>> 0);
  return op(OP['i64.extend_i32_u'], a);
}

export function extendSigned(a: Expr): Expr {
  if (isConst(a)) return c64(a.n);
  return op(OP['i64.extend_i32_s'], a);
}

export function and32(a: Expr, mask: number): Expr {
  return op(OP['i32.and'], a, c32(mask));
}

export function not32(a: Expr): Expr {
  return op(OP['i32.eqz'], a);
}

export function select(condition: Expr, yes: Expr, no: Expr): Expr {
  return make(OP.select, yes.width, yes, no, 0, condition);
}

export function load(operator: number | OpName, at: Expr, offset = 0): Expr {
  const code = typeof operator === 'number' ? operator : OP[operator];
  return make(code, RESULT_WIDTH[code]!, at, undefined, offset);
}

/** A call of helper `n`; up to three arguments. */
export function callHelper(n: number, width: Width, ...args: Expr[]): Expr {
  return make(OP.call, width, args[0], args[1], n, args[2]);
}

// ---- printing

export function printExpr(e: Expr): string {
  if (e.op === OP['local.get']) return localName(e.n);
  if (e.op === OP['i32.const'] || e.op === OP['i64.const']) {
    const value = e.big ?? BigInt(e.n);
    if (value > -10n && value < 10n) return String(value);
    return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
  }
  const name = e.op === OP.call ? `import${e.n}` : OP_NAMES[e.op]!;
  const args = [e.c, e.a, e.b].filter((x) => x !== undefined).map(printExpr);
  if ((name.includes('.load') || name.includes('.store')) && e.n !== 0) args.push(`+0x${e.n.toString(16)}`);
  return `${name}(${args.join(', ')})`;
}

export function printStmt(s: Stmt, indent = ''): string {
  switch (s.kind) {
    case 'set':
      return `${indent}${localName(s.local)} = ${printExpr(s.value)}`;
    case 'store':
      return `${indent}${OP_NAMES[s.op]!}(${printExpr(s.at)}${s.offset === 0 ? '' : `, +0x${s.offset.toString(16)}`}) = ${printExpr(s.value)}`;
    case 'eval':
      return `${indent}${printExpr(s.value)}`;
    case 'if': {
      const lines = [
        `${indent}if ${printExpr(s.condition)}`,
        ...s.yes.map((t) => printStmt(t, `${indent}  `)),
      ];
      if (s.no.length > 0) {
        lines.push(`${indent}else`, ...s.no.map((t) => printStmt(t, `${indent}  `)));
      }
      return lines.join('\n');
    }
    case 'loop':
      return [
        `${indent}repeat`,
        ...s.body.map((t) => printStmt(t, `${indent}  `)),
        `${indent}while ${printExpr(s.again)}`,
      ].join('\n');
    case 'check':
      return `${indent}check ${s.write ? 'store' : 'load'} of ${s.bytes} at ${printExpr(s.ea)}${s.sign ? '' : ', sign known'}`;
    case 'exit':
      return `${indent}exit ${s.exit.reason}${s.condition === undefined ? '' : ` if ${printExpr(s.condition)}`}`;
    case 'sync':
      return `${indent}sync ${registerMask(s.exit.dirty)}`;
    case 'leave':
      return `${indent}leave ${printExpr(s.rip)}${s.condition === undefined ? '' : ` if ${printExpr(s.condition)}`}`;
    case 'mark':
      return `${indent}; ${printInstruction(s.ins)}`;
  }
}

function registerMask(mask: number): string {
  return Array.from({ length: 16 }, (_, i) => i)
    .filter((i) => mask & (1 << i))
    .map((i) => registerName(i))
    .join(' ');
}
