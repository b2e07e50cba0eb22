import { type Encoding, FLAG_BITS, type Instruction } from '../../packages/ringside/src/x86/index.ts';
import { Assembler } from './assembler.ts';
import { INDEX, instance, POINTERS, type Random, undefinedAfter } from './cases.ts';

/**
 * Generated functions that call each other: what the processor and the engine are compared on beyond straight
 * sequences. Every one ends: loops count down in r12 to r15 or on the stack, recursion counts down in r15.
 *
 * Registers: rsp the stack; rbp, rsi, rdi point to data; r9 is a small index; r11 takes addresses of code (and is no
 * operand of generated instructions, since its value depends on where the code is); r12 to r15 count.
 */
export interface Program {
  /** Offset in the text. */
  readonly start: number;
  readonly end: number;
  /** Whether `pushf` or `popf` is in it or below it: not for counting with the trap flag. */
  readonly touchesFlags: boolean;
  /** Functions call others of their group only. */
  readonly group: number;
}

export interface ProgramText {
  readonly assembler: Assembler;
  readonly programs: readonly Program[];
  /** Which arithmetic flags have no defined value before the instruction at an offset. */
  readonly undefinedAt: ReadonlyMap<number, number>;
}

const COUNTERS = [12, 13, 14, 15];
const AF = FLAG_BITS.a;
// What maskmov does at bad addresses when its mask is empty is the processor's choice.
const UNFIT = new Set(
  'leave enter xlat push pop pushf popf ins outs ldmxcsr stmxcsr fxsave fxrstor cld std fwait cmpxchg16b emms movnti nop maskmovq maskmovdqu'.split(
    ' ',
  ),
);
/** Instructions that generated functions may run, at about this cost. */
const MOST = 3000;

interface Made {
  readonly label: number;
  readonly cost: number;
  readonly touchesFlags: boolean;
  readonly recursive: boolean;
}

/** Which encodings straight parts are made of. */
function fitting(encodings: readonly Encoding[]): Encoding[] {
  return encodings.filter((e) => !UNFIT.has(e.name) && !e.operands.some((o) => o.kind === 'O'));
}

export function makePrograms(
  encodings: readonly Encoding[],
  random: Random,
  groups: number,
  dataDistance: number,
): ProgramText {
  const assembler = new Assembler();
  const programs: Program[] = [];
  const undefinedAt = new Map<number, number>();
  // Where the outermost function returns to.
  for (let i = 0; i < 16; i++) assembler.emit(0xcc);
  for (let i = 0; i < groups; i++) {
    new Group(assembler, fitting(encodings), random, dataDistance, undefinedAt, programs).make(i);
  }
  for (let i = 0; i < 64; i++) assembler.emit(0xcc);
  return { assembler, programs, undefinedAt };
}

class Group {
  readonly #made: Made[] = [];
  /** Flags that may be undefined where paths meet. */
  readonly #loose: number;
  #undefined = 0;
  /** 8-byte words pushed by the function that is being made. */
  #depth = 0;
  /** Words of those, on top, that hold data and are open to all instructions. */
  #frame = 0;
  #cost = 0;
  #nesting = 0;
  #touchesFlags = false;
  /** How many of r12 to r15 are taken. */
  #counters = 0;
  #savedCounters = false;
  /** rcx counts: a body must leave it alone. */
  #keepRcx = false;
  readonly #tables: (() => void)[] = [];

  readonly a: Assembler;
  readonly encodings: readonly Encoding[];
  readonly random: Random;
  readonly dataDistance: number;
  readonly undefinedAt: Map<number, number>;
  readonly programs: Program[];

  constructor(
    a: Assembler,
    encodings: readonly Encoding[],
    random: Random,
    dataDistance: number,
    undefinedAt: Map<number, number>,
    programs: Program[],
  ) {
    this.a = a;
    this.encodings = encodings;
    this.random = random;
    this.dataDistance = dataDistance;
    this.undefinedAt = undefinedAt;
    this.programs = programs;
    this.#loose = random.next(3) === 0 ? 0 : AF;
  }

