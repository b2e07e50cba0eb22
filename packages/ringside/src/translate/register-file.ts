import { addrFromParts, addrToU64, type GuestAddr, isCanonical } from '../bytes/index.ts';
import { ENGINE_START, type GuestMemory } from '../memory/index.ts';
import { computeCommonFlags, computeFlags } from './flags.ts';

/** Register numbers as the encoding has them. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;

/** Slots of 8 bytes in the register file. */
export const SLOT_RIP = 16;
export const SLOT_RFLAGS = 17;
export const SLOT_FS_BASE = 18;
export const SLOT_GS_BASE = 19;
/** Slots that make up a task's state. */
export const STATE_SLOTS = 20;

/** Lazy flags: kind and operands; see flags.ts. */
export const SLOT_FKIND = 24;
export const SLOT_FA = 25;
export const SLOT_FB = 26;
export const SLOT_FC = 27;

/** Not 0 when the context has used x87, MMX or SSE registers: only then are they part of its state. */
export const SLOT_FPU_USED = 32;

/** Where the registers of x87, MMX and SSE are, in the form of `fxsave` (but R0 to R7 where that has ST0 to ST7). */
export const FPU_AREA = ENGINE_START + 512;
export const FPU_BYTES = 416;
/** Offsets in it. Source: SDM vol. 1, table 10-2. */
export const FPU_FCW = 0;
export const FPU_FSW = 2;
export const FPU_FTW = 4;
export const FPU_FOP = 6;
export const FPU_FIP = 8;
export const FPU_FDP = 16;
export const FPU_MXCSR = 24;
export const FPU_ST = 32;
export const FPU_XMM = 160;
/** 128 bytes for what goes between translated code and `fpu/`. */
export const FPU_SCRATCH = FPU_AREA + 512;
const FPU_SLOTS = FPU_BYTES / 8;
/** Values after reset of FCW and of MXCSR with its mask. */
const FCW_INITIAL = 0x37f;
const MXCSR_INITIAL = 0xffff_0000_1f80n;

const ARITHMETIC_FLAGS = 0x8d5;

/** Where the register file is in the guest's memory (an offset below all regions). */
export const REGISTER_FILE = ENGINE_START;

/** RFLAGS bits. Source: SDM vol. 1, 3.4.3. */
export const FLAG = {
  CF: 1,
  PF: 4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  AC: 0x4_0000,
} as const;

/**
 * The registers a stopped context is made of, besides its stack: `STATE_SLOTS` 64-bit values, and behind them the
 * x87 and SSE registers if it has used them.
 */
export type RegisterState = BigUint64Array<ArrayBuffer>;

/**
 * The registers of the running context, in the guest's memory at a constant offset, where translated code stores
 * and loads them at calls. Exact whenever `Cpu.run` is not inside translated code, and inside natives.
 */
export class RegisterFile {
  readonly slots: BigUint64Array;
  readonly #u32: Uint32Array;
  readonly #i32: Int32Array;
  /** x87 and SSE registers, see `FPU_AREA`. */
  readonly fpu: BigUint64Array;
  /** Told of states that are saved and loaded: who knows more of the registers than their values keeps that with them. */
  onSave: ((state: RegisterState) => void) | undefined;
  onLoad: ((state: RegisterState) => void) | undefined;
  /** Told of registers in which a function of ours looks for an argument, and of how many of their bits. */
  onArgument: ((slot: number, width: number) => void) | undefined;

  constructor(memory: GuestMemory) {
    this.slots = new BigUint64Array(memory.wasm.buffer, REGISTER_FILE, 64);
    this.#u32 = new Uint32Array(memory.wasm.buffer, REGISTER_FILE, 128);
    this.#i32 = new Int32Array(memory.wasm.buffer, REGISTER_FILE, 128);
    this.fpu = new BigUint64Array(memory.wasm.buffer, FPU_AREA, FPU_SLOTS);
    this.#resetFpu();
  }

