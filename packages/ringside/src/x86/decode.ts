import { addrFromParts } from '../bytes/index.ts';
import { type Encoding, LOOKUP, OPERAND_KINDS } from './encodings.ts';
import {
  FS,
  GS,
  type Instruction,
  NO_REGISTER,
  type Operand,
  type OperandKind,
  type Undecodable,
} from './instruction.ts';

/** One-byte opcodes that raise #UD in 64-bit mode. Source: SDM vol. 2, table A-2, superscript i64. */
const INVALID_64 = new Uint8Array(256);
for (const opcode of [
  0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5,
  0xd6, 0xea,
])
  INVALID_64[opcode] = 1;

const MAX_LENGTH = 15;

const KIND = Object.fromEntries(OPERAND_KINDS.map((kind, i) => [kind, i])) as Readonly<
  Record<(typeof OPERAND_KINDS)[number], number>
>;

function operand(
  kind: OperandKind,
  size: number,
  reg: number,
  high: boolean,
  value: number,
  big: bigint | undefined,
): Operand {
  return { kind, size, reg, high, value, big };
}

// An engine that has seen only numbers in `value` boxes each of them, since branch targets are no small integers.
operand('imm', 0, NO_REGISTER, false, null as never, undefined);

/** Operands that are the same in many instructions, made once: a register is `[(width >> 3) * 16 + number]`. */
const REGISTERS = registerOperands('reg');
const XMM = registerOperands('xmm');
const MMX = registerOperands('mmx');
const ST = registerOperands('st');
const HIGH_BYTES = Array.from({ length: 4 }, (_, reg) => operand('reg', 8, reg, true, 0, undefined));
const MEMORY = Array.from({ length: 17 }, (_, bytes) =>
  operand('mem', bytes * 8, NO_REGISTER, false, 0, undefined),
);
const SEGMENTS = Array.from({ length: 8 }, (_, reg) => operand('segment', 16, reg, false, 0, undefined));
const SMALLEST = -128;
/** Immediates that fit into a byte: `[(width >> 3) * 256 + value - SMALLEST]`. */
const SMALL_IMMEDIATES = Array.from({ length: 9 * 256 }, (_, i) =>
  operand('imm', (i >> 8) * 8, NO_REGISTER, false, (i & 255) + SMALLEST, undefined),
);

function registerOperands(kind: OperandKind): readonly Operand[] {
  return Array.from({ length: 17 * 16 }, (_, i) => operand(kind, (i >> 4) * 8, i & 15, false, 0, undefined));
}

function register(reg: number, size: number, rex: number): Operand {
  if (size === 8 && rex === 0 && reg >= 4 && reg < 8) return HIGH_BYTES[reg - 4]!;
  return REGISTERS[(size << 1) | reg]!;
}

function immediate(size: number, value: number): Operand {
  if (value >= SMALLEST && value < SMALLEST + 256) return SMALL_IMMEDIATES[(size << 5) + value - SMALLEST]!;
  return operand('imm', size, NO_REGISTER, false, value, undefined);
}

function int32(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
}

/** A 64-bit immediate. */
function immediate64(bytes: Uint8Array, p: number): Operand {
  const high = int32(bytes, p + 4);
  const low = int32(bytes, p) >>> 0;
  const exact = high >= -0x20_0000 && high < 0x20_0000;
  return exact
    ? immediate(64, high * 2 ** 32 + low)
    : operand('imm', 64, NO_REGISTER, false, 0, (BigInt(high) << 32n) | BigInt(low));
}

/** Bytes `[at, p)` are no instruction. */
function undecodable(
  bytes: Uint8Array,
  at: number,
  addr: number,
  reason: Undecodable['reason'],
  p: number,
): Undecodable {
  const limit = Math.min(bytes.length, at + MAX_LENGTH);
  return {
    addr,
    reason:
      p >= at + MAX_LENGTH ? 'too-long' : p >= bytes.length && reason !== 'invalid' ? 'truncated' : reason,
    length: Math.max(1, Math.min(p, limit) - at),
  };
}

/** The first of the encodings of an opcode that its prefixes and ModRM byte (-1: there is none) allow. */
function choose(
  candidates: readonly Encoding[],
  modRm: number,
  w: number,
  opsize16: boolean,
  repeat: number,
): Encoding | undefined {
  for (let i = 0; i < candidates.length; i++) {
    const c = candidates[i]!;
    if (c.isPlain) return c;
    if (c.hasModRm) {
      if (c.modRm >= 0 && c.modRm !== modRm) continue;
      if (c.digit >= 0 && c.digit !== ((modRm >> 3) & 7)) continue;
      if (c.form !== '' && (c.form === 'reg') !== modRm >= 0xc0) continue;
    }
    if (c.w >= 0 && c.w !== w) continue;
    if (c.prefix !== '') {
      if (c.prefix === '66' && (!opsize16 || repeat !== 0)) continue;
      if (c.prefix === 'F3' && repeat !== 0xf3) continue;
      if (c.prefix === 'F2' && repeat !== 0xf2) continue;
      if (c.prefix === 'NP' && (opsize16 || repeat !== 0)) continue;
    }
    return c;
  }
  return undefined;
}

