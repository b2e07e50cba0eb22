import { addrFromParts } from '../bytes/index.ts';
import { type Encoding, LOOKUP, type OperandSpec } from './encodings.ts';
import { FS, GS, type Instruction, NO_REGISTER, type Operand, type Undecodable } from './instruction.ts';

/** One-byte opcodes that raise #UD in 64-bit mode. Source: SDM vol. 2, table A-2, superscript i64. */
const INVALID_64 = new Set([
  0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5,
  0xd6, 0xea,
]);

const MAX_LENGTH = 15;

const regOperands = new Map<number, Operand>();

const vectorOperands = new Map<string, Operand>();

function vectorOperand(kind: 'xmm' | 'mmx' | 'st', reg: number, size: number): Operand {
  const key = `${kind}${reg}/${size}`;
  let operand = vectorOperands.get(key);
  if (operand === undefined) {
    operand = { kind, size, reg, high: false, value: 0, big: undefined };
    vectorOperands.set(key, operand);
  }
  return operand;
}

function regOperand(reg: number, size: number, high = false): Operand {
  const key = reg | (size << 8) | (high ? 0x80 : 0);
  let operand = regOperands.get(key);
  if (operand === undefined) {
    operand = { kind: 'reg', size, reg, high, value: 0, big: undefined };
    regOperands.set(key, operand);
  }
  return operand;
}

const memOperands = new Map<number, Operand>();

function memOperand(size: number): Operand {
  let operand = memOperands.get(size);
  if (operand === undefined) {
    operand = { kind: 'mem', size, reg: NO_REGISTER, high: false, value: 0, big: undefined };
    memOperands.set(size, operand);
  }
  return operand;
}

function valueOperand(kind: 'imm' | 'rel', size: number, value: number, big?: bigint): Operand {
  return { kind, size, reg: NO_REGISTER, high: false, value, big };
}

/**
 * Decodes the instruction at `at` in `bytes`, whose guest address is `addr`. 64-bit mode.
 * Reads at most 15 bytes and never past the end of `bytes`.
 */
