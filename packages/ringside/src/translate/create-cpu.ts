import {
  addrFromU64,
  asAddr,
  type GuestAddr,
  hex64,
  InvariantError,
  isCanonical,
  UnsupportedError,
} from '../bytes/index.ts';
import type { FaultReason, GuestMemory } from '../memory/index.ts';
import { type Instruction, isInstruction, printInstruction } from '../x86/index.ts';
import { accessesOf, type DataAccess } from './accesses.ts';
import { CONTINUE_SITE, CodeCache, NATIVE_SITE } from './code-cache.ts';
import {
  type Cpu,
  type CpuException,
  type CpuOptions,
  type CpuPoison,
  type InstructionFollower,
  type Stop,
  VECTOR,
} from './cpu.ts';
import { DebugPoints, type Watchpoint } from './debug-points.ts';
import {
  SLOT_CALLEE,
  SLOT_EXIT,
  SLOT_FKIND,
  SLOT_FUEL,
  SLOT_HIGH,
  SLOT_JUMP,
  slotOffset,
} from './engine-layout.ts';
import { CPU_FEATURES, FeatureSet } from './features.ts';
import { SseUnit, X87Unit } from './fpu/index.ts';
import { fetch, isMadeByHost, readOne, type TextSource } from './guest-function.ts';
import type { Exit } from './ir.ts';
import type { Tier } from './lift-function.ts';
import { printListing } from './listing.ts';
import { FPU_AREA, FPU_FIP, FPU_MXCSR, FPU_SCRATCH, RCX, RegisterFile } from './register-file.ts';
import { BareSystem, type SystemMemory } from './system-instructions.ts';

/** Host stack that translated frames may take, in units of 64 bytes (384 KiB). */
const DEPTH_BUDGET = 6144;
/** Enough for the translation to be paid back soon, few enough to be there when it matters. */
const HOT_AFTER = 1000;
/** About a million guest instructions. */
const CODE_BYTES = 64 * 2 ** 20;
/**
 * A context that avoids all switch points (a loop made of returns alone) is stopped so many instructions later anyway:
 * more than the longest way between two of them in one translation.
 */
const HARD_LIMIT = -(2 ** 14);
/** Error code bits of #PF. Source: SDM vol. 3, 4.7. */
const PF_PRESENT = 1;
const PF_WRITE = 2;
const PF_FETCH = 0x10;
/** #SS is not among the vectors that kernels see often enough to have a name in VECTOR. */
const VECTOR_SS = 12;
const CR0_WP = 1 << 16;

/** Makes a processor over a guest's memory. */
export function createCpu(options: CpuOptions): Cpu {
  return new TranslatingCpu(options);
}