/**
 * Decodes the instruction at `at` in `bytes`, whose guest address is `addr`. 64-bit mode.
 * Reads at most 15 bytes and never past the end of `bytes`.
 */
export function decode(bytes: Uint8Array, at: number, addr: number): Instruction | Undecodable {
  const limit = Math.min(bytes.length, at + MAX_LENGTH);
  let p = at;
  let opsize16 = false;
  let address32 = false;
  let segment: number = NO_REGISTER;
  let lock = false;
  let repeat = 0;
  let rex = 0;
  let opcode: number;
  for (;;) {
    if (p >= limit) return undecodable(bytes, at, addr, 'unknown', p);
    opcode = bytes[p++]!;
    if ((opcode & 0xf0) === 0x40) {
      rex = opcode;
      continue;
    }
    let isPrefix = true;
    switch (opcode) {
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        break;
      case 0x64:
        segment = FS;
        break;
      case 0x65:
        segment = GS;
        break;
      case 0x66:
        opsize16 = true;
        break;
      case 0x67:
        address32 = true;
        break;
      case 0xf0:
        lock = true;
        break;
      case 0xf2:
      case 0xf3:
        repeat = opcode;
        break;
      default:
        isPrefix = false;
    }
    if (!isPrefix) break;
    rex = 0;
  }
  let map = 0;
  if (opcode === 0x0f) {
    if (p >= limit) return undecodable(bytes, at, addr, 'unknown', p);
    opcode = bytes[p++]!;
    map = 1;
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? 2 : 3;
      if (p >= limit) return undecodable(bytes, at, addr, 'unknown', p);
      opcode = bytes[p++]!;
    }
  } else if (INVALID_64[opcode] === 1) return undecodable(bytes, at, addr, 'invalid', p);
  const candidates = LOOKUP[map * 256 + opcode];
  if (candidates === undefined) return undecodable(bytes, at, addr, 'invalid', p);
  const w = (rex >> 3) & 1;
  const modRm = p < limit ? bytes[p]! : -1;
  // Encodings of one opcode all have a ModRM byte, or none has.
  if (modRm < 0 && candidates[0]!.hasModRm) return undecodable(bytes, at, addr, 'unknown', limit);
  const encoding = choose(candidates, modRm, w, opsize16, repeat);
  if (encoding === undefined) return undecodable(bytes, at, addr, 'invalid', p);

  let mod = 3;
  let reg = 0;
  let rm = 0;
  let base: number = NO_REGISTER;
  let index: number = NO_REGISTER;
  let scale = 0;
  let displacement = 0;
  let ripRelative = false;
  if (encoding.hasModRm) {
    p++;
    mod = encoding.ignoresMod ? 3 : modRm >> 6;
    reg = ((modRm >> 3) & 7) | ((rex & 4) << 1);
    rm = (modRm & 7) | ((rex & 1) << 3);
    if (mod !== 3) {
      let dispBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
      if ((modRm & 7) === 4) {
        if (p >= limit) return undecodable(bytes, at, addr, 'unknown', p);
        const sib = bytes[p++]!;
        scale = sib >> 6;
        index = ((sib >> 3) & 7) | ((rex & 2) << 2);
        if (index === 4) index = NO_REGISTER;
        base = (sib & 7) | ((rex & 1) << 3);
        if ((sib & 7) === 5 && mod === 0) {
          base = NO_REGISTER;
          dispBytes = 4;
        }
      } else if ((modRm & 7) === 5 && mod === 0) {
        ripRelative = true;
        dispBytes = 4;
      } else base = rm;
      if (p + dispBytes > limit) return undecodable(bytes, at, addr, 'unknown', p + dispBytes);
      if (dispBytes === 1) displacement = (bytes[p]! << 24) >> 24;
      else if (dispBytes === 4) displacement = int32(bytes, p);
      p += dispBytes;
    }
  }
  // A W prefix wins over 66; `d64` and `f64` instructions have no 32-bit form.
  const operandSize = encoding.force64 || w === 1 ? 64 : opsize16 ? 16 : encoding.default64 ? 64 : 32;
  const widthClass = (operandSize === 16 ? 0 : operandSize === 32 ? 1 : 2) + 3 * w;
  const specs = encoding.operands;
  const count = specs.length;
  const operands: Operand[] = count === 0 ? NO_OPERANDS : [];
  let memory = -1;
  for (let i = 0; i < count; i++) {
    const spec = specs[i]!;
    const size = spec.widths[widthClass]!;
    let made: Operand;
    switch (spec.code) {
      case KIND.E:
        if (mod === 3) made = register(rm, size, rex);
        else {
          memory = i;
          made = MEMORY[size >> 3]!;
        }
        break;
      case KIND.R:
        made = register(rm, size, rex);
        break;
      case KIND.M:
        if (mod === 3) return undecodable(bytes, at, addr, 'invalid', p);
        memory = i;
        made = MEMORY[size >> 3]!;
        break;
      case KIND.G:
        made = register(reg, size, rex);
        break;
      case KIND.Z:
        made = register((opcode & 7) | ((rex & 1) << 3), size, rex);
        break;
      case KIND.I: {
        const width =
          spec.size === 'bs' || spec.size === 'b'
            ? 1
            : spec.size === 'w'
              ? 2
              : spec.size === 'v' && operandSize === 64
                ? 8
                : operandSize === 16
                  ? 2
                  : 4;
        if (p + width > limit) return undecodable(bytes, at, addr, 'unknown', p + width);
        if (width === 1) made = immediate(spec.size === 'b' ? 8 : operandSize, (bytes[p]! << 24) >> 24);
        else if (width === 4) made = immediate(operandSize, int32(bytes, p));
        else if (width === 8) made = immediate64(bytes, p);
        else {
          const value = bytes[p]! | (bytes[p + 1]! << 8);
          made = spec.size === 'w' ? immediate(16, value) : immediate(operandSize, (value << 16) >> 16);
        }
        p += width;
        break;
      }
      case KIND.J: {
        const width = spec.size === 'b' ? 1 : 4;
        if (p + width > limit) return undecodable(bytes, at, addr, 'unknown', p + width);
        const offset = width === 1 ? (bytes[p]! << 24) >> 24 : int32(bytes, p);
        p += width;
        made = operand('rel', 64, NO_REGISTER, false, addr + (p - at) + offset, undefined);
        break;
      }
      case KIND.V:
        made = XMM[(size << 1) | reg]!;
        break;
      case KIND.P:
        made = MMX[(size << 1) | (reg & 7)]!;
        break;
      case KIND.W:
      case KIND.U:
        if (mod === 3) made = XMM[(size << 1) | rm]!;
        else if (spec.code === KIND.U) return undecodable(bytes, at, addr, 'invalid', p);
        else {
          memory = i;
          made = MEMORY[size >> 3]!;
        }
        break;
      case KIND.Q:
      case KIND.N:
        if (mod === 3) made = MMX[(size << 1) | (rm & 7)]!;
        else if (spec.code === KIND.N) return undecodable(bytes, at, addr, 'invalid', p);
        else {
          memory = i;
          made = MEMORY[size >> 3]!;
        }
        break;
      case KIND.T:
        made = ST[(80 << 1) | (rm & 7)]!;
        break;
      case KIND.ST:
        made = ST[80 << 1]!;
        break;
      case KIND.O: {
        const width = address32 ? 4 : 8;
        if (p + width > limit) return undecodable(bytes, at, addr, 'unknown', p + width);
        displacement = address32
          ? int32(bytes, p) >>> 0
          : addrFromParts(int32(bytes, p + 4), int32(bytes, p));
        p += width;
        memory = i;
        made = MEMORY[size >> 3]!;
        break;
      }
      case KIND.AL:
        made = REGISTERS[8 << 1]!;
        break;
      case KIND.CL:
        made = REGISTERS[(8 << 1) | 1]!;
        break;
      case KIND.DX:
        made = REGISTERS[(16 << 1) | 2]!;
        break;
      case KIND.rAX:
        made = REGISTERS[operandSize << 1]!;
        break;
      case KIND.eAX:
        made = REGISTERS[(operandSize === 16 ? 16 : 32) << 1]!;
        break;
      case KIND['1']:
        made = immediate(8, 1);
        break;
      case KIND.S:
        made = SEGMENTS[reg & 7]!;
        break;
      case KIND.C:
      case KIND.D:
        made = operand(spec.code === KIND.C ? 'control' : 'debug', 64, reg, false, 0, undefined);
        break;
      default:
        // The width of a string operation, which is no operand.
        continue;
    }
    operands.push(made);
  }
  if (p > limit) return undecodable(bytes, at, addr, 'unknown', p);
  if (lock && !(encoding.lockable && mod !== 3)) return undecodable(bytes, at, addr, 'invalid', p);
  if (ripRelative) displacement = addr + (p - at) + displacement;
  return instruction(
    addr,
    p - at,
    encoding,
    operandSize,
    operands,
    memory,
    base,
    index,
    scale,
    displacement,
    ripRelative,
    segment,
    address32,
    lock,
    repeat,
  );
}

const NO_OPERANDS: Operand[] = [];

function instruction(
  addr: number,
  length: number,
  encoding: Encoding,
  operandSize: 16 | 32 | 64,
  operands: readonly Operand[],
  memory: number,
  base: number,
  index: number,
  scale: number,
  displacement: number,
  ripRelative: boolean,
  segment: number,
  address32: boolean,
  lock: boolean,
  repeat: number,
): Instruction {
  return {
    addr,
    length,
    encoding,
    name: encoding.name,
    operandSize,
    operands,
    memory,
    base,
    index,
    scale,
    displacement,
    ripRelative,
    segment,
    address32,
    lock,
    rep: repeat === 0xf3,
    repne: repeat === 0xf2,
  };
}

// As for operands: addresses and displacements are no small integers.
instruction(
  null as never,
  0,
  LOOKUP[0x90]![0]!,
  32,
  NO_OPERANDS,
  -1,
  0,
  0,
  0,
  null as never,
  false,
  0,
  false,
  false,
  0,
);
