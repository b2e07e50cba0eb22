// npm run conformance:record [-- CASE...]
//
// Runs the cases on the real kernel and compares with the recordings. A case that differs (after normalising) is
// written anew and its difference shown; the exit status is 1 then, so that a script notices.
//   --check          writes nothing
//   --write-all      writes also what is the same
//   --into FOLDER    writes all into FOLDER, CASE/expected.txt each, and leaves what is kept alone; differences to it
//                    are shown, and are failures only with --check
//
// What is kept was recorded on the kernel of the built-in spec. On another kernel, addresses in the code of modules and
// much else differ rightly, so it is refused without --into (see fresh.ts).

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Case, caseNames, readCase } from './case.ts';
import { compareTranscripts } from './compare.ts';
import { installedKernel } from './installed-kernel.ts';

const ORACLE = fileURLToPath(new URL('../oracle/real-kernel.sh', import.meta.url));

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

type Outcome = 'same' | 'differs' | 'failed';

interface Options {
  readonly check: boolean;
  readonly writeAll: boolean;
  readonly into: string | undefined;
}

async function recordCase(name: string, { check, writeAll, into }: Options): Promise<Outcome> {
  const theCase = readCase(name);
  let actual: string;
  try {
    actual = await record(theCase);
  } catch (error) {
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : error}`);
    return 'failed';
  }
  const difference =
    theCase.expected === undefined
      ? '  never recorded before'
      : compareTranscripts(theCase.expected, actual, theCase.registers);
  const folder = into === undefined ? theCase.folder : join(into, name);
  if (into !== undefined || writeAll || (difference !== undefined && !check)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'expected.txt'), actual);
  }
  console.log(difference === undefined ? `same    ${name}` : `DIFFERS ${name}\n${difference}`);
  return difference === undefined ? 'same' : 'differs';
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      check: { type: 'boolean', default: false },
      'write-all': { type: 'boolean', default: false },
      into: { type: 'string' },
    },
  });
  const options = { check: values.check, writeAll: values['write-all'], into: values.into };
  if (options.into === undefined) {
    const installed = installedKernel();
    if (!installed.isBuiltIn) {
      console.error(
        `Cannot compare with the recordings: they are of another kernel than the installed ${installed.release}; ` +
          'record into another folder with --into, or move the project to that kernel (see conformance/README.md)',
      );
      return 1;
    }
  }
  const queue = positionals.length > 0 ? [...positionals] : caseNames();
  const total = queue.length;
  const count = { same: 0, differs: 0, failed: 0 };
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      count[await recordCase(name, options)]++;
    }
  };
  const jobs = Number(process.env['JOBS'] ?? 1);
  await Promise.all(Array.from({ length: jobs }, worker));
  console.log(`${count.same} of ${total} recordings are the same as those that are kept`);
  const differencesFail = options.into === undefined || options.check;
  return count.failed === 0 && (count.differs === 0 || !differencesFail) ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
