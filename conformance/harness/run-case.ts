// Runs a case's steps on a target and writes the transcript in the form that the oracle writes.

import type { Case } from './case.ts';
import { errorText, insmod, lsmod, type Result, rmmod } from './kmod.ts';
import { REST_MILLISECONDS, type Target } from './target.ts';
import { parseCommandLine } from './words.ts';

/** @throws Error on a step that the harness cannot read */
export async function runCase(theCase: Case, target: Target): Promise<string> {
  const lines: string[] = [];
  await target.newLogLines();
  for (const step of theCase.steps) {
    lines.push(`$ ${step}`);
    const { words, into } = parseCommandLine(step);
    const { output, end } = await command(words, into, theCase, target);
    const panicked = end.kind === 'panicked' || (await target.sleep(REST_MILLISECONDS)) === 'panicked';
    if (!panicked) {
      lines.push(
        ...output
          .replace(/\n$/, '')
          .split('\n')
          .filter((line) => line !== ''),
      );
      lines.push(...status(end));
    }
    for (const line of await target.newLogLines()) lines.push(`| ${line}`);
    if (panicked) {
      lines.push('[panic]');
      break;
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

function status(end: Result['end']): string[] {
  switch (end.kind) {
    case 'blocked':
      return ['[blocked]'];
    case 'killed':
      return end.signal === 'SIGKILL' ? ['Killed', '[rc=137]'] : ['Segmentation fault', '[rc=139]'];
    case 'returned':
      return end.value === 0 ? [] : [`[rc=${end.value}]`];
    case 'panicked':
      return [];
  }
}

async function command(
  words: readonly string[],
  into: string | undefined,
  theCase: Case,
  target: Target,
): Promise<Result> {
  const [name = '', ...args] = words;
  const done = (output: string, value = 0): Result => ({ output, end: { kind: 'returned', value } });
  switch (name) {
    case 'insmod':
      return insmod(target, theCase.files, args);
    case 'rmmod':
      return rmmod(target, args);
    case 'lsmod':
      return lsmod(target);
    case 'sleep': {
      const ended = await target.sleep(Number(args[0]) * 1000);
      return ended === 'panicked' ? { output: '', end: { kind: 'panicked' } } : done('');
    }
    case 'echo': {
      const text = `${args.join(' ')}\n`;
      if (into === undefined) return done(text);
      const written = await target.writeFile(into, text);
      return written < 0 ? done(`sh: write error: ${errorText(-written)}\n`, 1) : done('');
    }
    case 'cat': {
      let output = '';
      let value = 0;
      for (const path of args) {
        const content = await target.readFile(path);
        if (typeof content === 'number') {
          output += `cat: can't open '${path}': ${errorText(-content)}\n`;
          value = 1;
        } else output += content;
      }
      return done(output, value);
    }
    default:
      throw new Error(`the harness has no command "${name}" yet; see conformance/harness/run-case.ts`);
  }
}
