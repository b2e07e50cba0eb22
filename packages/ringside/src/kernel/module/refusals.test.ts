import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutate } from '../../../../../conformance/harness/mutate.ts';
import { errnoName } from '../../abi/index.ts';
import { deleteModule } from './delete.ts';
import { finitModule } from './load.ts';
import { exampleModule, Loader } from './loader.fixture.ts';
import { taintLetters } from './taint.ts';

interface Case {
  readonly name: string;
  readonly recipe: readonly string[];
  readonly result: string;
  readonly log: string[];
}

/** The recordings: parts, each of one boot of the real kernel. */
function readParts(): Case[][] {
  const text = readFileSync(new URL('fixtures/refusals.txt', import.meta.url), 'utf8');
  const parts: Case[][] = [];
  for (const line of text.split('\n')) {
    const part = parts.at(-1);
    if (line === 'part') parts.push([]);
    else if (line.startsWith('> ')) part!.push({ ...part!.pop()!, result: line.slice(2) });
    else if (line.startsWith('| ')) part!.at(-1)!.log.push(line.slice(2));
    else if (line.includes(' = ') && !line.startsWith('#')) {
      const [name, recipe] = line.split(' = ', 2) as [string, string];
      part!.push({ name, recipe: recipe.split(' | '), result: '', log: [] });
    }
  }
  return parts;
}

function build(recipe: readonly string[]): Uint8Array {
  const [source, ...edits] = recipe as [string, ...string[]];
  return mutate(source === 'nothing' ? new Uint8Array(0) : exampleModule(source), edits);
}

describe.each(readParts().map((cases, i) => ({ part: i + 1, cases })))(
  'bad modules, part $part',
  ({ cases }) => {
    const loader = new Loader();
    const { modules } = loader;
    loader.run(finitModule(modules, exampleModule('exports/exporter'), ''));

    it.each(cases)('$name: $result, with the messages of the real kernel', ({ recipe, result, log }) => {
      const before = loader.log.length;
      const value = loader.run(finitModule(modules, build(recipe), ''));
      const [latest] = modules.list();
      const got = value === 0 ? `loaded ${taintLetters(latest!.taints)}` : errnoName(-value);
      expect(loader.log.slice(before).map((line) => line.replace(/^<.>/, ''))).toEqual(log);
      expect(got).toBe(result);
      if (value === 0) expect(loader.run(deleteModule(modules, latest!.name))).toBe(0);
      expect(loader.areas.size).toBe(2 - 1);
    });
  },
);
