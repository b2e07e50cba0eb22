import { expect, test } from 'vitest';
import { Random } from '../../../../scripts/silicon/cases.ts';
import { MXCSR_ENCODINGS, makeMxcsrCase } from '../../../../scripts/silicon/mxcsr-cases.ts';
import { buildHarness, type Outcome, runNative } from '../../../../scripts/silicon/run-native.ts';
import { printInstruction } from '../x86/index.ts';
import { FPU_BYTES, FPU_MXCSR, FPU_ST, FPU_XMM, SLOT_RFLAGS } from './register-file.ts';
import { ARITHMETIC, enterCase, type PlacedCase, placeCases } from './silicon.fixture.ts';

const PER_LINE = Number(process.env['SILICON_PER_LINE'] ?? 400);
const SEED = Number(process.env['SILICON_SEED'] ?? 1999);

function word(bytes: Uint8Array, at: number, size: 4 | 8): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
}

/** Runs a case translated; how that differs from what the processor did. */
function differences(placed: PlacedCase, theirs: Outcome): string[] {
  const { c, machine, start } = placed;
  const { cpu } = machine;
  const { regs } = cpu;
  const fpu = enterCase(placed);
  const stop = cpu.run(1000);
  const wrong: string[] = [];
  const compare = (what: string, a: bigint | string, b: bigint | string): void => {
    if (a !== b) wrong.push(`${what}: ${a.toString(16)}, processor ${b.toString(16)}`);
  };
  const trap = stop.kind === 'exception' ? String(stop.vector) : stop.kind;
  compare('trap', trap, String(theirs.trap));
  compare('rip', BigInt(regs.rip - start), BigInt(theirs.rip));
  compare('mxcsr', word(fpu, FPU_MXCSR, 4), word(theirs.fpu, FPU_MXCSR, 4));
  compare('rflags', regs.u64(SLOT_RFLAGS) & BigInt(ARITHMETIC), BigInt(theirs.flags & ARITHMETIC));
  for (let r = 0; r < 16; r++) compare(`register ${r}`, regs.u64(r), theirs.regs[r]!);
  for (let i = FPU_ST; i < FPU_BYTES; i += 8) {
    if (i < FPU_XMM && (i & 8) !== 0) continue;
    const name = i < FPU_XMM ? `mm${(i - FPU_ST) >> 4}` : `xmm${(i - FPU_XMM) >> 4}.${(i >> 3) & 1}`;
    if (word(fpu, i, 8) !== word(theirs.fpu, i, 8)) {
      compare(`${name} (was ${word(c.fpu, i, 8).toString(16)})`, word(fpu, i, 8), word(theirs.fpu, i, 8));
    }
  }
  return wrong;
}

test('SSE arithmetic in all modes has the results, flags and exceptions of the processor', {
  timeout: 600_000,
}, () => {
  const random = new Random(SEED);
  const cases = MXCSR_ENCODINGS.flatMap((encoding) =>
    Array.from({ length: PER_LINE }, () => makeMxcsrCase(encoding, random)).filter((c) => c !== undefined),
  );
  const outcomes = runNative(buildHarness(), cases);
  const wrong = new Map<string, string>();
  for (const placed of placeCases(cases)) {
    const { c } = placed;
    const difference = differences(placed, outcomes[placed.i]!);
    if (difference.length === 0) continue;
    const { line } = c.instructions[0]!.encoding;
    if (wrong.has(line)) continue;
    const inputs = Array.from({ length: 8 }, (_, k) => {
      const at = FPU_XMM + 16 * k;
      return `xmm${k}=${word(c.fpu, at + 8, 8).toString(16)}:${word(c.fpu, at, 8).toString(16)}`;
    });
    const text = c.instructions.map((x) => printInstruction(x)).join('; ');
    const mxcsr = word(c.fpu, FPU_MXCSR, 4).toString(16);
    wrong.set(
      line,
      `${line}: ${text}\n    ${difference.join('\n    ')}\n    mxcsr ${mxcsr} ${inputs.join(' ')}`,
    );
  }
  expect([...wrong.values()].slice(0, 20)).toEqual([]);
  if (process.env['SILICON_PER_LINE'] === undefined) expect(cases.length).toBeGreaterThanOrEqual(20_000);
});
