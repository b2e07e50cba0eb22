import {
  decode,
  ENCODINGS,
  type Encoding,
  FLAG_BITS,
  type Instruction,
  isInstruction,
} from '../../packages/ringside/src/x86/index.ts';

/** Where the harness has its data page, and the part of it that is compared. */
export const DATA = 0x5000_1000;
export const WINDOW = 0x400;
export const WINDOW_BYTES = 512;
export const CODE_BYTES = 64;
/** The x87 and SSE registers, in the form of `fxsave`. */
export const FPU_BYTES = 416;

export interface Case {
  readonly code: Uint8Array;
  readonly instructions: readonly Instruction[];
  readonly regs: BigUint64Array;
  readonly flags: number;
  readonly memory: Uint8Array;
  readonly fpu: Uint8Array;
  /** Flags without a defined value at the end. */
  readonly undefinedFlags: number;
  /** Flags without a defined value somewhere on the way: what counts when the sequence ends in a fault. */
  readonly everUndefined: number;
}

/** Registers that point into the data page; they are never operands. */
export const POINTERS = new Set([4, 5, 6, 7]);
/** The register that may be an index: small. */
export const INDEX = 9;
const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ff80n,
  0xffff_ffff_8000_0000n,
  0x0123_4567_89ab_cdefn,
  31n,
  32n,
  63n,
  64n,
];

const SKIPPED_NAMES = new Set(
  'ins outs push_fs push_gs pop_fs pop_gs popf pushf sahf fwait pause mov_from_seg mov_to_seg crc32 lzcnt tzcnt popcnt movbe prefetchw leave rdrand rdseed'.split(
    ' ',
  ),
);
const KEPT_FROM_SKIPPED = new Set(['sahf', 'leave', 'fwait', 'pause']);

/** The lines of the table that user code can run with the same result as kernel code. */
export function provable(features: ReadonlySet<string>): Encoding[] {
  return ENCODINGS.filter((e) => {
    if (e.family === 'control') return false;
    if (e.family === 'x87') return /^fn(op|init|clex|stcw|stsw|stsw_ax)$/.test(e.name);
    // Approximations, which differ between processors.
    if (/^r(sqrt|cp)[sp]s$/.test(e.name)) return false;
    if (e.family === 'simd' || e.family === 'mmx') return true;
    if (e.family === 'system')
      return ['nop', 'lfence', 'mfence', 'sfence', 'endbr64', 'prefetch'].includes(e.name);
    if (features.has(e.name)) return true;
    return !SKIPPED_NAMES.has(e.name) || KEPT_FROM_SKIPPED.has(e.name);
  });
}

/** Singles and doubles at the edges: zeros, ones, largest and smallest, denormals, infinities, NaNs, limits of integers. */
const SINGLES = [
  0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x3f00_0000, 0x4020_0000, 0xc060_0000, 0x7f7f_ffff, 0xff7f_ffff,
  0x0080_0000, 1, 0x8000_0001, 0x007f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_1234, 0x7f80_0001,
  0xffbf_ffff, 0x4eff_ffff, 0x4f00_0000, 0xcf00_0000, 0x5f00_0000, 0xdf00_0000, 0x4b00_0001, 0x3eff_ffff,
];
const DOUBLES = [
  0n,
  1n << 63n,
  0x3ff0n << 48n,
  0xbff0n << 48n,
  0x3fe0n << 48n,
  0x4004n << 48n,
  0xc00cn << 48n,
  0x7fef_ffff_ffff_ffffn,
  0xffef_ffff_ffff_ffffn,
  0x10n << 48n,
  1n,
  0x8000_0000_0000_0001n,
  0xf_ffff_ffff_ffffn,
  0x7ff0n << 48n,
  0xfff0n << 48n,
  0x7ff8n << 48n,
  0xfff8_0000_1234_5678n,
  0x7ff0_0000_0000_0001n,
  0xfff7_ffff_ffff_ffffn,
  0x41df_ffff_ffc0_0000n,
  0x41e0n << 48n,
  0xc1e0n << 48n,
  0xc1e0_0000_0020_0000n,
  0x43e0n << 48n,
  0xc3e0n << 48n,
  0x43df_ffff_ffff_ffffn,
  0x47ef_ffff_f000_0000n,
  0x380f_ffff_ffff_ffffn,
  0x36a0n << 48n,
  0x3690n << 48n,
];

/** Eight bytes of a vector: two singles, a double, or integers. */
function vectorValue(random: Random): bigint {
  const single = (): bigint =>
    BigInt(random.next(5) === 0 ? random.next(2 ** 32) : SINGLES[random.next(SINGLES.length)]!);
  switch (random.next(4)) {
    case 0:
      return random.value();
    case 1:
      return DOUBLES[random.next(DOUBLES.length)]!;
    default:
      return (single() << 32n) | single();
  }
}