  /**
   * Brings the arithmetic flags, which translated code leaves as the operands of the last instruction that set
   * them, into RFLAGS. The accessors do it by themselves; code that reads `slots` directly calls it first.
   */
  settleFlags(): void {
    const kind = this.#i32[2 * SLOT_FKIND]!;
    if (kind === 0) return;
    this.#i32[2 * SLOT_FKIND] = 0;
    const w = this.#i32;
    const a = 2 * SLOT_FA;
    const b = 2 * SLOT_FB;
    let flags = computeCommonFlags(kind, w[a]!, w[a + 1]!, w[b]!, w[b + 1]!, w[2 * SLOT_FC]!);
    if (flags < 0) {
      const s = this.slots;
      flags = computeFlags(kind, s[SLOT_FA]!, s[SLOT_FB]!, s[SLOT_FC]!, this.#u32[2 * SLOT_RFLAGS]!);
    }
    this.#u32[2 * SLOT_RFLAGS] = (this.#u32[2 * SLOT_RFLAGS]! & ~ARITHMETIC_FLAGS) | flags;
  }

  u64(slot: number): bigint {
    if (slot === SLOT_RFLAGS) this.settleFlags();
    return this.slots[slot]!;
  }

  i64(slot: number): bigint {
    if (slot === SLOT_RFLAGS) this.settleFlags();
    return BigInt.asIntN(64, this.slots[slot]!);
  }

  u32(slot: number): number {
    if (slot === SLOT_RFLAGS) this.settleFlags();
    return this.#u32[2 * slot]!;
  }

  i32(slot: number): number {
    if (slot === SLOT_RFLAGS) this.settleFlags();
    return this.#i32[2 * slot]!;
  }

  /** The upper half of the register, signed. */
  i32Upper(slot: number): number {
    return this.#i32[2 * slot + 1]!;
  }

  /** The register as an address, or as a signed 64-bit number where it is below 2^47 in size. */
  addr(slot: number): GuestAddr {
    return addrFromParts(this.#i32[2 * slot + 1]!, this.#u32[2 * slot]!);
  }

  setU64(slot: number, value: bigint): void {
    if (slot === SLOT_RFLAGS) this.#i32[2 * SLOT_FKIND] = 0;
    this.slots[slot] = value;
  }

  /** Sets the 64-bit register to an address or a signed number. */
  setAddr(slot: number, value: number): void {
    if (isCanonical(value)) {
      this.#u32[2 * slot] = value >>> 0;
      this.#i32[2 * slot + 1] = Math.floor(value / 2 ** 32);
    } else this.slots[slot] = addrToU64(value);
  }

  /** Sets the register to a 32-bit value, zero-extended as a 32-bit move does. */
  setU32(slot: number, value: number): void {
    if (slot === SLOT_RFLAGS) this.#i32[2 * SLOT_FKIND] = 0;
    this.#u32[2 * slot] = value >>> 0;
    this.#i32[2 * slot + 1] = 0;
  }

  get rip(): GuestAddr {
    return this.addr(SLOT_RIP);
  }

  set rip(value: GuestAddr) {
    this.setAddr(SLOT_RIP, value);
  }

  get rsp(): GuestAddr {
    return this.addr(RSP);
  }

  set rsp(value: GuestAddr) {
    this.setAddr(RSP, value);
  }

  /** A copy of the state, to be loaded again when its context goes on. */
  save(): RegisterState {
    this.settleFlags();
    let state: RegisterState;
    if (this.#i32[2 * SLOT_FPU_USED] === 0) state = this.slots.slice(0, STATE_SLOTS) as RegisterState;
    else {
      state = new BigUint64Array(STATE_SLOTS + FPU_SLOTS);
      state.set(this.slots.subarray(0, STATE_SLOTS));
      state.set(this.fpu, STATE_SLOTS);
    }
    this.onSave?.(state);
    return state;
  }

  load(state: RegisterState): void {
    this.onLoad?.(state);
    this.#i32[2 * SLOT_FKIND] = 0;
    if (state.length > STATE_SLOTS) {
      this.slots.set(state.subarray(0, STATE_SLOTS));
      this.fpu.set(state.subarray(STATE_SLOTS));
      this.#i32[2 * SLOT_FPU_USED] = 1;
    } else {
      this.slots.set(state);
      if (this.#i32[2 * SLOT_FPU_USED] !== 0) this.#resetFpu();
    }
  }

  #resetFpu(): void {
    this.fpu.fill(0n);
    this.fpu[0] = BigInt(FCW_INITIAL);
    this.fpu[FPU_MXCSR / 8] = MXCSR_INITIAL;
    this.#i32[2 * SLOT_FPU_USED] = 0;
  }
}
