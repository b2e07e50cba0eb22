import { addrToU64, InvariantError, isCanonical } from '../bytes/index.ts';
import { HIGH_HALVES, HIGH_HALVES_SHIFT, highHalfOf, SHADOW_BASE } from '../memory/index.ts';
import { OP } from '../wasm/index.ts';
import { FS, type Instruction, NO_REGISTER, type Operand } from '../x86/index.ts';
import type { AccessPlan, FamilyAccess, FrameAccess } from './access-plan.ts';
import { HELPER, slotOffset } from './engine-layout.ts';
import { FlagState } from './flag-state.ts';
import {
  add64,
  and32,
  c32,
  c64,
  callHelper,
  cBig,
  type Exit,
  type ExitReason,
  type Expr,
  extend,
  extendSigned,
  FIRST_TEMP,
  GUEST,
  get32,
  getLocal,
  guest,
  isConst,
  load,
  make,
  op,
  STACK,
  type Stmt,
  type Width,
  wrap,
} from './ir.ts';
import type { GateCheck } from './loop-copies.ts';
import { RSP, SLOT_FS_BASE, SLOT_GS_BASE } from './register-file.ts';

/** How memory accesses are made. `hosted`: each through a function of the host, for single steps. */
export type MemoryMode = 'plain' | 'checked' | 'hosted';

/** A checked memory operand: where its bytes are in the guest's memory. */
export interface MemoryRef {
  readonly at: Expr;
  readonly offset: number;
  readonly hosted: boolean;
}

/** Temporary locals of a function, used again from instruction to instruction. */
export class Temps {
  readonly widths: Width[] = [];
  readonly #lowBytes: (number | undefined)[] = [];
  readonly #pools = { 32: new Pool(), 64: new Pool(), 128: new Pool() };

  take(width: Width): number {
    const pool = width === 64 ? this.#pools[64] : width === 32 ? this.#pools[32] : this.#pools[128];
    if (pool.used === pool.locals.length) {
      pool.locals.push(FIRST_TEMP + this.widths.length);
      this.widths.push(width);
    }
    return pool.locals[pool.used++]!;
  }

  /** The local for the low byte of a register. */
  lowByte(r: number): number {
    const local = this.#lowBytes[r] ?? this.keep(32);
    this.#lowBytes[r] = local;
    return local;
  }

  /** A local that stays taken. */
  keep(width: Width): number {
    this.widths.push(width);
    return FIRST_TEMP + this.widths.length - 1;
  }

  /** Begins a new instruction: all temporaries are free again. */
  reset(): void {
    this.#pools[32].used = 0;
    this.#pools[64].used = 0;
    this.#pools[128].used = 0;
  }
}

/** Temporaries of one width: the first `used` are taken. */
class Pool {
  readonly locals: number[] = [];
  used = 0;
}

const NO_MORE: Partial<Exit> = {};

/** What lifting one basic block needs and collects. */
export class LiftContext {
  readonly mode: MemoryMode;
  readonly temps: Temps;
  readonly flags: FlagState;
  stmts: Stmt[] = [];
  /** Guest registers read before they are written, and written. */
  uses = 0;
  defs = 0;
  /** The exits made, whose `dirty` gets the registers that were dirty at the block's start. */
  readonly exits: { exit: Exit; defs: number }[] = [];
  /** All exits of the function. */
  allExits: Exit[] = [];
  plan: AccessPlan | undefined;
  /** Whether checks look at the whole upper half of addresses. */
  exact = false;
  /** Of a loop's copy, the locals that its gate has set: where each family's lowest byte is. */
  families: readonly number[] = [];
  /** The instruction being lifted, its place in the block, and how many of the block's instructions are not made before it. */
  ins!: Instruction;
  position = 0;
  notMade = 0;
  /** Whether anything can look at all flags after this instruction, and which of them later instructions read. */
  flagsObserved = true;
  flagsNeeded = 0;
  /** Set when an instruction ends the block for the host. */
  ended = false;
  /** The block has told already that it uses x87 or SSE registers. */
  usesFpu = false;
  /** The register file is exact: exits store nothing. */
  synced = false;
  /** Registers whose low byte is in a local of its own, having been written alone: what reads it needs not take the register apart. */
  #lowBytes = 0;
  /** How far the stack pointer is from its local. */
  #stackMoved = 0;
  /** The flag state that the block was lifted from. */
  readonly kindIn: number;

