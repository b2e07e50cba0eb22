import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../../../scripts/silicon/cases.ts';
import { NATIVE, type Run, type RunOutcome } from '../../../../scripts/silicon/program-runs.ts';
import { runPrograms } from '../../../../scripts/silicon/run-programs.ts';
import {
  differences,
  finish,
  instructionAt,
  isUnknown,
  load,
  machineFor,
  makeWork,
  type Options,
  type Work,
} from './functions.fixture.ts';

/** Groups of about ten functions; `SILICON_GROUPS=5000` for the long run. */
const GROUPS = Number(process.env['SILICON_GROUPS'] ?? 160);
const SEED = Number(process.env['SILICON_SEED'] ?? 20231);
const FUEL = 1_000_000;

/** Faults that only code with checks sees. */
function needsChecks(o: RunOutcome): boolean {
  return o.trap >= 12 && o.trap <= 14;
}

describe('generated functions do what the processor does', () => {
  let proof: Work & { readonly outcomes: readonly RunOutcome[] };
  beforeAll(() => {
    const work = makeWork(SEED, GROUPS);
    const text = work.text.assembler.finish(BigInt(NATIVE.text));
    proof = { ...work, outcomes: runPrograms(text, work.images, work.runs) };
  });

  const compareAll = (
    name: string,
    options: Options,
    slice: (random: Random) => number,
    each: (run: Run, outcome: RunOutcome, index: number) => boolean,
  ): void => {
    const machine = machineFor(proof, options);
    const random = new Random(SEED);
    const report: string[] = [];
    let compared = 0;
    let wrong = 0;
    for (const [i, run] of proof.runs.entries()) {
      const outcome = proof.outcomes[i]!;
      if (!each(run, outcome, i)) continue;
      compared++;
      load(machine, proof, run);
      const before = machine.cpu.retired;
      let found: string[];
      try {
        const stop = finish(machine, () => slice(random));
        const retired = machine.cpu.retired - before;
        found = differences(machine, proof, run, outcome, stop);
        // An int3 counts; the trap flag's trap behind it is not to be seen.
        const expected = outcome.retired + (outcome.trap === 3 ? 1 : 0);
        if (run.count && retired !== expected) found.push(`${retired} instructions, processor ${expected}`);
      } catch (error) {
        found = [`threw ${error instanceof Error ? error.stack : String(error)}`];
      }
      if (found.length === 0) continue;
      wrong++;
      if (report.length < 12)
        report.push(
          `run ${i} of +${run.entry.toString(16)} at ${instructionAt(machine, outcome)}: ${found.slice(0, 8).join('; ')}`,
        );
    }
    console.log(`${name}: ${compared} runs of ${proof.text.programs.length} functions, ${wrong} differ`);
    expect(report).toEqual([]);
    expect(compared).toBeGreaterThan(100);
  };

  test('with checks, faults included', () => {
    const traps = new Map<number, number>();
    compareAll(
      'checked',
      {},
      () => FUEL,
      (_run, o) => {
        traps.set(o.trap, (traps.get(o.trap) ?? 0) + 1);
        return true;
      },
    );
    console.log([...traps].map(([trap, n]) => `vector ${trap}: ${n}`).join(', '));
    // Ends, faults of pages and of addresses, divisions, invalid opcodes.
    for (const vector of [0, 3, 6, 12, 13, 14])
      expect(traps.get(vector) ?? 0, `vector ${vector}`).toBeGreaterThan(2);
  });

  test('without checks', () => {
    compareAll(
      'plain',
      { checked: false },
      () => FUEL,
      (_run, o) => !needsChecks(o),
    );
  });

  test('as hot code, with checks, faults included', () => {
    compareAll(
      'checked and hot',
      { hotAfter: 1 },
      () => FUEL,
      (_run, _o, i) => i < 8 * proof.text.programs.length,
    );
  });

  test('as hot code without checks', () => {
    compareAll(
      'plain and hot',
      { checked: false, hotAfter: 1 },
      () => FUEL,
      (_run, o, i) => i < 8 * proof.text.programs.length && !needsChecks(o),
    );
  });

  test.each([
    ['sliced', undefined],
    ['hot and sliced', 1],
  ])('in slices of 1, 7, 100 and any number (%s)', (name, hotAfter) => {
    compareAll(
      name,
      hotAfter === undefined ? {} : { hotAfter },
      (random) => [1, 7, 100, 1 + random.next(300)][random.next(4)]!,
      (run, _o, i) => i % 3 === 0 && !run.count,
    );
  });

  test('one instruction at a time', () => {
    compareAll(
      'stepped',
      { stepped: true },
      () => FUEL,
      (_run, _o, i) => i % 40 === 0,
    );
  });

  test('with the same counts and the same stops plain, checked, hot and stepped', () => {
    const chosen = proof.runs.filter((_, i) => !needsChecks(proof.outcomes[i]!) && i % 37 === 0);
    const modes: Options[] = [
      {},
      { checked: false },
      { hotAfter: 1 },
      { checked: false, hotAfter: 1 },
      { stepped: true },
    ];
    const traces = modes.map((options) => {
      const machine = machineFor(proof, options);
      return chosen.map((run, i) => {
        load(machine, proof, run);
        const before = machine.cpu.retired;
        const stops: string[] = [];
        finish(machine, () => [1, 7, 100][i % 3]!, stops);
        return [`+${run.entry.toString(16)}`, ...stops, `${machine.cpu.retired - before}`];
      });
    });
    expect(chosen.length).toBeGreaterThan(50);
    for (const trace of traces.slice(1)) expect(trace).toEqual(traces[0]);
    // Also where nothing is known of functions.
    expect(chosen.filter((run) => isUnknown(run.group)).length).toBeGreaterThan(20);
  });
});