  make(group: number): void {
    const leaves = 2 + this.random.next(4);
    const count = leaves + 3 + this.random.next(5);
    for (let i = 0; i < count; i++) {
      if (this.random.next(4) > 0) this.a.align(16);
      const start = this.a.size;
      const label = this.a.here();
      this.#undefined = this.#loose;
      this.#depth = this.#frame = this.#cost = this.#nesting = this.#counters = 0;
      this.#savedCounters = this.#touchesFlags = this.#keepRcx = false;
      const recursive = i >= leaves && this.random.next(6) === 0;
      if (i < leaves) this.#leaf();
      else if (recursive) this.#recursion(label);
      else this.#function();
      for (const table of this.#tables.splice(0)) table();
      this.#made.push({ label, cost: this.#cost, touchesFlags: this.#touchesFlags, recursive });
      this.programs.push({ start, end: this.a.size, touchesFlags: this.#touchesFlags, group });
    }
  }

  #one(n: number): boolean {
    return this.random.next(n) === 0;
  }

  /** Notes what is undefined before the instruction that begins here. */
  #mark(): void {
    this.undefinedAt.set(this.a.size, this.#undefined);
    this.#cost++;
  }

  #code(...bytes: readonly number[]): void {
    this.#mark();
    this.a.emit(...bytes);
  }

  /** Gives the flags defined values where they have none. */
  #settle(loose = this.#loose): void {
    if ((this.#undefined & ~loose) === 0) return;
    const imm = this.random.next(256);
    // cmp $imm,%eax; add $imm,%edx; sub $imm,%rbx; cmp $imm,%r8b
    const forms = [
      [0x83, 0xf8, imm],
      [0x83, 0xc2, imm],
      [0x48, 0x83, 0xeb, imm],
      [0x41, 0x80, 0xf8, imm],
    ];
    this.#code(...forms[this.random.next(forms.length)]!);
    this.#undefined = 0;
  }

  /** Where paths meet or leave: everything but the adjust flag has a value. */
  #boundary(): void {
    this.#settle();
    this.#undefined |= this.#loose;
  }

  // ---- straight code

  #accept = (ins: Instruction): boolean => {
    const { operands } = ins;
    for (const o of operands) {
      if (o.kind !== 'reg' || o.high) continue;
      if (POINTERS.has(o.reg) || o.reg === INDEX || o.reg === 11 || o.reg >= 12) return false;
      if (this.#keepRcx && o.reg === 1) return false;
    }
    if (this.#keepRcx && (ins.encoding.repeatable || operands.some((o) => o.high && o.reg === 1)))
      return false;
    // Results that are not defined.
    if (ins.operandSize === 16 && (ins.name === 'shld' || ins.name === 'shrd')) return false;
    if (ins.name.startsWith('bt') && operands[0]!.kind === 'mem' && operands[1]!.kind === 'reg') return false;
    if (ins.address32 || ins.segment !== -1) return false;
    if (!operands.some((o) => o.kind === 'mem')) return true;
    if (ins.ripRelative) return true;
    // These get a segment prefix.
    if (ins.base === -1) return ins.index === -1 && ins.displacement >= 0;
    if (ins.base === 4)
      return ins.index === -1 && ins.displacement >= 0 && ins.displacement + 16 <= 8 * this.#frame;
    if (!POINTERS.has(ins.base)) return false;
    return ins.index === -1 || ins.index === INDEX;
  };

  #straight(count: number): void {
    for (let i = 0; i < count; i++) {
      const encoding = this.encodings[this.random.next(this.encodings.length)]!;
      if ((encoding.name === 'div' || encoding.name === 'idiv') && !this.#one(8)) continue;
      if (encoding.family !== 'arithmetic' && encoding.family !== 'movement' && this.#one(3)) continue;
      const ins = instance(encoding, this.random, this.#accept);
      if (ins === undefined) continue;
      let bytes = (ins as unknown as { bytes: Uint8Array }).bytes;
      if ((this.#undefined & encoding.flagsRead) !== 0 || ins.name === 'lahf') this.#settle(0);
      if (encoding.repeatable && (ins.rep || ins.repne)) this.#shortCount();
      if (ins.operands.some((o) => o.kind === 'mem')) bytes = this.#placed(ins, bytes);
      this.#mark();
      this.a.emit(...bytes);
      if (encoding.repeatable) this.#cost += 8;
      this.#undefined = undefinedAfter(ins, this.#undefined, NO_REGISTERS, false);
    }
  }

  /** Puts absolute operands behind FS or GS and ones relative to RIP into the data. */
  #placed(ins: Instruction, bytes: Uint8Array): Uint8Array {
    if (ins.base === -1 && !ins.ripRelative) return Uint8Array.from([this.#one(2) ? 0x65 : 0x64, ...bytes]);
    if (!ins.ripRelative) return bytes;
    const old = ins.displacement - ins.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const to = this.dataDistance + 3700 + this.random.next(500) - (this.a.size + ins.length);
    // The displacement stands before the immediate.
    for (let at = ins.length - 4; at > 1; at--) {
      if (view.getInt32(at, true) !== old || (bytes[at - 1]! & 0xc7) !== 5) continue;
      view.setInt32(at, to, true);
      break;
    }
    return bytes;
  }

  /** Makes rcx a small count, mostly. */
  #shortCount(): void {
    if (this.#one(12)) return;
    if (this.#one(2)) {
      // and $15,%ecx
      this.#code(0x83, 0xe1, 0x0f);
      this.#undefined = AF;
    } else {
      this.#mark();
      this.a.emit(0xb9);
      this.a.emit32(this.random.next(20));
    }
  }

  /** Things that only hand-made code has. */
  #special(): void {
    const { a } = this;
    switch (this.random.next(11)) {
      case 0: {
        // pushf; pop %rax
        this.#settle(0);
        this.#code(0x9c);
        this.#code(0x58);
        this.#touchesFlags = true;
        break;
      }
      case 1: {
        // push $flags; popf
        const flags = 0x202 | (this.random.next(2 ** 12) & 0x8d5) | (this.#one(6) ? 0x400 : 0);
        this.#code(0x68, flags, flags >> 8, 0, 0);
        this.#code(0x9d);
        this.#undefined = 0;
        this.#touchesFlags = true;
        break;
      }
      case 2:
        if (this.#one(2)) {
          // idiv %ebx or div %r8: ends most of the functions that it is in
          if (!this.#one(4)) break;
          this.#one(2) ? this.#code(0xf7, 0xfb) : this.#code(0x49, 0xf7, 0xf0);
          this.#undefined = 0x8d5;
        } else this.#code(this.#one(3) ? 0xfd : 0xfc);
        break;
      case 3: {
        // push or pop of memory, then of a register
        this.#code(0xff, 0x75, this.random.next(64));
        this.#one(2) ? this.#code(0x8f, 0x47, this.random.next(64)) : this.#code(0x41, 0x58);
        break;
      }
      case 4: {
        // lea data(%rip),%rsi or %rdi or %rbp
        const register = [5, 6, 7][this.random.next(3)]!;
        this.#mark();
        a.emit(0x48, 0x8d, 0x05 | (register << 3));
        a.emit32(this.dataDistance + 3800 + this.random.next(300) - (a.size + 4));
        break;
      }
      case 5: {
        // lea n(%rdi),%rdi: a pointer that moves
        this.#code(0x48, 0x8d, 0x7f, this.random.next(64) - 32);
        break;
      }
      case 6: {
        // add $8,%rsi; cmp %rdi,%rsi: flags of addresses, but for their sign the same anywhere
        this.#code(0x48, 0x83, 0xc6, 8);
        this.#undefined = FLAG_BITS.s;
        this.#settle(0);
        break;
      }
      case 7: {
        // A rare end: over it, mostly.
        this.#boundary();
        const over = a.label();
        this.#code(0x0f, 0x80 + this.random.next(16));
        a.relative(over);
        if (this.#one(2)) this.#code(0x0f, 0x0b);
        else {
          this.#code(0xcc);
          this.undefinedAt.set(a.size, this.#undefined);
        }
        a.place(over);
        break;
      }
      case 8:
        // xchg %al,3(%rbp); lock incl (%rsi)
        if (this.#one(2)) this.#code(0x86, 0x45, 3);
        else {
          this.#code(0xf0, 0xff, 0x06);
          this.#undefined &= FLAG_BITS.c;
        }
        break;
      case 9:
        // movaps 8(%rdi): misaligned as often as not
        this.#code(0x0f, this.#one(2) ? 0x28 : 0x29, 0x4f, 8 * this.random.next(8));
        break;
      default: {
        // xchg %rax,(%rdi); lock xadd %rdx,8(%rsi); lock cmpxchg %rbx,(%rdi)
        const forms = [
          [0x48, 0x87, 0x07],
          [0xf0, 0x48, 0x0f, 0xc1, 0x56, 0x08],
          [0xf0, 0x48, 0x0f, 0xb1, 0x1f],
        ];
        const form = forms[this.random.next(3)]!;
        this.#code(...form);
        if (form.length > 3) this.#undefined = 0;
      }
    }
  }

  // ---- structure

  #body(size: number): void {
    for (let i = 0; i < size; i++) {
      const kind = this.random.next(16);
      const flat = this.#nesting > 3;
      if (kind < 5) this.#straight(1 + this.random.next(5));
      else if (kind < 7) this.#special();
      else if (kind < 10) flat ? this.#straight(2) : this.#choice();
      else if (kind < 12) flat ? this.#straight(2) : this.#loop();
      else if (kind < 15) this.#call();
      else flat ? this.#straight(2) : this.#switch();
    }
  }

  #inside(make: () => void): void {
    this.#nesting++;
    make();
    this.#nesting--;
    this.#boundary();
  }

  /** jcc or jrcxz. */
  #branch(to: number): void {
    const { a } = this;
    const kind = this.random.next(10);
    if (kind === 0) {
      // (67) e3: over a short jump over a long one
      if (this.#one(3)) this.#code(0x67, 0xe3, 2);
      else this.#code(0xe3, 2);
      this.#code(0xeb, 5);
      this.#code(0xe9);
      a.relative(to);
      return;
    }
    if (kind < 4) {
      // test or cmp before it, as compilers do
      const forms = [
        [0x48, 0x85, 0xc0],
        [0x85, 0xd2],
        [0x84, 0xdb],
        [0x48, 0x39, 0xd8],
        [0x41, 0x39, 0xd0],
        [0x66, 0x3d, this.random.next(256), this.random.next(256)],
        [0x80, 0x7f, 3, 0x80],
        [0xf7, 0x46, 4, 0, 1, 0, 0x80],
      ];
      const form = forms[this.random.next(forms.length)]!;
      this.#code(...form);
      const logic = form[0] === 0x85 || form[0] === 0x84 || form[1] === 0x85 || form[0] === 0xf7;
      this.#undefined = logic ? AF : 0;
    }
    this.#boundary();
    this.#code(0x0f, 0x80 + this.random.next(16));
    a.relative(to);
  }

  #choice(): void {
    const { a } = this;
    const otherwise = a.label();
    this.#boundary();
    this.#branch(otherwise);
    this.#inside(() => this.#body(1 + this.random.next(2)));
    if (this.#one(2)) {
      a.place(otherwise);
      return;
    }
    const end = a.label();
    this.#code(0xe9);
    a.relative(end);
    a.place(otherwise);
    this.#inside(() => this.#body(1 + this.random.next(2)));
    a.place(end);
  }

  #loop(): void {
    const before = this.#cost;
    const rounds = 1 + this.random.next(this.#nesting > 1 ? 3 : 7);
    if (this.#keepRcx || this.#one(3)) this.#countedLoop(rounds);
    else this.#rcxLoop(rounds);
    this.#cost = before + (this.#cost - before) * (rounds + 1);
    this.#undefined |= this.#loose;
  }

  /** `loop`, `loope`, `loopne` or `jrcxz`, with rcx kept on the stack or left alone. */
  #rcxLoop(rounds: number): void {
    const { a } = this;
    const exit = a.label();
    this.#mark();
    a.emit(0xb9);
    a.emit32(rounds);
    this.#boundary();
    const top = a.here();
    const onStack = this.#one(2);
    const kind = this.random.next(4);
    if (kind === 3) {
      this.#code(0xe3, 2);
      this.#code(0xeb, 5);
      this.#code(0xe9);
      a.relative(exit);
    }
    if (onStack) this.#push(0x51);
    const frame = this.#frame;
    if (onStack) this.#frame = 0;
    const kept = this.#keepRcx;
    this.#keepRcx = !onStack;
    this.#inside(() => this.#body(1 + this.random.next(2)));
    this.#keepRcx = kept;
    this.#frame = frame;
    if (onStack) this.#pop(0x59);
    if (kind === 3) {
      // dec %rcx; jmp top
      this.#code(0x48, 0xff, 0xc9);
      this.#code(0xe9);
      a.relative(top);
    } else if (a.size - (a.offsetOf(top) ?? 0) < 120) {
      this.#code(0xe0 + kind);
      a.relativeShort(top);
    } else {
      this.#code(0xe0 + kind, 2);
      this.#code(0xeb, 5);
      this.#code(0xe9);
      a.relative(top);
    }
    a.place(exit);
  }

  /** dec, sub or add on a counter, with the test at the top or the bottom, and ways out in between. */
  #countedLoop(rounds: number): void {
    const { a } = this;
    if (this.#counters === COUNTERS.length) {
      this.#straight(2);
      return;
    }
    const low = COUNTERS[this.#counters]! - 8;
    // push %r12
    this.#push(0x41, 0x50 | low);
    const { frame, saved } = { frame: this.#frame, saved: this.#savedCounters };
    this.#frame = 0;
    this.#savedCounters = true;
    this.#counters++;
    this.#mark();
    a.emit(0x41, 0xb8 | low);
    a.emit32(rounds);
    this.#boundary();
    const exit = a.label();
    const kind = this.random.next(3);
    if (kind === 0) {
      const test = a.label();
      this.#code(0xe9);
      a.relative(test);
      const top = a.here();
      this.#inside(() => this.#body(1 + this.random.next(2)));
      a.place(test);
      // sub $1,%r12; jae top
      this.#code(0x49, 0x83, 0xe8 | low, 1);
      this.#undefined = 0;
      this.#code(0x0f, 0x83);
      a.relative(top);
    } else {
      const top = a.here();
      this.#inside(() => this.#body(1 + this.random.next(2)));
      if (kind === 1) this.#branch(exit);
      this.#inside(() => this.#straight(this.random.next(3)));
      // dec %r12; jne top
      this.#code(0x49, 0xff, 0xc8 | low);
      this.#code(0x0f, 0x85);
      a.relative(top);
    }
    this.#undefined |= this.#loose;
    a.place(exit);
    this.#counters--;
    this.#frame = frame;
    this.#savedCounters = saved;
    this.#pop(0x41, 0x58 | low);
  }

  #push(...bytes: readonly number[]): void {
    this.#code(...bytes);
    this.#depth++;
  }

  #pop(...bytes: readonly number[]): void {
    this.#code(...bytes);
    this.#depth--;
  }

  /** A jump through a table of distances or of addresses. */
  #switch(): void {
    const { a } = this;
    const cases = [a.label(), a.label(), a.label(), a.label()];
    const end = a.label();
    const table = a.label();
    // mov %eax,%r10d; and $3,%r10d; lea table(%rip),%r11
    this.#code(0x41, 0x89, 0xc2 | (this.random.next(4) << 3));
    this.#code(0x41, 0x83, 0xe2, 3);
    this.#undefined = AF;
    this.#boundary();
    this.#code(0x4c, 0x8d, 0x1d);
    a.relative(table);
    if (this.#one(2)) {
      // jmp *(%r11,%r10,8)
      this.#code(0x43, 0xff, 0x24, 0xd3);
      this.#tables.push(() => {
        a.align(8);
        a.place(table);
        for (const label of cases) a.address(label);
      });
    } else {
      // movslq (%r11,%r10,4),%r10; lea (%r10,%r11),%r11; xor %r10d,%r10d would change flags: mov; jmp *%r11
      this.#code(0x4f, 0x63, 0x14, 0x93);
      this.#code(0x4f, 0x8d, 0x1c, 0x1a);
      this.#code(0x41, 0xff, 0xe3);
      this.#tables.push(() => {
        a.align(4);
        a.place(table);
        const base = a.size;
        for (const label of cases) a.distance(label, base);
      });
    }
    for (const label of cases) {
      a.place(label);
      this.#inside(() => this.#body(1));
      this.#code(0xe9);
      a.relative(end);
    }
    a.place(end);
  }

  // ---- calls

  #callee(): Made | undefined {
    // A body that keeps rcx calls nothing, since all functions may change it.
    if (this.#keepRcx || this.#made.length === 0) return undefined;
    const made = this.#made[this.random.next(this.#made.length)]!;
    if (made.recursive && this.#counters === COUNTERS.length) return undefined;
    return this.#cost + made.cost * 4 ** this.#nesting > MOST ? undefined : made;
  }

  #call(): void {
    const made = this.#callee();
    if (made === undefined) {
      this.#straight(2);
      return;
    }
    const { a } = this;
    this.#boundary();
    // A depth for recursion: push %r15; mov $n,%r15d
    if (made.recursive) {
      this.#push(0x41, 0x57);
      this.#mark();
      a.emit(0x41, 0xbf);
      a.emit32(this.random.next(6));
    }
    const kind = this.random.next(8);
    if (kind < 4) {
      this.#code(0xe8);
      a.relative(made.label);
    } else if (kind === 4) {
      this.#loadAddress(made.label);
      this.#code(0x41, 0xff, 0xd3);
    } else if (kind === 5) {
      // call *slot(%rip)
      const slot = a.label();
      this.#code(0xff, 0x15);
      a.relative(slot);
      this.#tables.push(() => {
        a.align(8);
        a.place(slot);
        a.address(made.label);
      });
    } else if (kind === 6) {
      // push %r11; call *(%rsp); lea 8(%rsp),%rsp
      this.#loadAddress(made.label);
      this.#code(0x41, 0x53);
      this.#code(0xff, 0x14, 0x24);
      this.#code(0x48, 0x8d, 0x64, 0x24, 8);
    } else {
      // A return that is no call's: lea back(%rip),%r11; push %r11; lea target,%r11; push %r11; ret
      const back = a.label();
      this.#loadAddress(back);
      this.#code(0x41, 0x53);
      this.#loadAddress(made.label);
      this.#code(0x41, 0x53);
      this.#code(0xc3);
      a.place(back);
    }
    this.#undefined = this.#loose;
    if (made.recursive) this.#pop(0x41, 0x5f);
    this.#cost += made.cost;
    this.#touchesFlags ||= made.touchesFlags;
  }