/** Registers of x87 and SSE: MXCSR and the control word as after reset, mmx registers where the top is register 0. */
export function vectorRegisters(random: Random): Uint8Array {
  const words = BigUint64Array.from({ length: FPU_BYTES / 8 }, () => vectorValue(random));
  words[0] = 0xff_0000_037fn;
  words[1] = words[2] = 0n;
  words[3] = 0xffff_0000_1f80n;
  for (let i = 0; i < 8; i++) words[5 + 2 * i] = 0xffffn;
  return new Uint8Array(words.buffer);
}

/** Deterministic pseudo-random numbers (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  next(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % limit;
  }

  value(): bigint {
    if (this.next(3) > 0) return EDGES[this.next(EDGES.length)]!;
    return (BigInt(this.next(2 ** 32)) << 32n) | BigInt(this.next(2 ** 32));
  }
}

/** A random instance of an encoding whose operands are safe to run, or undefined after too many tries. */
export function instance(
  encoding: Encoding,
  random: Random,
  accept: (ins: Instruction) => boolean = registersAreSafe,
): Instruction | undefined {
  const bytes = new Uint8Array(32);
  for (let attempt = 0; attempt < 400; attempt++) {
    let n = 0;
    const choice = random.next(6);
    if (encoding.prefix === '66' || encoding.prefix === 'F3' || encoding.prefix === 'F2')
      bytes[n++] = Number.parseInt(encoding.prefix, 16);
    else if (choice === 0 && encoding.prefix !== 'NP') bytes[n++] = 0x66;
    else if (choice === 1 && encoding.lockable) bytes[n++] = 0xf0;
    else if (choice < 3 && encoding.repeatable) bytes[n++] = choice === 1 ? 0xf2 : 0xf3;
    if (encoding.w >= 0) bytes[n++] = 0x40 | (encoding.w << 3) | random.next(8);
    else if (random.next(2) === 0) bytes[n++] = 0x40 | random.next(16);
    if (encoding.map > 0) bytes[n++] = 0x0f;
    if (encoding.map > 1) bytes[n++] = encoding.map === 2 ? 0x38 : 0x3a;
    bytes[n++] = encoding.opcode + (encoding.plusRegister ? random.next(8) : 0);
    if (encoding.hasModRm) {
      if (encoding.modRm >= 0) bytes[n++] = encoding.modRm;
      else {
        let modRm = random.next(256);
        if (encoding.form === 'mem') modRm = random.next(192);
        if (encoding.form === 'reg') modRm |= 0xc0;
        bytes[n++] = encoding.digit >= 0 ? (modRm & 0xc7) | (encoding.digit << 3) : modRm;
      }
    }
    const tail = n;
    const absolute = encoding.operands.some((o) => o.kind === 'O');
    for (; n < 32; n++) bytes[n] = random.next(256);
    if (absolute)
      new DataView(bytes.buffer).setBigUint64(tail, BigInt(DATA + WINDOW + random.next(256)), true);
    const first = decode(bytes, 0, 0);
    if (!isInstruction(first) || first.encoding !== encoding) continue;
    if (!accept(first)) continue;
    // Displacements of four bytes would leave the page: make them small.
    const big =
      !absolute && first.operands.some((o) => o.kind === 'mem') && Math.abs(first.displacement) > 128;
    if (big) {
      for (let i = tail; i + 3 < 32; i++) {
        const sib = (bytes[tail - 1]! & 7) === 4 && bytes[tail - 1]! < 0xc0 ? 1 : 0;
        if (i < tail + sib) continue;
        bytes[i] = random.next(128);
        bytes[i + 1] = bytes[i + 2] = bytes[i + 3] = 0;
        break;
      }
    }
    const ins = decode(bytes, 0, 0);
    if (!isInstruction(ins) || ins.encoding !== encoding || !accept(ins)) continue;
    if (
      ins.operands.some((o) => o.kind === 'mem') &&
      Math.abs(ins.displacement) > 200 &&
      ins.name !== 'lea' &&
      !absolute
    )
      continue;
    return { ...ins, bytes: bytes.slice(0, ins.length) } as Instruction;
  }
  return undefined;
}

function registersAreSafe(ins: Instruction): boolean {
  for (const o of ins.operands) {
    // Byte registers 4 to 7 without REX are ah to bh.
    if (o.kind === 'reg' && !o.high && POINTERS.has(o.reg)) return false;
    if (o.kind === 'reg' && o.reg === INDEX) return false;
  }
  if (ins.segment !== -1 || ins.ripRelative || ins.address32) return false;
  if (!ins.operands.some((o) => o.kind === 'mem')) return true;
  if (ins.name === 'nop' || ins.name === 'prefetch') return true;
  if (ins.encoding.operands.some((o) => o.kind === 'O')) return true;
  if (!POINTERS.has(ins.base)) return false;
  if (ins.index !== -1 && ins.index !== INDEX) return false;
  // Bit strings reach as far as the register says.
  return !(ins.name.startsWith('bt') && ins.operands[1]!.kind === 'reg');
}

