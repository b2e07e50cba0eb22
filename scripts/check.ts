/**
 * `npm run check`: everything that must hold before a change lands.
 *
 *     npm run check                     all of it
 *     npm run check -- types layers     only these
 *
 * Steps run side by side, as many as there are processors; a failed one shows its output.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** A dependency's command, found through its package.json: the same on every platform. */
function bin(packageName: string, path: string): string {
  return join(dirname(require.resolve(`${packageName}/package.json`)), path);
}

const TSX = bin('tsx', 'dist/cli.mjs');

/** Longest first, so that the last to end is a short one. `npm test` uses every processor by itself. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  promises: [bin('eslint', 'bin/eslint.js'), '.'],
  types: [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json'],
  'doc-examples': [TSX, 'scripts/doc-examples.ts'],
  layers: [
    join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
    '--config',
    '.dependency-cruiser.mjs',
    'packages/ringside/src',
    'scripts',
    'conformance',
    'bench',
  ],
  unused: [join(ROOT, 'node_modules/knip/bin/knip.js'), '--no-progress'],
  generated: [TSX, 'scripts/compat.ts'],
  'generated-instructions': [TSX, 'scripts/instructions.ts'],
  'format-and-lint': [bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.'],
};
const LAST: Readonly<Record<string, readonly string[]>> = {
  tests: [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'fast'],
};

interface Result {
  readonly name: string;
  readonly passed: boolean;
}

function runStep(name: string, args: readonly string[]): Promise<Result> {
  const start = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      const passed = code === 0;
      const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
      process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${seconds} s  ${name}\n`);
      if (!passed) process.stdout.write(`${Buffer.concat(output).toString()}\n`);
      resolve({ name, passed });
    });
  });
}

async function runSteps(
  steps: readonly (readonly [string, readonly string[]])[],
  lanes: number,
): Promise<Result[]> {
  const waiting = [...steps];
  const results: Result[] = [];
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      results.push(await runStep(...step));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

const asked = process.argv.slice(2);
const names = [...Object.keys(STEPS), ...Object.keys(LAST)];
const unknown = asked.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such check: ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
  process.exit(1);
}
const chosen = (steps: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(steps).filter(([name]) => asked.length === 0 || asked.includes(name));

const results = [
  ...(await runSteps(chosen(STEPS), Math.max(1, availableParallelism()))),
  ...(await runSteps(chosen(LAST), 1)),
];
const failed = results.filter(({ passed }) => !passed).map(({ name }) => name);
process.stdout.write(failed.length === 0 ? 'check passed\n' : `check failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
