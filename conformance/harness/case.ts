// A conformance case as it lies in its folder:
//   steps.sh      command lines, one a line; blank lines and lines that start with # are not steps
//   modules       which files stand in the guest's /mods, one a line (below)
//   expected.txt  the transcript of the real kernel, as recorded
//   args          (optional) kernel parameters for this case
//   registers     (optional) the registers that an oops of this case must show as recorded (see normalise.ts)
//
// A line of `modules` is FOLDER/NAME, for modules/FOLDER/NAME.ko under its own name, or
//   FILE = SOURCE | EDIT ...      a file made from another (see mutate.ts)

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutate } from './mutate.ts';

export interface CaseFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Case {
  readonly name: string;
  readonly folder: string;
  readonly steps: readonly string[];
  readonly kernelParameters: string;
  readonly registers: ReadonlySet<string>;
  readonly files: readonly CaseFile[];
  /** undefined when it was never recorded */
  readonly expected: string | undefined;
}

const CONFORMANCE = fileURLToPath(new URL('..', import.meta.url));
/** RINGSIDE_MODULES: a folder of freshly built modules in place of the ones that are kept. */
const MODULES = process.env['RINGSIDE_MODULES'] ?? join(CONFORMANCE, '..', 'modules');
/** RINGSIDE_RECORDINGS: a folder of other recordings, CASE/expected.txt each, in place of the ones that are kept. */
const RECORDINGS = process.env['RINGSIDE_RECORDINGS'] ?? CONFORMANCE;

export function caseNames(): string[] {
  return readdirSync(CONFORMANCE)
    .filter((name) => existsSync(join(CONFORMANCE, name, 'steps.sh')))
    .sort();
}

/** @throws Error when the case is not there, or its `modules` names something that is not */
export function readCase(name: string): Case {
  const folder = join(CONFORMANCE, name);
  if (!existsSync(join(folder, 'steps.sh'))) {
    throw new Error(`no conformance case "${name}"; there are ${caseNames().join(', ')}`);
  }
  return {
    name,
    folder,
    steps: meaningfulLines(join(folder, 'steps.sh')),
    kernelParameters: meaningfulLines(join(folder, 'args')).join(' '),
    registers: new Set(meaningfulLines(join(folder, 'registers')).flatMap((line) => line.split(/\s+/))),
    files: meaningfulLines(join(folder, 'modules')).map(readFile),
    expected: readRecording(join(RECORDINGS, name, 'expected.txt')),
  };
}

function readRecording(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

export function readFile(line: string): CaseFile {
  const made = /^(\S+) = (\S+)(.*)$/.exec(line);
  if (made === null) return { name: `${basename(line)}.ko`, bytes: original(line) };
  const [, name = '', source = '', edits = ''] = made;
  return { name, bytes: mutate(original(source), edits.split(' | ').slice(1)) };
}

function original(source: string): Uint8Array {
  if (source === 'nothing') return new Uint8Array();
  return readFileSync(join(MODULES, `${source}.ko`));
}

function meaningfulLines(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
