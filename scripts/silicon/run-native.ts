import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, CODE_BYTES, FPU_BYTES, WINDOW_BYTES } from './cases.ts';

const IN_BYTES = CODE_BYTES + 17 * 8 + WINDOW_BYTES + FPU_BYTES;
const OUT_BYTES = 3 * 8 + 16 * 8 + 2 * 8 + WINDOW_BYTES + FPU_BYTES;

/** What the processor did. */
export interface Outcome {
  /** The exception's vector; 3 is the sequence's own end. */
  readonly trap: number;
  readonly error: number;
  readonly address: bigint;
  readonly regs: BigUint64Array;
  readonly flags: number;
  /** Offset in the code. */
  readonly rip: number;
  readonly memory: Uint8Array;
  /** As `fxsave` stores it. */
  readonly fpu: Uint8Array;
}

/** Compiles the harness; needs gcc. */
export function buildHarness(source = 'harness.c'): string {
  const program = join(mkdtempSync(join(tmpdir(), 'silicon-')), 'harness');
  const { status, stderr } = spawnSync(
    'gcc',
    ['-O1', '-w', '-o', program, join(import.meta.dirname, source)],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`cannot build the harness; install gcc and libc6-dev\n${stderr}`);
  return program;
}

/** Runs the cases on this machine's processor. */
export function runNative(program: string, cases: readonly Case[]): Outcome[] {
  const input = new Uint8Array(cases.length * IN_BYTES);
  for (const [i, c] of cases.entries()) {
    const at = i * IN_BYTES;
    input.set(c.code, at);
    input.set(new Uint8Array(c.regs.buffer), at + CODE_BYTES);
    new DataView(input.buffer).setBigUint64(at + CODE_BYTES + 128, BigInt(c.flags), true);
    input.set(c.memory, at + CODE_BYTES + 136);
    input.set(c.fpu, at + CODE_BYTES + 136 + WINDOW_BYTES);
  }
  const { stdout, status, signal } = spawnSync(program, [], { input, maxBuffer: 2 ** 30 });
  if (status !== 0 || stdout.length !== cases.length * OUT_BYTES) {
    throw new Error(
      `the harness ended with status ${status}, signal ${signal}, after ${stdout.length / OUT_BYTES} cases`,
    );
  }
  const part = (offset: number, length: number): Uint8Array =>
    new Uint8Array(stdout.buffer, stdout.byteOffset + offset, length).slice();
  return cases.map((_, i) => {
    const view = new DataView(stdout.buffer, stdout.byteOffset + i * OUT_BYTES, OUT_BYTES);
    const u64 = (k: number): bigint => view.getBigUint64(k * 8, true);
    return {
      trap: Number(u64(0)),
      error: Number(u64(1)),
      address: u64(2),
      regs: BigUint64Array.from({ length: 16 }, (_x, r) => u64(3 + r)),
      flags: Number(u64(19)),
      rip: Number(BigInt.asIntN(64, u64(20))),
      memory: part(i * OUT_BYTES + 21 * 8, WINDOW_BYTES),
      fpu: part(i * OUT_BYTES + 21 * 8 + WINDOW_BYTES, FPU_BYTES),
    };
  });
}
