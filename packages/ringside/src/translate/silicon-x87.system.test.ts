import { expect, test } from 'vitest';
import { type Case, DATA, Random, WINDOW, WINDOW_BYTES } from '../../../../scripts/silicon/cases.ts';
import { buildHarness, type Outcome, runNative } from '../../../../scripts/silicon/run-native.ts';
import {
  makeX87Case,
  operandOffset,
  TRANSCENDENTAL,
  X87_ENCODINGS,
} from '../../../../scripts/silicon/x87-cases.ts';
import { printInstruction } from '../x86/index.ts';
import { FPU_FOP, FPU_FTW, FPU_ST, SLOT_RFLAGS } from './register-file.ts';
import { ARITHMETIC, enterCase, type PlacedCase, placeCases } from './silicon.fixture.ts';

const PER_LINE = Number(process.env['SILICON_PER_LINE'] ?? 200);
const SEED = Number(process.env['SILICON_SEED'] ?? 8087);

const hex = (n: bigint | number): string => n.toString(16);

interface Made {
  readonly fpu: Uint8Array;
  readonly memory: Uint8Array;
  readonly flags: number;
  readonly rip: number;
  readonly rax: bigint;
  readonly trap: number | string;
}

function run(placed: PlacedCase): Made {
  const { c, machine, start } = placed;
  const { memory, cpu } = machine;
  const { regs } = cpu;
  const fpu = enterCase(placed);
  // Registers lie there by number, not from the top.
  const top = (new DataView(c.fpu.buffer).getUint16(2, true) >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    fpu.set(c.fpu.subarray(FPU_ST + 16 * i, FPU_ST + 16 * i + 16), FPU_ST + 16 * ((i + top) & 7));
  }
  const stop = cpu.run(1000);
  const after = fpu.slice();
  const newTop = (new DataView(after.buffer).getUint16(2, true) >> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const number = (i + newTop) & 7;
    after.set(fpu.subarray(FPU_ST + 16 * number, FPU_ST + 16 * number + 16), FPU_ST + 16 * i);
  }
  return {
    fpu: after,
    memory: memory.raw.slice(DATA + WINDOW, DATA + WINDOW + WINDOW_BYTES),
    flags: Number(regs.u64(SLOT_RFLAGS)) & ARITHMETIC,
    rip: regs.rip - start,
    rax: regs.u64(0),
    trap:
      stop.kind === 'exception' ? stop.vector : stop.kind === 'unsupported' ? stop.error.message : stop.kind,
  };
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function register(bytes: Uint8Array, i: number): bigint {
  let n = 0n;
  for (let k = 9; k >= 0; k--) n = (n << 8n) | BigInt(bytes[FPU_ST + 16 * i + k]!);
  return n;
}

/** Neighbours differ by one. */
function ordinal(bits: bigint): bigint {
  const fraction = (1n << 63n) - 1n;
  return (((bits >> 64n) & 0x7fffn) << 63n) + (bits & fraction) + ((bits >> 79n) << 80n);
}

/** Bytes of environments that hold addresses, selectors or what is reserved. */
function addressBytes(c: Case): Set<number> {
  const bytes = new Set<number>();
  for (const ins of c.instructions) {
    if (ins.name !== 'fnstenv' && ins.name !== 'fnsave') continue;
    const from = operandOffset(ins)!;
    const short = ins.operandSize === 16;
    for (let k = short ? 6 : 12; k < (short ? 14 : 28); k++)
      if (short || (k !== 18 && k !== 19)) bytes.add(from + k);
  }
  return bytes;
}

function differences(c: Case, ours: Made, theirs: Outcome, lastBit: boolean): string[] {
  const wrong: string[] = [];
  const compare = (what: string, a: number | bigint | string, b: number | bigint | string): void => {
    if (a !== b)
      wrong.push(
        `${what}: ${typeof a === 'string' ? a : hex(a)}, processor ${typeof b === 'string' ? b : hex(b)}`,
      );
  };
  compare('trap', ours.trap, theirs.trap);
  compare('rip', ours.rip, theirs.rip);
  compare('rax', ours.rax, theirs.regs[0]!);
  compare('rflags', ours.flags, theirs.flags & ARITHMETIC);
  compare('control', word(ours.fpu, 0), word(theirs.fpu, 0));
  // Where the last bit is free, so is the direction of rounding.
  const statusMask = lastBit ? 0xfdff : 0xffff;
  compare('status', word(ours.fpu, 2) & statusMask, word(theirs.fpu, 2) & statusMask);
  compare('used', ours.fpu[FPU_FTW]!, theirs.fpu[FPU_FTW]!);
  compare('opcode', word(ours.fpu, FPU_FOP), word(theirs.fpu, FPU_FOP));
  for (let i = 0; i < 8; i++) {
    const a = register(ours.fpu, i);
    const b = register(theirs.fpu, i);
    const apart = ordinal(a) - ordinal(b);
    if (lastBit ? apart > 1n || apart < -1n : a !== b) compare(`st${i}`, a, b);
  }
  const skipped = addressBytes(c);
  const at = ours.memory.findIndex((byte, i) => byte !== theirs.memory[i] && !skipped.has(i));
  if (at >= 0) compare(`byte +${at}`, ours.memory[at]!, theirs.memory[at]!);
  return wrong;
}

function prove(cases: readonly Case[], lastBit: boolean): string[] {
  const outcomes = runNative(buildHarness(), cases);
  const wrong = new Map<string, { count: number; of: number; example: string }>();
  const all = new Map<string, number>();
  for (const placed of placeCases(cases)) {
    const { c, i } = placed;
    const { line } = c.instructions[0]!.encoding;
    all.set(line, (all.get(line) ?? 0) + 1);
    const difference = differences(c, run(placed), outcomes[i]!, lastBit);
    if (difference.length === 0) continue;
    const registers = Array.from({ length: 8 }, (_, k) => `st${k}=${hex(register(c.fpu, k))}`).join(' ');
    const entry = wrong.get(line) ?? {
      count: 0,
      of: 0,
      example: `${c.instructions.map((x) => printInstruction(x)).join('; ')}\n    ${difference.join('\n    ')}\n    fcw ${hex(word(c.fpu, 0))} fsw ${hex(word(c.fpu, 2))} used ${hex(c.fpu[4]!)} ${registers} memory ${Buffer.from(c.memory.subarray(operandOffset(c.instructions[0]!) ?? 0).subarray(0, 10)).toString('hex')}`,
    };
    entry.count++;
    wrong.set(line, entry);
  }
  return [...wrong].map(([line, w]) => `${line} (${w.count} of ${all.get(line)}): ${w.example}`);
}

/** Whether no instruction reads an environment that another one stored: addresses in it are not the processor's. */
function keepsAddresses(c: Case): boolean {
  const stores = c.instructions.findIndex((ins) => ins.name === 'fnstenv' || ins.name === 'fnsave');
  return stores < 0 || !c.instructions.slice(stores + 1).some((ins) => operandOffset(ins) !== undefined);
}

function generate(names: (name: string) => boolean, perLine: number, most: number): Case[] {
  const random = new Random(SEED);
  const encodings = X87_ENCODINGS.filter((e) => names(e.name));
  return encodings.flatMap((encoding) =>
    Array.from({ length: perLine }, () => makeX87Case(encoding, encodings, random, most))
      .filter((c) => c !== undefined)
      .filter(keepsAddresses),
  );
}

test('x87 sequences do what the processor does, to the last bit and flag', { timeout: 600_000 }, () => {
  const cases = generate((name) => !TRANSCENDENTAL.has(name), PER_LINE, 3);
  expect(prove(cases, false).slice(0, 20)).toEqual([]);
  if (process.env['SILICON_PER_LINE'] === undefined) expect(cases.length).toBeGreaterThanOrEqual(20_000);
});

test('transcendental functions are within a unit in the last place of the processor', {
  timeout: 600_000,
}, () => {
  const cases = generate((name) => TRANSCENDENTAL.has(name), 4 * PER_LINE, 1);
  expect(prove(cases, true)).toEqual([]);
});