/** Flags that an instruction leaves undefined, given how far it shifts (undefined: not known). */
export function undefinedAfter(
  ins: Instruction,
  before: number,
  regs: BigUint64Array,
  first: boolean,
): number {
  const e = ins.encoding;
  let mask = (before & ~(e.flagsWritten | e.flagsUndefined)) | e.flagsUndefined;
  if ('rol ror rcl rcr shl shr sar shld shrd'.split(' ').includes(ins.name)) {
    const size = ins.operands[0]!.size;
    const by = ins.operands.at(-1)!;
    const known = by.kind === 'imm' ? by.value : first ? Number(regs[1]! & 0xffn) : undefined;
    const n = known === undefined ? undefined : known & (size === 64 ? 63 : 31);
    if (n === undefined) return before | e.flagsWritten | e.flagsUndefined;
    if (n === 0) return before;
    if (n !== 1) mask |= FLAG_BITS.o;
    if (n >= size && !ins.name.startsWith('r')) mask |= FLAG_BITS.c;
    if (n > size && ins.name.startsWith('sh') && ins.name.endsWith('d')) mask |= 0x8d5;
  }
  return mask;
}

/** Moves the base register so that the memory operand is aligned to 16 bytes. */
function align(ins: Instruction, regs: BigUint64Array): void {
  if (ins.base === -1) return;
  let at = regs[ins.base]! + BigInt(ins.displacement);
  if (ins.index !== -1) at += regs[ins.index]! << BigInt(ins.scale);
  regs[ins.base]! -= at & 15n;
}

/** A sequence that begins with an instance of the encoding. */
export function makeCase(encoding: Encoding, others: readonly Encoding[], random: Random): Case | undefined {
  const regs = BigUint64Array.from({ length: 16 }, () => random.value());
  for (const r of POINTERS) regs[r] = BigInt(DATA + WINDOW + 224 + random.next(64));
  if (random.next(4) > 0) regs[4] = BigInt(DATA + WINDOW + 256);
  regs[INDEX] = BigInt(random.next(8));
  if (encoding.family === 'string') regs[1] = BigInt(random.next(12));
  const flags = 0x202 | (random.next(2 ** 16) & 0x8d5);
  const code = new Uint8Array(CODE_BYTES).fill(0xcc);
  const instructions: Instruction[] = [];
  let at = 0;
  let undefinedFlags = 0;
  let everUndefined = 0;
  const count = 1 + random.next(3);
  for (let i = 0; i < count; i++) {
    const ins = instance(i === 0 ? encoding : others[random.next(others.length)]!, random);
    if (ins === undefined) {
      if (i === 0) return undefined;
      continue;
    }
    if (
      i > 0 &&
      (ins.encoding.repeatable ||
        ins.name === 'bsf' ||
        ins.name === 'bsr' ||
        ins.name === 'leave' ||
        ins.name === 'enter' ||
        (undefinedFlags & ins.encoding.flagsRead) !== 0)
    )
      continue;
    const bytes = (ins as unknown as { bytes: Uint8Array }).bytes;
    if (at + bytes.length >= CODE_BYTES) break;
    code.set(bytes, at);
    at += bytes.length;
    instructions.push(ins);
    undefinedFlags = undefinedAfter(ins, undefinedFlags, regs, i === 0);
    everUndefined |= undefinedFlags;
    // What it leaves undefined in registers would spread.
    if (
      ins.name === 'bsf' ||
      ins.name === 'bsr' ||
      ((ins.name === 'shld' || ins.name === 'shrd') && ins.operandSize === 16)
    )
      break;
  }
  const vector = encoding.family === 'simd' || encoding.family === 'mmx';
  const memory = vector
    ? new Uint8Array(BigUint64Array.from({ length: WINDOW_BYTES / 8 }, () => vectorValue(random)).buffer)
    : Uint8Array.from({ length: WINDOW_BYTES }, () =>
        random.next(4) === 0 ? random.next(256) : [0, 0xff, 0x80, 0x7f, 1][random.next(5)]!,
      );
  if (vector && random.next(4) > 0) align(instructions[0]!, regs);
  return {
    fpu: vectorRegisters(random),
    code,
    instructions,
    regs,
    flags,
    memory,
    undefinedFlags,
    everUndefined,
  };
}