  #loadAddress(label: number): void {
    this.#code(0x4c, 0x8d, 0x1d);
    this.a.relative(label);
  }

  #leave(): void {
    const { a } = this;
    this.#boundary();
    if (this.#depth > 0) {
      // lea or add
      if (this.#one(2)) this.#code(0x48, 0x8d, 0x64, 0x24, 8 * this.#depth);
      else {
        this.#code(0x48, 0x83, 0xc4, 8 * this.#depth);
        this.#undefined = FLAG_BITS.s;
        this.#settle();
      }
    }
    const made = this.#one(4) && !this.#savedCounters ? this.#callee() : undefined;
    if (made !== undefined && !made.recursive) {
      this.#undefined |= this.#loose;
      if (this.#one(2)) {
        this.#code(0xe9);
        a.relative(made.label);
      } else {
        this.#loadAddress(made.label);
        this.#code(0x41, 0xff, 0xe3);
      }
      this.#cost += made.cost;
      this.#touchesFlags ||= made.touchesFlags;
      return;
    }
    this.#undefined |= this.#loose;
    const kind = this.random.next(10);
    if (kind === 0) {
      // pop %r11; push %r11; ret
      this.#code(0x41, 0x5b);
      this.#code(0x41, 0x53);
      this.#code(0xc3);
    } else if (kind === 1) {
      // pop %r11; jmp *%r11
      this.#code(0x41, 0x5b);
      this.#code(0x41, 0xff, 0xe3);
    } else if (kind === 2) this.#code(0xf3, 0xc3);
    else this.#code(0xc3);
  }

  /** A few instructions, or a call of another one: what compilers inline. */
  #leaf(): void {
    const { a } = this;
    const kind = this.random.next(4);
    if (kind === 1) {
      const other = a.label();
      this.#straight(1);
      this.#branch(other);
      this.#straight(2);
      this.#leave();
      a.place(other);
      this.#undefined = this.#loose;
    }
    if (kind === 2 && this.#made.length > 0) this.#call();
    if (kind === 3) this.#inside(() => this.#loop());
    this.#straight(this.random.next(5));
    this.#leave();
  }

  #function(): void {
    const { a } = this;
    this.#boundary();
    if (this.#one(2)) {
      // A frame of data: pushes of registers and constants.
      const words = 4 + this.random.next(4);
      for (let i = 0; i < words; i++) {
        if (this.#one(2)) this.#push(0x50 | this.random.next(4));
        else this.#push(0x6a, this.random.next(256));
      }
      this.#frame = words;
    }
    this.#body(2 + this.random.next(3));
    if (this.#one(3)) {
      const over = a.label();
      this.#boundary();
      this.#branch(over);
      const depth = this.#depth;
      this.#leave();
      this.#depth = depth;
      a.place(over);
      this.#undefined = this.#loose;
    }
    this.#body(1 + this.random.next(2));
    this.#leave();
  }

  /** Calls itself once or twice, as deep as r15 says. */
  #recursion(self: number): void {
    const { a } = this;
    this.#boundary();
    const end = a.label();
    this.#counters = COUNTERS.length;
    // sub $1,%r15; jb end
    this.#code(0x49, 0x83, 0xef, 1);
    this.#undefined = this.#loose;
    this.#code(0x0f, 0x82);
    a.relative(end);
    const twice = this.#one(3);
    this.#straight(2);
    this.#boundary();
    for (let i = twice ? 2 : 1; i > 0; i--) {
      if (this.#one(2)) {
        this.#code(0xe8);
        a.relative(self);
      } else {
        this.#loadAddress(self);
        this.#code(0x41, 0xff, 0xd3);
      }
      this.#undefined = this.#loose;
      this.#straight(2);
      this.#boundary();
    }
    a.place(end);
    // inc %r15; ret
    this.#code(0x49, 0xff, 0xc7);
    this.#undefined = this.#loose;
    this.#cost *= twice ? 64 : 8;
    this.#leave();
  }
}

const NO_REGISTERS = new BigUint64Array(16);