export function decode(bytes: Uint8Array, at: number, addr: number): Instruction | Undecodable {
  const limit = Math.min(bytes.length, at + MAX_LENGTH);
  const stop = (reason: Undecodable['reason'], p: number): Undecodable => ({
    addr,
    reason:
      p >= at + MAX_LENGTH ? 'too-long' : p >= bytes.length && reason !== 'invalid' ? 'truncated' : reason,
    length: Math.max(1, Math.min(p, limit) - at),
  });
  let p = at;
  let opsize16 = false;
  let address32 = false;
  let segment: number = NO_REGISTER;
  let lock = false;
  let repeat = 0;
  let rex = 0;
  let opcode: number;
  for (;;) {
    if (p >= limit) return stop('unknown', p);
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
    if (p >= limit) return stop('unknown', p);
    opcode = bytes[p++]!;
    map = 1;
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? 2 : 3;
      if (p >= limit) return stop('unknown', p);
      opcode = bytes[p++]!;
    }
  } else if (INVALID_64.has(opcode)) return stop('invalid', p);
  const candidates = LOOKUP[map * 256 + opcode];
  if (candidates === undefined) return stop('unknown', p);
  const w = (rex >> 3) & 1;
  const modRm = p < limit ? bytes[p]! : -1;
  let encoding: Encoding | undefined;
  for (let i = 0; i < candidates.length; i++) {
    const c = candidates[i]!;
    if (c.hasModRm) {
      if (modRm < 0) return stop('unknown', limit);
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
    encoding = c;
    break;
  }
  if (encoding === undefined) return stop(map === 0 ? 'invalid' : 'unknown', p);

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
    // Moves to and from control registers have no memory form: mod is ignored.
    mod = encoding.operands.some((o) => o.kind === 'C' || o.kind === 'D') ? 3 : modRm >> 6;
    reg = ((modRm >> 3) & 7) | ((rex & 4) << 1);
    rm = (modRm & 7) | ((rex & 1) << 3);
    if (mod !== 3) {
      let dispBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
      if ((modRm & 7) === 4) {
        if (p >= limit) return stop('unknown', p);
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
      if (p + dispBytes > limit) return stop('unknown', p + dispBytes);
      if (dispBytes === 1) displacement = (bytes[p]! << 24) >> 24;
      else if (dispBytes === 4) displacement = int32(bytes, p);
      p += dispBytes;
    }
  }
  // A W prefix wins over 66; `d64` and `f64` instructions have no 32-bit form.
  const operandSize = encoding.force64 || w ? 64 : opsize16 ? 16 : encoding.default64 ? 64 : 32;
  const specs = encoding.operands;
  const operands: Operand[] = [];
  for (let i = 0; i < specs.length; i++) {
    const spec = specs[i]!;
    const size = sizeOf(spec, operandSize, w);
    switch (spec.kind) {
      case 'E':
      case 'R':
        if (mod === 3 || spec.kind === 'R') operands.push(byteAware(rm, size, rex));
        else operands.push(memOperand(size));
        break;
      case 'M':
        if (mod === 3) return stop('invalid', p);
        operands.push(memOperand(size));
        break;
      case 'G':
        operands.push(byteAware(reg, size, rex));
        break;
      case 'V':
        operands.push(vectorOperand('xmm', reg, size));
        break;
      case 'P':
        operands.push(vectorOperand('mmx', reg & 7, size));
        break;
      case 'W':
      case 'Q':
      case 'U':
      case 'N': {
        const xmm = spec.kind === 'W' || spec.kind === 'U';
        if (mod === 3) operands.push(vectorOperand(xmm ? 'xmm' : 'mmx', xmm ? rm : rm & 7, size));
        else if (spec.kind === 'U' || spec.kind === 'N') return stop('invalid', p);
        else operands.push(memOperand(size));
        break;
      }
      case 'T':
        operands.push(vectorOperand('st', rm & 7, 80));
        break;
      case 'ST':
        operands.push(vectorOperand('st', 0, 80));
        break;
      case 'Z':
        operands.push(byteAware((opcode & 7) | ((rex & 1) << 3), size, rex));
        break;
      case 'I': {
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
        if (p + width > limit) return stop('unknown', p + width);
        if (width === 8) {
          const high = int32(bytes, p + 4);
          const low = int32(bytes, p) >>> 0;
          const exact = high >= -0x20_0000 && high < 0x20_0000;
          operands.push(
            exact
              ? valueOperand('imm', 64, high * 2 ** 32 + low)
              : valueOperand('imm', 64, 0, (BigInt(high) << 32n) | BigInt(low)),
          );
        } else {
          const value =
            width === 1
              ? (bytes[p]! << 24) >> 24
              : width === 2
                ? ((bytes[p]! | (bytes[p + 1]! << 8)) << 16) >> 16
                : int32(bytes, p);
          operands.push(
            valueOperand(
              'imm',
              spec.size === 'b' ? 8 : spec.size === 'w' ? 16 : operandSize,
              spec.size === 'w' ? value & 0xffff : value,
            ),
          );
        }
        p += width;
        break;
      }
      case 'J': {
        const width = spec.size === 'b' ? 1 : 4;
        if (p + width > limit) return stop('unknown', p + width);
        const offset = width === 1 ? (bytes[p]! << 24) >> 24 : int32(bytes, p);
        p += width;
        operands.push(valueOperand('rel', 64, addr + (p - at) + offset));
        break;
      }
      case 'O': {
        const width = address32 ? 4 : 8;
        if (p + width > limit) return stop('unknown', p + width);
        displacement = address32
          ? int32(bytes, p) >>> 0
          : addrFromParts(int32(bytes, p + 4), int32(bytes, p));
        p += width;
        operands.push(memOperand(size));
        break;
      }
      case 'AL':
        operands.push(regOperand(0, 8));
        break;
      case 'CL':
        operands.push(regOperand(1, 8));
        break;
      case 'DX':
        operands.push(regOperand(2, 16));
        break;
      case 'rAX':
        operands.push(regOperand(0, operandSize));
        break;
      case 'eAX':
        operands.push(regOperand(0, operandSize === 16 ? 16 : 32));
        break;
      case '1':
        operands.push(valueOperand('imm', 8, 1));
        break;
      case 'S':
      case 'C':
      case 'D':
        operands.push({
          kind: spec.kind === 'S' ? 'segment' : spec.kind === 'C' ? 'control' : 'debug',
          size: spec.kind === 'S' ? 16 : 64,
          reg: spec.kind === 'S' ? reg & 7 : reg,
          high: false,
          value: 0,
          big: undefined,
        });
        break;
    }
  }
  if (p > limit) return stop('unknown', p);
  if (lock) {
    const locks = encoding.lockable && mod !== 3;
    if (!locks) return stop('invalid', p);
  }
  if (ripRelative) displacement = addr + (p - at) + displacement;
  return {
    addr,
    length: p - at,
    encoding,
    name: encoding.name,
    operandSize,
    operands,
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

function int32(bytes: Uint8Array, p: number): number {
  return bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
}

function byteAware(reg: number, size: number, rex: number): Operand {
  if (size === 8 && rex === 0 && reg >= 4 && reg < 8) return regOperand(reg - 4, 8, true);
  return regOperand(reg, size);
}

function sizeOf(spec: OperandSpec, operandSize: number, w: number): number {
  switch (spec.size) {
    case 'b':
      return 8;
    case 'w':
      return 16;
    case 'd':
      return 32;
    case 'q':
      return 64;
    case 't':
      return 80;
    case 'o':
      return 128;
    case 'v':
      return operandSize;
    case 'z':
      return operandSize === 16 ? 16 : 32;
    case 'y':
      return w ? 64 : 32;
    default:
      return 0;
  }
}