  constructor(mode: MemoryMode, temps: Temps, kindIn: number, explicitIn: number) {
    this.mode = mode;
    this.kindIn = kindIn;
    this.temps = temps;
    this.flags = new FlagState(this, kindIn, explicitIn);
  }

  // ---- statements

  emit(stmt: Stmt): void {
    this.stmts.push(stmt);
  }

  set(local: number, value: Expr): void {
    this.stmts.push({ kind: 'set', local, value });
  }

  /** Runs `body` with its statements collected apart. */
  collect(body: () => void): Stmt[] {
    this.flushStack();
    this.#lowBytes = 0;
    const outer = this.stmts;
    const inner: Stmt[] = [];
    this.stmts = inner;
    body();
    this.stmts = outer;
    this.#lowBytes = 0;
    return inner;
  }

  /** The value in a temporary, evaluated now. Constants stay as they are. */
  hold(value: Expr): Expr {
    if (isConst(value)) return value;
    const local = this.temps.take(value.width);
    this.set(local, value);
    return getLocal(local, value.width);
  }

  exit(reason: ExitReason, condition?: Expr, more: Partial<Exit> = NO_MORE): void {
    this.emit({ kind: 'exit', condition, exit: this.#exitTo(reason, more) });
  }

  #exitTo(reason: ExitReason, more: Partial<Exit>): Exit {
    this.flushStack();
    const exit: Exit = {
      reason,
      rip: more.rip ?? this.ins.addr,
      dirty: 0,
      flags: more.flags ?? this.flags.kind,
      giveBack: more.giveBack ?? this.notMade,
      vector: more.vector,
      native: more.native,
      counter: more.counter,
    };
    if (!this.synced) this.exits.push({ exit, defs: this.defs });
    this.allExits.push(exit);
    return exit;
  }

  /** Stores the dirty registers and the flags: the register file is exact from here. */
  sync(): void {
    this.flushStack();
    const exit: Exit = {
      reason: 'continue',
      rip: 0,
      dirty: 0,
      flags: 0,
      giveBack: 0,
      vector: undefined,
      native: undefined,
      counter: undefined,
    };
    this.exits.push({ exit, defs: this.defs });
    this.emit({ kind: 'sync', exit });
    this.flags.store();
    this.flags.inMemory();
    this.synced = true;
  }

  exception(vector: number, condition?: Expr): void {
    this.exit('exception', condition, { vector });
  }

  // ---- registers

  reg(r: number): Expr {
    if (r === RSP) this.flushStack();
    if ((this.defs & (1 << r)) === 0) this.uses |= 1 << r;
    return guest(r);
  }

  setReg(r: number, value: Expr): void {
    if (r === RSP) this.#stackMoved = 0;
    this.#lowBytes &= ~(1 << r);
    this.defs |= 1 << r;
    this.set(GUEST + r, value);
  }

  /**
   * The stack pointer moves. The local follows when something looks: several pushes in a row are one addition.
   */
  moveStack(by: number): void {
    this.#stackMoved += by;
  }

  flushStack(): void {
    const by = this.#stackMoved;
    if (by === 0) return;
    this.#stackMoved = 0;
    this.setReg(RSP, add64(this.reg(RSP), by));
  }

  /** The low `size` bits of a register: 64-bit for 64, else 32-bit and zero-extended. */
  readReg(r: number, size: number, high = false): Expr {
    const value = this.reg(r);
    if (size === 64) return value;
    if (high) return and32(op(OP['i32.shr_u'], wrap(value), c32(8)), 0xff);
    if (size === 32) return wrap(value);
    if (size === 8 && (this.#lowBytes & (1 << r)) !== 0) return get32(this.temps.lowByte(r));
    return and32(wrap(value), size === 8 ? 0xff : 0xffff);
  }

  /** Writes the low `size` bits; bits of `value` above them are ignored. 32-bit writes clear the upper half. */
  writeReg(r: number, size: number, value: Expr, high = false): void {
    if (size === 64) this.setReg(r, value);
    else if (size === 32) this.setReg(r, extend(value));
    else {
      const mask = size === 8 ? 0xff : 0xffff;
      let low = isConst(value) ? c32(value.n & mask) : and32(value, mask);
      const keepsLow = size === 8 && !high && this.mode !== 'hosted';
      if (keepsLow) {
        this.set(this.temps.lowByte(r), low);
        low = get32(this.temps.lowByte(r));
      }
      const part = extend(low);
      const old = this.reg(r);
      if (high) {
        this.setReg(
          r,
          op(OP['i64.or'], op(OP['i64.and'], old, c64(-0xff01)), op(OP['i64.shl'], part, c64(8))),
        );
      } else this.setReg(r, op(OP['i64.or'], op(OP['i64.and'], old, c64(-1 - mask)), part));
      if (keepsLow) this.#lowBytes |= 1 << r;
    }
  }

  // ---- memory

  /** The linear address of the memory operand. */
  address(ins: Instruction = this.ins): Expr {
    let ea: Expr | undefined;
    if (ins.base !== NO_REGISTER) ea = this.reg(ins.base);
    if (ins.index !== NO_REGISTER) {
      const index = this.reg(ins.index);
      const scaled = ins.scale === 0 ? index : op(OP['i64.shl'], index, c64(ins.scale));
      ea = ea === undefined ? scaled : op(OP['i64.add'], ea, scaled);
    }
    if (!isCanonical(ins.displacement)) ea = cBig(addrToU64(ins.displacement));
    else ea = ea === undefined ? c64(ins.displacement) : add64(ea, ins.displacement);
    if (ins.address32) ea = extend(wrap(ea));
    if (ins.segment !== NO_REGISTER) ea = op(OP['i64.add'], this.segmentBase(ins.segment), ea);
    return ea;
  }

  segmentBase(segment: number): Expr {
    return load(OP['i64.load'], c32(0), slotOffset(segment === FS ? SLOT_FS_BASE : SLOT_GS_BASE));
  }

  /**
   * Checks an access of `bytes` bytes and gives where it is. `key` tells the plan which access of the instruction
   * it is (0: the memory operand, 1: the stack).
   */
  access(ea: Expr, bytes: number, write: boolean, key = 0): MemoryRef {
    if (this.mode === 'hosted') return { at: this.hold(ea), offset: 0, hosted: true };
    const planned = this.plan?.covers(this.position, key);
    if (typeof planned === 'object' && 'frame' in planned) return frameRef(planned);
    if (typeof planned === 'object' && 'family' in planned) return this.#familyRef(planned);
    if (planned === 'checked' || this.mode === 'plain') return this.plainRef(ea);
    const held = this.hold(ea);
    if (planned !== undefined) {
      // The first of a group: one check for all.
      const low = planned.offset === 0 ? held : this.hold(add64(held, planned.offset));
      this.check(low, planned.bytes, planned.write, planned.sign);
      return { at: wrap(held), offset: 0, hosted: false };
    }
    this.check(held, bytes, write, true);
    return { at: wrap(held), offset: 0, hosted: false };
  }

  /** As `access`, of the instruction's memory operand. */
  operandAccess(bytes: number, write: boolean): MemoryRef {
    const planned = this.plan?.covers(this.position, 0);
    if (typeof planned === 'object' && 'frame' in planned) return frameRef(planned);
    if (typeof planned === 'object' && 'family' in planned) return this.#familyRef(planned);
    return this.access(this.address(), bytes, write);
  }

  /** As `access`, of the stack, so far from its pointer. */
  stackAccess(offset: number, bytes: number, write: boolean): MemoryRef {
    const planned = this.plan?.covers(this.position, 1);
    if (typeof planned === 'object' && 'frame' in planned) return frameRef(planned);
    return this.access(add64(this.reg(RSP), offset), bytes, write, 1);
  }

  #familyRef(access: FamilyAccess): MemoryRef {
    return { at: get32(this.families[access.family]!), offset: access.offset, hosted: false };
  }

  /** The place of an access that needs no check: small displacements become the instruction's offset. */
  plainRef(ea: Expr): MemoryRef {
    if (ea.op === OP['i64.add'] && ea.b !== undefined && isConst(ea.b) && ea.b.n >= 0 && ea.b.n < 0x1_0000) {
      return { at: this.hold(wrap(ea.a!)), offset: ea.b.n, hosted: false };
    }
    if (isConst(ea)) return { at: wrap(ea), offset: 0, hosted: false };
    return { at: this.hold(wrap(ea)), offset: 0, hosted: false };
  }

  /** Leaves when bytes of `[ea, ea + bytes)` may not be accessed; up to 57 bytes. */
  check(ea: Expr, bytes: number, write: boolean, sign: boolean): void {
    const exit = this.#exitTo('access', NO_MORE);
    const fixed = ea.op === OP['i64.const'];
    if (fixed && this.#isWrong(ea.big ?? BigInt(ea.n)))
      this.emit({ kind: 'exit', condition: undefined, exit });
    else if (this.exact) this.emit({ kind: 'check', ea, bytes, write, sign: false, exact: !fixed, exit });
    else this.emit({ kind: 'check', ea, bytes, write, sign: sign && !fixed, exact: false, exit });
  }

  /** Whether nothing can be at a constant address: in the lower half; in exact code also with an upper half of no region. */
  #isWrong(address: bigint): boolean {
    const high = Number(BigInt.asIntN(32, address >> 32n));
    return high >= 0 || (this.exact && high !== highHalfOf(Number(BigInt.asUintN(32, address))));
  }

  /** Not 0 when the upper half of an address is not that of the region that its lower half is in. */
  #wrongHalf(ea: Expr): Expr {
    const entry = and32(op(OP['i32.shr_u'], wrap(ea), c32(HIGH_HALVES_SHIFT - 2)), 0x3fc);
    const high = wrap(op(OP['i64.shr_u'], ea, c64(32)));
    return op(OP['i32.xor'], high, load(OP['i32.load'], entry, HIGH_HALVES));
  }

  /**
   * Sets the locals of a loop's families to where their lowest bytes are. With checks, whether the bytes are not all valid
   * for certain.
   */
  gateChecks(checks: readonly GateCheck[], families: readonly number[]): Expr | undefined {
    let bits: Expr | undefined;
    let signs: Expr | undefined;
    for (const [i, check] of checks.entries()) {
      let ea: Expr = check.base < 0 ? c64(check.low) : add64(this.reg(check.base), check.low);
      if (check.index >= 0) {
        const index = this.reg(check.index);
        ea = op(OP['i64.add'], check.scale === 0 ? index : op(OP['i64.shl'], index, c64(check.scale)), ea);
      }
      const held = this.hold(ea);
      this.set(families[i]!, wrap(held));
      if (this.mode !== 'checked') continue;
      if (this.exact) {
        const wrongHalf = extend(this.#wrongHalf(held));
        bits = bits === undefined ? wrongHalf : op(OP['i64.or'], bits, wrongHalf);
      } else signs = signs === undefined ? held : op(OP['i64.and'], signs, held);
      const wrong = notWhole(op(OP['i32.shr_u'], get32(families[i]!), c32(3)), check.bytes, check.write);
      bits = bits === undefined ? wrong : op(OP['i64.or'], bits, wrong);
    }
    if (bits === undefined) return undefined;
    const wrong = op(OP['i64.ne'], bits, c64(0));
    return signs === undefined ? wrong : op(OP['i32.or'], wrong, op(OP['i64.ge_s'], signs, c64(0)));
  }

  /** Reads `bytes` bytes, zero-extended: 64-bit for 8 bytes, else 32-bit. */
  loadFrom(ref: MemoryRef, bytes: number, displacement = 0): Expr {
    if (ref.hosted) {
      const at = displacement === 0 ? ref.at : add64(ref.at, displacement);
      const value = this.hold(callHelper(HELPER.hostLoad, 64, at, c32(bytes)));
      return bytes === 8 ? value : wrap(value);
    }
    const code =
      bytes === 8
        ? OP['i64.load']
        : bytes === 4
          ? OP['i32.load']
          : bytes === 2
            ? OP['i32.load16_u']
            : OP['i32.load8_u'];
    return load(code, ref.at, ref.offset + displacement);
  }

  storeTo(ref: MemoryRef, bytes: number, value: Expr, displacement = 0): void {
    if (ref.hosted) {
      const at = displacement === 0 ? ref.at : add64(ref.at, displacement);
      const wide = value.width === 64 ? value : extend(value);
      this.emit({
        kind: 'eval',
        value: make(OP.call, 64, at, wide, HELPER.hostStore, c32(bytes)),
        drop: false,
      });
      return;
    }
    const wide = value.width === 64;
    const code =
      bytes === 8
        ? OP['i64.store']
        : bytes === 4
          ? wide
            ? OP['i64.store32']
            : OP['i32.store']
          : bytes === 2
            ? wide
              ? OP['i64.store16']
              : OP['i32.store16']
            : wide
              ? OP['i64.store8']
              : OP['i32.store8'];
    const stored = bytes < 4 ? unmasked(value, bytes === 1 ? 0xff : 0xffff) : value;
    this.emit({ kind: 'store', op: code, at: ref.at, offset: ref.offset + displacement, value: stored });
  }

  // ---- operands

  operand(k: number): Operand {
    const operand = this.ins.operands[k];
    if (operand === undefined) throw new InvariantError(`${this.ins.name} has no operand ${k}`);
    return operand;
  }

  /** Reads an operand that is not written: 64-bit for 64, else 32-bit and zero-extended (immediates: sign-extended to it). */
  read(k: number): Expr {
    const o = this.operand(k);
    switch (o.kind) {
      case 'reg':
        return this.readReg(o.reg, o.size, o.high);
      case 'mem':
        return this.hold(this.loadFrom(this.operandAccess(o.size >> 3, false), o.size >> 3));
      case 'imm':
        return this.immediate(o, o.size);
      default:
        throw new InvariantError(`operand ${k} of ${this.ins.name} has no value`);
    }
  }

  immediate(o: Operand, size: number): Expr {
    if (o.big !== undefined) return cBig(o.big);
    if (size === 64) return c64(o.value);
    return c32(size === 32 ? o.value : o.value & (size === 8 ? 0xff : 0xffff));
  }

  /** The operand as 64 bits with anything above its width: what flags keep of it. */
  wide(value: Expr): Expr {
    return value.width === 64 ? value : extend(value);
  }

  write(k: number, value: Expr, ref?: MemoryRef): void {
    const o = this.operand(k);
    if (o.kind === 'reg') this.writeReg(o.reg, o.size, value, o.high);
    else this.storeTo(ref ?? this.operandAccess(o.size >> 3, true), o.size >> 3, value);
  }

  /**
   * An operand that is read and written: its value, and where it is when it is memory (checked as a write, so
   * that nothing happens after a fault).
   */
  modify(k: number): { value: Expr; ref: MemoryRef | undefined } {
    const o = this.operand(k);
    if (o.kind === 'reg') return { value: this.readReg(o.reg, o.size, o.high), ref: undefined };
    const ref = this.operandAccess(o.size >> 3, true);
    return { value: this.hold(this.loadFrom(ref, o.size >> 3)), ref };
  }

  /** Sign-extends a value of `size` bits to its width. */
  signed(value: Expr, size: number): Expr {
    if (size === 8) return op(OP['i32.extend8_s'], value);
    if (size === 16) return op(OP['i32.extend16_s'], value);
    return value;
  }

  /** Widens a value of `size` bits to 64, with or without its sign. */
  to64(value: Expr, size: number, signed: boolean): Expr {
    if (size === 64) return value;
    return signed ? extendSigned(this.signed(value, size)) : extend(value);
  }
}

/** A value without an `and` that a narrow store makes by itself. */
function unmasked(value: Expr, mask: number): Expr {
  const masked = value.op === OP['i32.and'] && value.b !== undefined && isConst(value.b, mask);
  return masked ? value.a! : value;
}

function frameRef(access: FrameAccess): MemoryRef {
  return { at: get32(STACK), offset: access.frame, hosted: false };
}

/** Not 0 when granules of up to 57 bytes are not all whole or, for a write, not all writable. */
function notWhole(granule: Expr, bytes: number, write: boolean): Expr {
  const granules = (bytes + 14) >>> 3;
  const mask = granules >= 8 ? 0xffff_ffff_ffff_ffffn : (1n << BigInt(8 * granules)) - 1n;
  const code = bytes === 1 ? OP['i64.load8_u'] : bytes <= 9 ? OP['i64.load16_u'] : OP['i64.load'];
  const shadow = load(code, granule, SHADOW_BASE);
  const relevant = mask & (write ? -1n : 0x8888_8888_8888_8888n);
  const loaded = bytes === 1 ? 0xffn : bytes <= 9 ? 0xffffn : 0xffff_ffff_ffff_ffffn;
  const looked = relevant === loaded ? shadow : op(OP['i64.and'], shadow, cBig(relevant));
  return op(OP['i64.xor'], looked, cBig(0x0808_0808_0808_0808n & mask));
}
