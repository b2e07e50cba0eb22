/**
 * How fast guest code is translated, and how much memory that takes: all functions of big Debian modules.
 *
 *   npx tsx bench/translation.ts [--json] [--rounds N] [--variant plain,checked]
 *   ... --smoke      the repository's own module, once; needs only Node
 *
 * Every measurement is a process of its own, plain and checked in turn; medians.
 *
 *   steady state    guest instructions a second over several modules, after another has warmed up the translator
 *   ext4 whole      all its functions, in ms: in a fresh process, and warm
 *   first call      of a function that has to be translated first, in ms, warm
 *   size            WebAssembly a guest instruction and a guest byte
 *   memory          of a translated function: JavaScript heap, external, and resident bytes without that heap, before
 *                   any of them has run
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBuiltInSpec } from '../packages/ringside/src/node/index.ts';
import { median, round2 } from './engine/statistics.ts';
import type { TranslationJob, TranslationResult } from './engine/translation-job.ts';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    variant: { type: 'string', default: 'plain,checked' },
  },
});

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HELLO = join(ROOT, 'modules/hello/hello.ko');
const EXT4 = 'fs/ext4/ext4.ko';
const WARM_UP = ['fs/f2fs/f2fs.ko'];
const STEADY = ['fs/xfs/xfs.ko', 'fs/btrfs/btrfs.ko'];
const CALLS = 400;

/** What one variant's translation costs. */
interface Report {
  readonly instructionsPerSecond: number;
  readonly ext4ColdMs: number;
  readonly ext4WarmMs: number;
  readonly firstCallMs: number;
  readonly firstCallP90Ms: number;
  readonly wasmBytesPerInstruction: number;
  readonly wasmBytesPerGuestByte: number;
  readonly heapBytesPerFunction: number;
  readonly externalBytesPerFunction: number;
  readonly residentBytesPerFunction: number;
}

function modulePaths(names: readonly string[]): string[] {
  const { release } = openBuiltInSpec();
  return names.map((name) => {
    const path = join('/lib/modules', release, 'kernel', name);
    if (!existsSync(path)) throw new Error(`Cannot find ${path}; install linux-image-${release}`);
    return path;
  });
}

function start(bundle: string, job: TranslationJob): TranslationResult {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--expose-gc', bundle, JSON.stringify(job)],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`translation-job failed\n${stderr}`);
  return JSON.parse(stdout) as TranslationResult;
}

function measure(bundle: string, checked: boolean): Report {
  const whole = { checked, kind: 'whole', calls: 0 } as const;
  const [warmUp, steady, ext4] = flags.smoke
    ? [[HELLO], [HELLO], [HELLO]]
    : [modulePaths(WARM_UP), modulePaths(STEADY), modulePaths([EXT4])];
  const long = start(bundle, { ...whole, warmUp, measured: [...steady, ...ext4] });
  const cold = start(bundle, { ...whole, warmUp: [], measured: ext4 });
  const calls = start(bundle, { checked, kind: 'first-calls', calls: CALLS, warmUp, measured: ext4 });
  if (calls.firstCallMs === undefined) throw new Error('no first call had to translate');
  return {
    instructionsPerSecond: (long.instructions / long.ms) * 1000,
    ext4ColdMs: cold.ms,
    ext4WarmMs: long.lastMs,
    firstCallMs: calls.firstCallMs.median,
    firstCallP90Ms: calls.firstCallMs.p90,
    wasmBytesPerInstruction: long.wasmBytes / long.instructions,
    wasmBytesPerGuestByte: long.wasmBytes / long.guestBytes,
    heapBytesPerFunction: long.heapBytes / long.functions,
    externalBytesPerFunction: long.externalBytes / long.functions,
    residentBytesPerFunction: long.residentBytes / long.functions,
  };
}

async function bundleJob(directory: string): Promise<string> {
  // As the package is built, not as tsx transforms it.
  const { build } = createRequire(join(ROOT, 'packages/ringside/package.json'))(
    'esbuild',
  ) as typeof import('esbuild');
  const outfile = join(directory, 'job.mjs');
  await build({
    entryPoints: [join(ROOT, 'bench/engine/translation-job.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

const ROWS: readonly (readonly [keyof Report, string])[] = [
  ['instructionsPerSecond', 'steady state, instructions/s'],
  ['ext4ColdMs', 'ext4 whole, fresh process, ms'],
  ['ext4WarmMs', 'ext4 whole, warm, ms'],
  ['firstCallMs', 'first call, median, ms'],
  ['firstCallP90Ms', 'first call, 90th percentile, ms'],
  ['wasmBytesPerInstruction', 'wasm bytes an instruction'],
  ['wasmBytesPerGuestByte', 'wasm bytes a guest byte'],
  ['heapBytesPerFunction', 'heap bytes a function'],
  ['externalBytesPerFunction', 'external bytes a function'],
  ['residentBytesPerFunction', 'resident bytes a function, no heap'],
];

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'translation-bench-'));
  try {
    const bundle = await bundleJob(directory);
    const variants = (['plain', 'checked'] as const).filter((v) => flags.variant.split(',').includes(v));
    const samples = new Map<string, Report[]>(variants.map((v) => [v, []]));
    for (let round = 0; round < (flags.smoke ? 1 : Number(flags.rounds)); round++) {
      for (const v of variants) samples.get(v)!.push(measure(bundle, v === 'checked'));
    }
    const reports = Object.fromEntries(
      [...samples].map(([variant, all]) => [
        variant,
        Object.fromEntries(ROWS.map(([key]) => [key, round2(median(all.map((report) => report[key])))])),
      ]),
    );
    if (flags.json) {
      process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
      return;
    }
    const cell = (text: string): string => text.padStart(12);
    process.stdout.write(`${' '.repeat(36)}${variants.map(cell).join('')}\n`);
    for (const [key, title] of ROWS) {
      const cells = variants.map((v) => {
        const value = reports[v]![key]!;
        return cell(value >= 100 ? String(Math.round(value)) : value.toFixed(2));
      });
      process.stdout.write(`${title.padEnd(36)}${cells.join('')}\n`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench/translation: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
