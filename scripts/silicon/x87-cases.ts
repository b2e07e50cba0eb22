import { ENCODINGS, type Encoding, type Instruction } from '../../packages/ringside/src/x86/index.ts';
import {
  type Case,
  CODE_BYTES,
  DATA,
  FPU_BYTES,
  instance,
  type Random,
  WINDOW,
  WINDOW_BYTES,
} from './cases.ts';
import { binaryBits, extendedBits } from './float-values.ts';

/** Functions whose last bit is the processor's own affair. */
export const TRANSCENDENTAL: ReadonlySet<string> = new Set(
  'f2xm1 fyl2x fyl2xp1 fptan fpatan fsin fcos fsincos'.split(' '),
);

export const X87_ENCODINGS: readonly Encoding[] = ENCODINGS.filter(
  (e) => e.family === 'x87' || e.name === 'fwait',
);

const POINTERS = [4, 5, 6, 7];
const POINTER = BigInt(DATA + WINDOW + 256);

function accept(ins: Instruction): boolean {
  if (ins.segment !== -1 || ins.ripRelative || ins.address32) return false;
  if (!ins.operands.some((o) => o.kind === 'mem')) return true;
  return POINTERS.includes(ins.base) && ins.index === -1 && Math.abs(ins.displacement) <= 128;
}

/** Where the memory operand begins in the window. */
export function operandOffset(ins: Instruction): number | undefined {
  if (!ins.operands.some((o) => o.kind === 'mem')) return undefined;
  return Number(POINTER) + ins.displacement - DATA - WINDOW;
}

function memoryOperand(ins: Instruction, random: Random): bigint {
  const { name } = ins;
  const { size } = ins.operands.find((o) => o.kind === 'mem')!;
  if (name === 'fldcw') return BigInt(controlWord(random));
  if (name === 'fbld') {
    let digits = 0n;
    const count = random.next(19);
    for (let i = 0; i < count; i++) digits = (digits << 4n) | BigInt(random.next(10));
    return digits | (BigInt(random.next(2) * 0x80) << 72n);
  }
  if (name.startsWith('fi')) return BigInt.asUintN(size, random.value());
  if (size === 32 || size === 64) return binaryBits(random, size);
  return extendedBits(random);
}

function controlWord(random: Random): number {
  const masks = random.next(3) > 0 ? 0x3f : random.next(64);
  const precision = [3, 3, 3, 0, 2, 1][random.next(6)]!;
  return 0x40 | masks | (precision << 8) | (random.next(4) << 10);
}

/** A sequence that begins with an instance of the encoding, on a random state of the unit. */
export function makeX87Case(
  encoding: Encoding,
  others: readonly Encoding[],
  random: Random,
  most = 3,
): Case | undefined {
  const regs = BigUint64Array.from({ length: 16 }, () => random.value());
  for (const r of POINTERS) regs[r] = POINTER;
  const code = new Uint8Array(CODE_BYTES).fill(0xcc);
  const memory = Uint8Array.from({ length: WINDOW_BYTES }, () => random.next(256));
  const instructions: Instruction[] = [];
  let at = 0;
  const count = 1 + random.next(most);
  for (let i = 0; i < count; i++) {
    const ins = instance(i === 0 ? encoding : others[random.next(others.length)]!, random, accept);
    if (ins === undefined) {
      if (i === 0) return undefined;
      continue;
    }
    const bytes = (ins as unknown as { bytes: Uint8Array }).bytes;
    if (at + bytes.length >= CODE_BYTES) break;
    code.set(bytes, at);
    at += bytes.length;
    instructions.push(ins);
    const offset = operandOffset(ins);
    if (offset === undefined) continue;
    if (ins.name === 'fldenv' || ins.name === 'frstor') {
      environment(new DataView(memory.buffer, offset), ins.operandSize === 16, random);
    } else {
      const size = ins.operands.find((o) => o.kind === 'mem')!.size;
      let value = memoryOperand(ins, random);
      for (let k = 0; k < size >> 3; k++) {
        memory[offset + k] = Number(value & 0xffn);
        value >>= 8n;
      }
    }
  }
  return {
    fpu: state(random),
    code,
    instructions,
    regs,
    flags: 0x202 | (random.next(2 ** 16) & 0x8d5),
    memory,
    undefinedFlags: 0,
    everUndefined: 0,
  };
}

function statusFor(control: number, random: Random): number {
  const flags = random.next(6) === 0 ? random.next(128) : 0;
  const summary = (flags & ~control & 0x3f) !== 0 ? 0x8080 : 0;
  return flags | summary | (random.next(8) << 11) | ((random.next(16) << 8) & 0x4700);
}

function environment(view: DataView, short: boolean, random: Random): void {
  const step = short ? 2 : 4;
  const control = controlWord(random);
  const words = [
    control,
    statusFor(control, random),
    random.next(65536),
    random.next(65536),
    0,
    random.next(65536),
    0,
  ];
  for (const [i, word] of words.entries()) view.setUint16(step * i, word, true);
  const registers = short ? 14 : 28;
  for (let i = 0; i < 8 && registers + 10 * i + 10 <= view.byteLength; i++) {
    const bits = extendedBits(random);
    view.setBigUint64(registers + 10 * i, bits & 0xffff_ffff_ffff_ffffn, true);
    view.setUint16(registers + 10 * i + 8, Number(bits >> 64n), true);
  }
}

function state(random: Random): Uint8Array {
  const bytes = new Uint8Array(FPU_BYTES);
  const view = new DataView(bytes.buffer);
  const control = controlWord(random);
  view.setUint16(0, control, true);
  view.setUint16(2, statusFor(control, random), true);
  view.setUint8(4, random.next(3) > 0 ? 0xff : random.next(256));
  // Half of the time there is room to push.
  if (random.next(2) === 0)
    view.setUint8(4, view.getUint8(4) & ~(1 << (((view.getUint16(2, true) >> 11) - 1) & 7)));
  view.setUint32(24, 0x1f80, true);
  view.setUint32(28, 0xffff, true);
  let near: bigint | undefined;
  for (let i = 0; i < 8; i++) {
    const bits = extendedBits(random, near);
    near = bits;
    view.setBigUint64(32 + 16 * i, bits & 0xffff_ffff_ffff_ffffn, true);
    view.setUint16(32 + 16 * i + 8, Number(bits >> 64n), true);
  }
  return bytes;
}
