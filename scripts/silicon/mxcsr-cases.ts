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
import { binaryBits } from './float-values.ts';

/** Instructions that MXCSR rules. Approximations differ between processors. */
export const MXCSR_ENCODINGS: readonly Encoding[] = ENCODINGS.filter((e) =>
  /^(add|sub|mul|div|sqrt|min|max|cmp|hadd|hsub|addsub)[ps][sd]$|^u?comis[sd]$|^cvt/.test(e.name),
);

const POINTERS = new Set([4, 5, 6, 7]);
const POINTER = BigInt(DATA + WINDOW + 256);

function accept(ins: Instruction): boolean {
  if (ins.segment !== -1 || ins.ripRelative || ins.address32) return false;
  if (ins.operands.some((o) => o.kind === 'reg' && POINTERS.has(o.reg))) return false;
  if (!ins.operands.some((o) => o.kind === 'mem')) return true;
  // 16 bytes have to be aligned.
  return (
    POINTERS.has(ins.base) &&
    ins.index === -1 &&
    Math.abs(ins.displacement) <= 128 &&
    ins.displacement % 16 === 0
  );
}

/** The usual mode as often as all others; flags that are set already, or none. */
function controlAndStatus(random: Random): number {
  const flags = random.next(3) === 0 ? random.next(64) : random.next(2) * 0x20;
  if (random.next(2) === 0) return 0x1f80 | flags;
  const masks = random.next(2) === 0 ? 0x3f : random.next(64);
  const mode = random.next(4) << 13;
  const zeros = (random.next(3) === 0 ? 0x8000 : 0) | (random.next(3) === 0 ? 0x40 : 0);
  return flags | (masks << 7) | mode | zeros;
}

/** Eight bytes: a double, two singles, or integers. */
function value(random: Random): bigint {
  switch (random.next(8)) {
    case 0:
      return random.value();
    case 1:
    case 2:
    case 3:
      return binaryBits(random, 64);
    default:
      return (binaryBits(random, 32) << 32n) | binaryBits(random, 32);
  }
}

export function makeMxcsrCase(encoding: Encoding, random: Random): Case | undefined {
  const regs = BigUint64Array.from({ length: 16 }, () => random.value());
  for (const r of POINTERS) regs[r] = POINTER;
  const code = new Uint8Array(CODE_BYTES).fill(0xcc);
  const instructions: Instruction[] = [];
  let at = 0;
  const count = 1 + random.next(3);
  for (let i = 0; i < count; i++) {
    const other = MXCSR_ENCODINGS[random.next(MXCSR_ENCODINGS.length)]!;
    const ins = instance(i === 0 ? encoding : other, random, accept);
    if (ins === undefined) {
      if (i === 0) return undefined;
      continue;
    }
    const bytes = (ins as unknown as { bytes: Uint8Array }).bytes;
    if (at + bytes.length >= CODE_BYTES) break;
    code.set(bytes, at);
    at += bytes.length;
    instructions.push(ins);
  }
  const words = BigUint64Array.from({ length: FPU_BYTES / 8 }, () => value(random));
  words[0] = 0x037fn;
  words[1] = words[2] = 0n;
  words[3] = (0xffffn << 32n) | BigInt(controlAndStatus(random));
  for (let i = 0; i < 8; i++) words[5 + 2 * i] = 0xffffn;
  const memory = BigUint64Array.from({ length: WINDOW_BYTES / 8 }, () => value(random));
  return {
    fpu: new Uint8Array(words.buffer),
    code,
    instructions,
    regs,
    flags: 0x202 | (random.next(2 ** 16) & 0x8d5),
    memory: new Uint8Array(memory.buffer),
    undefinedFlags: 0,
    everUndefined: 0,
  };
}
