// npm run conformance [-- CASE...]
//
// Runs the cases on Ringside and compares with the recordings. Exit status: 0 all the same, 1 otherwise.
// --exact checks all bits of every address; --print shows the whole transcript of each case.

import { fileURLToPath } from 'node:url';
import { createTarget } from '../ringside-target.ts';
import { type Case, caseNames, readCase } from './case.ts';
import { compareTranscripts } from './compare.ts';
import { runCase } from './run-case.ts';

export interface Outcome {
  readonly transcript: string;
  /** undefined when the transcript agrees with the recording */
  readonly difference: string | undefined;
}

/** @throws Error when the case was never recorded, or the machine cannot run it at all */
export async function conform(theCase: Case, exact = false): Promise<Outcome> {
  if (theCase.expected === undefined) {
    throw new Error(
      `"${theCase.name}" was never recorded; run "npm run conformance:record -- ${theCase.name}"`,
    );
  }
  const target = await createTarget({ kernelParameters: theCase.kernelParameters }, exact);
  try {
    const transcript = await runCase(theCase, target);
    return { transcript, difference: compareTranscripts(theCase.expected, transcript, theCase.registers) };
  } finally {
    await target.close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const print = args.includes('--print');
  const named = args.filter((arg) => !arg.startsWith('--'));
  const names = named.length > 0 ? named : caseNames();
  let same = 0;
  for (const name of names) {
    try {
      const { transcript, difference } = await conform(readCase(name), args.includes('--exact'));
      if (print) console.log(transcript);
      if (difference === undefined) same++;
      console.log(difference === undefined ? `same    ${name}` : `DIFFERS ${name}\n${difference}`);
    } catch (error) {
      console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  console.log(`${same} of ${names.length} cases are the same as on the real kernel`);
  return same === names.length ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
