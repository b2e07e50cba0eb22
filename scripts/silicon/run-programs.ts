import { spawnSync } from 'node:child_process';
import { FPU_BYTES } from './cases.ts';
import { type Image, NATIVE, type Run, type RunOutcome } from './program-runs.ts';
import { buildHarness } from './run-native.ts';

const HEAD_BYTES = 8;
const IN_BYTES = 16 + 19 * 8;
const OUT_BYTES = 3 * 8 + 16 * 8 + 4 * 8 + FPU_BYTES;

/** Runs functions on this machine's processor. Needs gcc. */
export function runPrograms(text: Uint8Array, images: readonly Image[], runs: readonly Run[]): RunOutcome[] {
  const imageBytes = NATIVE.dataBytes + FPU_BYTES;
  const first = HEAD_BYTES + text.length + images.length * imageBytes;
  const input = new Uint8Array(first + runs.length * IN_BYTES);
  const view = new DataView(input.buffer);
  view.setUint32(0, text.length, true);
  view.setUint32(4, images.length, true);
  input.set(text, HEAD_BYTES);
  for (const [i, { data, fpu }] of images.entries()) {
    const at = HEAD_BYTES + text.length + i * imageBytes;
    input.set(data, at);
    input.set(fpu, at + NATIVE.dataBytes);
  }
  for (const [i, run] of runs.entries()) {
    const at = first + i * IN_BYTES;
    for (const [k, value] of [run.entry, run.image, run.fpu, run.count ? 1 : 0].entries())
      view.setUint32(at + 4 * k, value, true);
    for (const [k, value] of [...run.regs, BigInt(run.flags), run.fs, run.gs].entries())
      view.setBigUint64(at + 16 + 8 * k, value, true);
  }
  const { stdout, status, signal } = spawnSync(buildHarness('program-harness.c'), [], {
    input,
    maxBuffer: 2 ** 31,
  });
  const out = new DataView(stdout.buffer, stdout.byteOffset, stdout.length);
  const outcomes: RunOutcome[] = [];
  let at = 0;
  while (at + OUT_BYTES <= stdout.length) {
    const u64 = (k: number): bigint => out.getBigUint64(at + k * 8, true);
    const changed = Number(u64(22));
    const fpu = stdout.subarray(at + 23 * 8, at + OUT_BYTES);
    outcomes.push({
      trap: Number(u64(0)),
      error: Number(u64(1)),
      address: u64(2),
      regs: BigUint64Array.from({ length: 16 }, (_, r) => u64(3 + r)),
      flags: Number(u64(19)),
      rip: u64(20),
      retired: Number(u64(21)),
      fpu,
      changes: Array.from({ length: changed }, (_, i) => [
        Number(out.getBigUint64(at + OUT_BYTES + 16 * i, true)),
        out.getBigUint64(at + OUT_BYTES + 16 * i + 8, true),
      ]),
    });
    at += OUT_BYTES + 16 * changed;
  }
  if (status !== 0 || outcomes.length !== runs.length)
    throw new Error(
      `the harness ended with status ${status}, signal ${signal}, after ${outcomes.length} runs`,
    );
  return outcomes;
}