class TranslatingCpu implements Cpu {
  readonly regs: RegisterFile;
  readonly #options: CpuOptions;
  readonly #memory: GuestMemory;
  readonly #text: TextSource;
  readonly #cache: CodeCache;
  readonly #fuel: Int32Array;
  readonly #jump: BigUint64Array;
  readonly #system;
  readonly #debug: DebugPoints;
  readonly #x87: X87Unit;
  readonly #sse: SseUnit;
  readonly #follower: InstructionFollower | undefined;
  readonly #systemMemory: SystemMemory = {
    read: (addr, size) => this.#hostLoad(addr, size),
    write: (addr, size, value) => this.#hostStore(addr, value, size),
  };
  #retired = 0;
  #given = 0;
  #running = false;
  /** The native that was reached through the table and asked to leave. */
  #leavingNative = 0;
  /** Where the dispatcher goes on after CONTINUE_SITE. */
  #continueAt = 0;
  /** Runs of translated code on the host's stack. */
  #nesting = 0;
  /** The text changed below frames of translated code: they must not go on. */
  #resumeAfterNative = false;

  constructor(options: CpuOptions) {
    this.#options = options;
    this.#memory = options.memory;
    this.regs = new RegisterFile(options.memory);
    this.#follower = options.follower?.(this.regs);
    this.#system = options.system ?? new BareSystem();
    // A kernel that listens itself calls `invalidate` from there.
    this.#memory.onTextChange ??= (addr, size) => this.invalidate(addr, size);
    this.#fuel = new Int32Array(options.memory.wasm.buffer, slotOffset(0), 128);
    this.#jump = new BigUint64Array(options.memory.wasm.buffer, slotOffset(0), 64);
    const memory = options.memory;
    this.#x87 = new X87Unit(memory.wasm.buffer, FPU_AREA, FPU_SCRATCH, () => this.#x87Opcode());
    this.#sse = new SseUnit(memory.wasm.buffer, FPU_AREA + FPU_MXCSR, FPU_SCRATCH);
    this.#debug = new DebugPoints(memory);
    const { breakpoints } = this.#debug;
    this.#text = {
      bytes: memory.raw,
      fetchable: (addr) => {
        const reason = memory.faultReason(asAddr(addr), 1, 'execute');
        return reason === undefined || reason === 'poison';
      },
      functionAt: (addr) => options.functionAt?.(asAddr(addr)),
      features: new FeatureSet(options.features ?? new Set(CPU_FEATURES)),
      thunkAt: (addr) => options.thunkAt?.(asAddr(addr)),
      stopsAt: (addr) => breakpoints.has(addr),
    };
    this.#cache = new CodeCache(
      {
        memory: memory.wasm,
        text: this.#text,
        checked: options.checked ?? true,
        exact: options.exact ?? false,
        stepped: this.#follower !== undefined || (options.stepped ?? false),
        hotAfter: options.hotAfter ?? HOT_AFTER,
        codeBytes: options.codeBytes ?? CODE_BYTES,
        nativeAt: (addr) => (breakpoints.has(addr) ? -1 : options.natives.indexAt(asAddr(addr))),
      },
      {
        invoke: (index: number) => this.#invoke(index),
        resolve: (addr: bigint) => this.#resolve(addr),
        settle: () => {
          this.regs.settleFlags();
          return 0;
        },
        hostLoad: (addr: bigint, size: number) => this.#hostLoad(addr, size),
        hostStore: (addr: bigint, value: bigint, size: number) => this.#hostStore(addr, value, size),
        divide: (high: bigint, low: bigint, by: bigint) => this.#divide(high, low, by, false),
        divideSigned: (high: bigint, low: bigint, by: bigint) => this.#divide(high, low, by, true),
        translate: () => this.#translate(),
        x87: (code: number) => this.#x87.execute(code),
        sse: (code: number) => this.#sse.execute(code),
      },
    );
  }

  get retired(): number {
    return this.#retired + (this.#running ? this.#given - this.#fuel[2 * SLOT_FUEL]! : 0);
  }

  run(fuel: number): Stop {
    if (this.#running) throw new InvariantError('Cpu.run called from inside Cpu.run');
    this.#running = true;
    this.#given = fuel;
    this.#fuel[2 * SLOT_FUEL] = fuel;
    try {
      for (;;) {
        const stop = (this.#steps ? this.#goOne() : this.#go()) ?? this.#debug.takePending();
        if (stop !== undefined) return stop;
      }
    } finally {
      this.#retired += this.#given - this.#fuel[2 * SLOT_FUEL]!;
      this.#running = false;
    }
  }

  spend(fuel: number): void {
    if (!this.#running) return;
    this.#given -= fuel;
    this.#fuel[2 * SLOT_FUEL]! -= fuel;
  }

  /** Without checks nothing sees an access to watched memory: then every instruction is made on its own. */
  get #steps(): boolean {
    return (
      this.#follower !== undefined ||
      this.#options.stepped === true ||
      (this.#options.checked === false && this.#debug.watchpoints.size > 0)
    );
  }

  step(): Stop | undefined {
    return this.#single(false);
  }

  stepUnchecked(): Stop | undefined {
    return this.#single(true);
  }

  #single(poisonPasses: boolean): Stop | undefined {
    const wasRunning = this.#running;
    if (!wasRunning) {
      this.#running = true;
      this.#given = 1;
      this.#fuel[2 * SLOT_FUEL] = 1;
    }
    try {
      return this.#one(poisonPasses) ?? this.#debug.takePending();
    } finally {
      if (!wasRunning) {
        this.#retired += this.#given - this.#fuel[2 * SLOT_FUEL]!;
        this.#running = false;
      }
    }
  }

  addBreakpoint(addr: GuestAddr): void {
    this.#debug.breakpoints.add(addr);
    this.#changeAround(addr);
  }

  removeBreakpoint(addr: GuestAddr): void {
    if (this.#debug.breakpoints.delete(addr)) this.#changeAround(addr);
  }

  /** Calls of functions of ours are part of the callers' code. */
  #changeAround(addr: GuestAddr): void {
    if (this.#options.natives.indexAt(addr) >= 0) this.#cache.clear();
    else this.#cache.invalidate(addr, 1);
  }

  addWatchpoint(watchpoint: Watchpoint): void {
    this.#debug.watch(watchpoint);
  }

  removeWatchpoint(watchpoint: Watchpoint): void {
    this.#debug.unwatch(watchpoint);
  }

  invalidate(addr: GuestAddr, size: number): void {
    this.#cache.invalidate(addr, size);
  }

  translate(addrs: readonly GuestAddr[]): void {
    this.#cache.translateAll(addrs);
  }

  listing(addr: GuestAddr, tier: Tier = 'quick'): string {
    return printListing(this.#cache.lift(addr, tier));
  }

  get translation(): Readonly<CodeCache['counts']> {
    return this.#cache.counts;
  }

  // ---- the dispatcher

  /** Runs translated code from RIP until it leaves. */
  #go(): Stop | undefined {
    if (this.#fuel[2 * SLOT_FUEL]! < HARD_LIMIT) return { kind: 'fuel' };
    const rip = this.regs.rip;
    if (this.#debug.breakpoints.has(rip)) return { kind: 'breakpoint' };
    const native = this.#options.natives.indexAt(rip);
    if (native >= 0) return this.#runNative(native);
    const slot = this.#cache.continueSlot(rip);
    if (slot < 0) return this.#fetchFault(rip);
    return this.#call(slot);
  }

  /** Makes one instruction, and stops where translated code looks at the fuel. */
  #goOne(): Stop | undefined {
    const { rip } = this.regs;
    if (this.#debug.breakpoints.has(rip)) return { kind: 'breakpoint' };
    const stop = this.#one(false);
    const fuel = this.#fuel[2 * SLOT_FUEL]!;
    if (stop !== undefined || fuel > 0) return stop;
    if (fuel < HARD_LIMIT) return { kind: 'fuel' };
    return this.#isSwitchPoint(rip) ? { kind: 'fuel' } : undefined;
  }

  /** Whether the jump, call or return made at `from` has led to where fuel is looked at. */
  #isSwitchPoint(from: GuestAddr): boolean {
    const { rip } = this.regs;
    if (this.#options.natives.indexAt(from) >= 0) return false;
    const [block] = readOne(this.#text, from).blocks;
    const [ins] = block!.instructions;
    if (ins === undefined) return false;
    const t = block!.terminator;
    const isDirect = t.kind === 'branch' || (t.kind === 'tail' && t.target.kind === 'direct');
    const isIndirect = t.kind === 'tail' && !isDirect;
    const fellThrough = rip === from + ins.length && (t.kind === 'branch' || t.kind === 'cut');
    if (fellThrough && !isMadeByHost(ins)) return false;
    if (isIndirect && rip <= from) return true;
    const isNative = this.#options.natives.indexAt(rip) >= 0;
    if (isDirect && rip <= from) return t.kind === 'branch' || !isNative;
    if (isNative || !this.#text.fetchable(rip)) return false;
    const bounds = this.#text.functionAt(rip);
    if (bounds !== undefined) return bounds.start === rip && (rip !== from || t.kind !== 'cut');
    return t.kind === 'call' || isIndirect;
  }

  /** One instruction, or one function of ours; a `rep` is one instruction of many rounds. */
  #one(poisonPasses: boolean): Stop | undefined {
    const { rip } = this.regs;
    const native = this.#options.natives.indexAt(rip);
    if (native >= 0) return this.#runNative(native);
    if (!this.#text.fetchable(rip)) return this.#fetchFault(rip);
    const ins = fetch(this.#text, rip);
    for (;;) {
      let hit: Stop | undefined;
      if (isInstruction(ins)) {
        const fault = this.#judge(ins);
        if (fault !== undefined && !(poisonPasses && fault.kind === 'poison')) return fault;
        hit = this.#watched(ins);
        this.#follower?.follow(ins);
      }
      const stop = this.#step(rip) ?? hit;
      if (stop !== undefined) return stop;
      if (this.regs.rip !== rip || !isInstruction(ins) || !ins.encoding.repeatable) return undefined;
    }
  }

  #watched(ins: Instruction): Stop | undefined {
    return this.#debug.watchpoints.size === 0 ? undefined : this.#debug.hit(accessesOf(ins, this.regs));
  }

  #call(slot: number): Stop | undefined {
    const fuel = this.#fuel;
    // A function of ours may make steps: then translated code is on the stack below.
    if (this.#nesting === 0) this.#cache.forgetDropped();
    this.#nesting++;
    try {
      this.#cache.run(slot, DEPTH_BUDGET, fuel[2 * SLOT_FUEL]!);
    } finally {
      this.#nesting--;
    }
    const site = fuel[2 * SLOT_EXIT]!;
    if (site === 0) return undefined;
    fuel[2 * SLOT_EXIT] = 0;
    if (site === NATIVE_SITE) return this.#leftNative(this.#leavingNative);
    if (site === CONTINUE_SITE) {
      this.regs.rip = asAddr(this.#continueAt);
      return undefined;
    }
    const exit = this.#cache.exitOf(site);
    if (exit === undefined)
      throw new InvariantError(`translated code left by exit ${site}, which does not exist`);
    return this.#left(exit);
  }

  #left(exit: Exit): Stop | undefined {
    const jumped = exit.reason === 'jump' || exit.reason === 'jump-back';
    this.regs.rip = jumped ? addrFromU64(this.#jump[SLOT_JUMP]!) : asAddr(exit.rip);
    this.#fuel[2 * SLOT_FUEL]! += exit.giveBack;
    if (exit.counter !== undefined) this.#cache.heat(exit.rip, exit.counter);
    if (exit.flags > 0) this.#fuel[2 * SLOT_FKIND] = exit.flags;
    switch (exit.reason) {
      case 'entry':
        return this.#fuel[2 * SLOT_FUEL]! <= 0 ? { kind: 'fuel' } : undefined;
      case 'depth':
      case 'jump':
      case 'continue':
        return undefined;
      case 'fuel':
      case 'jump-back':
        return this.#fuel[2 * SLOT_FUEL]! <= 0 ? { kind: 'fuel' } : undefined;
      case 'exception':
        return { kind: 'exception', vector: exit.vector!, errorCode: 0 };
      case 'native':
        return this.#leftNative(exit.rip);
      case 'access':
        return this.#accessFailed(exit.rip);
      case 'system':
        return this.#systemInstruction(exit.rip);
      case 'unsupported':
        return this.#unsupported(exit.rip);
    }
  }

  #leftNative(addr: number): Stop | undefined {
    if (this.#resumeAfterNative) {
      this.#resumeAfterNative = false;
      this.#popReturn();
      return undefined;
    }
    this.regs.rip = asAddr(addr);
    return { kind: 'native' };
  }

  #popReturn(): void {
    const sp = this.regs.rsp;
    this.regs.rip = addrFromU64(this.#memory.view.getBigUint64(sp >>> 0, true));
    this.regs.rsp = asAddr(sp + 8);
  }

  /** RIP stands on a function of ours: after a `ret` into it, or when the kernel put it there. */
  #runNative(native: number): Stop | undefined {
    if (!this.#invokeNative(native)) return { kind: 'native' };
    this.#popReturn();
    return undefined;
  }

  #invokeNative(native: number): boolean {
    const { natives } = this.#options;
    this.spend(natives.fuelPerCall ?? 0);
    return natives.invoke(native);
  }

  #invoke(index: number): number {
    const generation = this.#cache.generation;
    let native = index;
    if (index < 0) {
      this.#leavingNative = this.#cache.addrOfSlot(~index);
      native = this.#options.natives.indexAt(asAddr(this.#leavingNative));
    }
    const done = this.#invokeNative(native);
    if (done && generation === this.#cache.generation && !this.#debug.hasPending) return 1;
    if (done) this.#resumeAfterNative = true;
    if (index < 0) this.#fuel[2 * SLOT_EXIT] = NATIVE_SITE;
    return 0;
  }

  #resolve(addr: bigint): number {
    const target = addrFromU64(addr);
    if (!isCanonical(target)) return -1;
    return this.#cache.resolve(target);
  }

  /** Called by the stub in a slot without code. */
  #translate(): number {
    const slot = this.#fuel[2 * SLOT_CALLEE]!;
    const addr = this.#cache.addrOfSlot(slot);
    const to = this.#cache.slotOf(addr);
    if (to >= 0) {
      this.#fuel[2 * SLOT_CALLEE] = to;
      return to;
    }
    this.#leaveAt(addr);
    return this.#cache.leaveSlot;
  }

  /** Makes the frames unwind to the dispatcher, which goes on at `addr`. */
  #leaveAt(addr: number): void {
    this.#continueAt = addr;
    this.#fuel[2 * SLOT_EXIT] = CONTINUE_SITE;
  }

  // ---- faults

  #fetchFault(rip: GuestAddr): CpuException {
    const reason = this.#memory.faultReason(rip, 1, 'execute');
    if (reason === 'non-canonical') return { kind: 'exception', vector: VECTOR.GP, errorCode: 0 };
    return {
      kind: 'exception',
      vector: VECTOR.PF,
      errorCode: PF_FETCH | (reason === 'protection' ? PF_PRESENT : 0),
      address: rip,
      accessSize: 1,
    };
  }

  /** An access check of translated code failed at `rip`: what would the CPU do? */
  #accessFailed(rip: number): Stop | undefined {
    const ins = fetch(this.#text, rip);
    if (!isInstruction(ins)) throw new InvariantError(`no instruction at ${hex64(rip)}`);
    // Nothing wrong with this instruction: a slow page, or a check that stood for later accesses as well.
    const fault = this.#judge(ins);
    if (fault !== undefined) return fault;
    const hit = this.#watched(ins);
    const stop = this.#step(rip) ?? hit;
    if (stop !== undefined || this.#fuel[2 * SLOT_FUEL]! > 0) return stop;
    return this.#isSwitchPoint(asAddr(rip)) ? { kind: 'fuel' } : undefined;
  }

  #judge(ins: Instruction): CpuException | CpuPoison | undefined {
    let poison: CpuPoison | undefined;
    for (const access of accessesOf(ins, this.regs)) {
      const reason = this.#memory.faultReason(access.addr, access.size, access.access);
      if (reason === undefined) continue;
      if (reason !== 'poison') return this.#dataFault(access, reason);
      poison ??= { kind: 'poison', address: access.addr, accessSize: access.size, access: access.access };
    }
    return poison;
  }

  #dataFault(access: DataAccess, reason: Exclude<FaultReason, 'poison'>): CpuException {
    const { addr, size } = access;
    if (reason === 'non-canonical') {
      const vector = access.stack ? VECTOR_SS : VECTOR.GP;
      return { kind: 'exception', vector, errorCode: 0, address: addr, accessSize: size };
    }
    // CR2 is the first byte that faults: of an access across pages it may be the second page's.
    let first = addr;
    const nextPage = asAddr((Math.floor(addr / 4096) + 1) * 4096);
    if (nextPage < addr + size) {
      const before = this.#memory.faultReason(addr, nextPage - addr, access.access);
      if (before === undefined || before === 'poison') first = nextPage;
    }
    const errorCode = (reason === 'protection' ? PF_PRESENT : 0) | (access.access === 'write' ? PF_WRITE : 0);
    return { kind: 'exception', vector: VECTOR.PF, errorCode, address: first, accessSize: size };
  }

  /** Makes one instruction (or one round of a `rep`), its accesses through the host and without checks. */
  #step(rip: GuestAddr | number): Stop | undefined {
    if (!this.#text.fetchable(rip)) return this.#fetchFault(asAddr(rip));
    return this.#call(this.#cache.stepSlot(rip));
  }

  #hostLoad(addr: bigint, size: number): bigint {
    const at = addrFromU64(addr);
    const memory = this.#memory;
    if (memory.isSlow(at) && (size === 1 || memory.isSlow(asAddr(at + size - 1)))) {
      return memory.slowRead(at, size as 1 | 2 | 4 | 8);
    }
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) {
      const byte = asAddr(at + i);
      const read = memory.isSlow(byte) ? memory.slowRead(byte, 1) : BigInt(memory.raw[byte >>> 0]!);
      value = (value << 8n) | read;
    }
    return value;
  }

  #hostStore(addr: bigint, value: bigint, size: number): void {
    const at = addrFromU64(addr);
    const memory = this.#memory;
    const all = BigInt.asUintN(8 * size, value);
    this.#storeHosted(at, size, all);
    // Text that is writable, or written while CR0.WP is off.
    if (memory.isExecutable(at, size)) memory.onTextChange?.(at, size);
  }

  #storeHosted(at: GuestAddr, size: number, all: bigint): void {
    const memory = this.#memory;
    if (memory.isSlow(at) && (size === 1 || memory.isSlow(asAddr(at + size - 1)))) {
      memory.slowWrite(at, size as 1 | 2 | 4 | 8, all);
      return;
    }
    for (let i = 0; i < size; i++) {
      const byte = asAddr(at + i);
      const part = (all >> BigInt(8 * i)) & 0xffn;
      if (memory.isSlow(byte)) memory.slowWrite(byte, 1, part);
      else memory.raw[byte >>> 0] = Number(part);
    }
  }

  // ---- instructions of the host

  /** The opcode of the x87 instruction that is being made: its last three bits, and ModRM. */
  #x87Opcode(): number {
    const { raw } = this.#memory;
    let at = new DataView(raw.buffer).getUint32(FPU_AREA + FPU_FIP, true);
    while ((raw[at]! & 0xf8) !== 0xd8) at++;
    return ((raw[at]! & 7) << 8) | raw[at + 1]!;
  }

  #divide(high: bigint, low: bigint, by: bigint, signed: boolean): bigint {
    const convert = (v: bigint): bigint => (signed ? BigInt.asIntN(64, v) : BigInt.asUintN(64, v));
    const n = (convert(high) << 64n) | BigInt.asUintN(64, low);
    const d = convert(by);
    const q = n / d;
    const overflow = convert(q) !== q;
    this.regs.slots[SLOT_HIGH] = BigInt.asUintN(64, overflow ? d : n % d);
    return BigInt.asIntN(64, q);
  }

  #systemInstruction(rip: number): Stop | undefined {
    const ins = fetch(this.#text, rip);
    if (!isInstruction(ins)) throw new InvariantError(`no instruction at ${hex64(rip)}`);
    const fault = this.#judge(ins);
    if (fault?.kind === 'exception') return fault;
    try {
      const exception = this.#system.execute(ins, this.regs, this.retired, this.#systemMemory);
      if (exception !== undefined) {
        // A trap has been made: RIP stands behind it.
        if (this.regs.rip !== rip) this.#fuel[2 * SLOT_FUEL]! -= 1;
        return exception;
      }
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      return { kind: 'unsupported', error };
    }
    if (ins.name === 'mov_to_cr') this.#controlRegister(ins);
    // One round of `ins` and `outs` at a time, so that each one's access is judged.
    if (ins.encoding.repeatable && (ins.rep || ins.repne)) {
      const left = ins.address32 ? BigInt(this.regs.u32(RCX)) : this.regs.u64(RCX);
      if (left !== 0n) return undefined;
    }
    if (this.regs.rip === rip) this.regs.rip = asAddr(rip + ins.length);
    this.#fuel[2 * SLOT_FUEL]! -= 1;
    return undefined;
  }

  /** CR0.WP decides whether the kernel may write to read-only pages. */
  #controlRegister(ins: Instruction): void {
    if (ins.operands.find((o) => o.kind === 'control')?.reg !== 0) return;
    const from = ins.operands.find((o) => o.kind === 'reg');
    if (from !== undefined) this.#memory.writeProtect = (this.regs.u32(from.reg) & CR0_WP) !== 0;
  }

  #unsupported(rip: number): Stop {
    const ins = fetch(this.#text, rip);
    if (isInstruction(ins)) {
      const fault = this.#judge(ins);
      if (fault !== undefined && fault.kind === 'exception') return fault;
      return this.#cannot(rip, `instruction "${printInstruction(ins)}"`, ins.length);
    }
    if (ins.reason === 'invalid' || ins.reason === 'too-long') {
      const vector = ins.reason === 'invalid' ? VECTOR.UD : VECTOR.GP;
      return { kind: 'exception', vector, errorCode: 0 };
    }
    const pageEnd = (Math.floor(rip / 4096) + 1) * 4096;
    if (ins.reason === 'truncated' && !this.#text.fetchable(pageEnd)) {
      return this.#fetchFault(asAddr(pageEnd));
    }
    return this.#cannot(rip, 'an opcode', Math.max(ins.length, 8));
  }

  #cannot(rip: number, what: string, length: number): Stop {
    const at = rip >>> 0;
    const bytes = Array.from(this.#memory.raw.subarray(at, at + length), (b) =>
      b.toString(16).padStart(2, '0'),
    );
    return {
      kind: 'unsupported',
      error: new UnsupportedError({ what: `${what} (${bytes.join(' ')}) at ${hex64(rip)}` }),
    };
  }
}
