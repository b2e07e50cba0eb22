// npm run conformance:record [-- CASE...]
//
// Runs the cases on the real kernel and compares with the recordings. A case that differs (after normalising) is
// written anew and its difference shown; the exit status is 1 then, so that CI notices. --check writes nothing.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, caseNames, readCase } from './case.ts';
import { compareTranscripts } from './compare.ts';

const ORACLE = join(import.meta.dirname, '..', 'oracle', 'real-kernel.sh');

/** @throws Error when the machine does not come to its end */
export async function record(theCase: Case): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-record-'));
  try {
    const files = join(folder, 'mods');
    mkdirSync(files);
    for (const file of theCase.files) writeFileSync(join(files, file.name), file.bytes);
    const steps = join(folder, 'steps');
    writeFileSync(steps, theCase.steps.map((step) => `${step}\n`).join(''));
    return await run(ORACLE, ['-t', '300', '-a', theCase.kernelParameters, files, steps]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(Buffer.concat(output).toString('utf8'));
      else reject(new Error(`${command} ended with status ${status}`));
    });
  });
}

async function main(args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const all = args.includes('--write-all');
  const named = args.filter((arg) => !arg.startsWith('--'));
  const queue = named.length > 0 ? [...named] : caseNames();
  let bad = 0;
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const theCase = readCase(name);
      let actual: string;
      try {
        actual = await record(theCase);
      } catch (error) {
        bad++;
        console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : error}`);
        continue;
      }
      const difference =
        theCase.expected === undefined
          ? 'never recorded before'
          : compareTranscripts(theCase.expected, actual, theCase.registers);
      if (difference !== undefined) bad++;
      if ((difference !== undefined && !check) || all)
        writeFileSync(join(theCase.folder, 'expected.txt'), actual);
      console.log(difference === undefined ? `same    ${name}` : `DIFFERS ${name}\n${difference}`);
    }
  };
  const jobs = Number(process.env['JOBS'] ?? 1);
  await Promise.all(Array.from({ length: jobs }, worker));
  return bad === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2));
