/**
 * The engine against the processor: seven kernels and three of Debian's own modules, translated plain and checked, native,
 * and under qemu-x86_64 user mode, in turn within each round; medians of the ratios to native (lower is better).
 *
 *   npm run bench:engine [-- --json] [-- --rounds N] [-- --only sha,lz4] [-- --variant checked,exact]
 *   npm run bench:engine -- --features       what each feature of the engine costs
 *   ... -- --smoke                           tiny sizes, results compared; needs only Node
 *
 * Needs gcc, libc6-dev, binutils and qemu-user; the three need the image's package of the built-in kernel.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FeatureColumn, type FeatureCost, measureFeatures } from './engine/features.ts';
import type { KernelRun, ProgramRun } from './engine/kernel-run.ts';
import { buildFeatures, buildReal, buildSynthetic } from './engine/native-programs.ts';
import {
  kernelRelease,
  loadRealKernels,
  moduleFile,
  REAL_KERNELS,
  type RealKernel,
} from './engine/real-kernels.ts';
import { geomean, median, round2 } from './engine/statistics.ts';
import { loadSyntheticKernels, SYNTHETIC_KERNELS } from './engine/synthetic-kernels.ts';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    features: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    variant: { type: 'string', default: 'plain,checked' },
  },
});

const VARIANTS = ['plain', 'checked', 'exact'] as const;
const ROWS = ['plain', 'checked', 'exact', 'qemuUser'] as const;
/** Runs of which the fastest counts, in each round. */
const RUNS = 4;

type Ratios = Record<(typeof ROWS)[number], number[]>;

interface Measured {
  readonly name: string;
  readonly size: number;
  /** Whether it counts in the geometric mean. */
  readonly inMean: boolean;
  readonly translated: Readonly<Partial<Record<(typeof VARIANTS)[number], KernelRun>>>;
  readonly program: ProgramRun;
  readonly ratios: Ratios;
  readonly nativeNs: number[];
}

/** The real kernels whose modules are installed; says on stderr what is missing. */
function availableReal(): readonly RealKernel[] {
  const there = REAL_KERNELS.filter((kernel) => existsSync(moduleFile(kernel)));
  if (there.length < REAL_KERNELS.length) {
    process.stderr.write(
      `bench/engine: without ${REAL_KERNELS.filter((k) => !there.includes(k)).map((k) => k.name)}: install linux-image-${kernelRelease()}\n`,
    );
  }
  return there;
}

async function smoke(): Promise<void> {
  const real = availableReal();
  const results = new Map<string, bigint>();
  for (const checked of [false, true]) {
    const synthetic = loadSyntheticKernels(checked);
    const same = (name: string, result: bigint, expected: bigint): void => {
      if (result !== expected)
        throw new Error(`${name} (${checked ? 'checked' : 'plain'}): ${result} instead of ${expected}`);
    };
    for (const { name, smokeSize, smokeResult } of SYNTHETIC_KERNELS) {
      same(name, synthetic.get(name)!(smokeSize).result, smokeResult);
    }
    const modules = await loadRealKernels(checked, real);
    for (const { name, smokeSize, smokeResult } of real) {
      const { result } = modules.get(name)!(smokeSize);
      same(name, result, smokeResult);
      results.set(name, result);
    }
  }
  const costs = measureFeatures({ rounds: 1, loop: 100, events: 40 }, undefined);
  process.stdout.write(`engine: ${costs.length} features measured\n`);
  process.stdout.write(
    `engine: ${SYNTHETIC_KERNELS.length} kernels and ${results.size} of Debian's, plain and checked, give the results of the processor\n`,
  );
}

async function prepare(directory: string): Promise<Measured[]> {
  const only = flags.only === '' ? undefined : flags.only.split(',');
  const wanted = (name: string): boolean => only?.includes(name) ?? true;
  const variants = VARIANTS.filter((v) => flags.variant.split(',').includes(v));
  const synthetic = SYNTHETIC_KERNELS.filter((k) => wanted(k.name));
  const real = REAL_KERNELS.some((k) => wanted(k.name)) ? availableReal().filter((k) => wanted(k.name)) : [];
  const runs = {
    plain: new Map<string, KernelRun>(),
    checked: new Map<string, KernelRun>(),
    exact: new Map<string, KernelRun>(),
  };
  for (const variant of variants) {
    const checked = variant !== 'plain';
    const exact = variant === 'exact';
    if (synthetic.length > 0) {
      for (const [name, run] of loadSyntheticKernels(checked, exact)) runs[variant].set(name, run);
    }
    if (real.length > 0) {
      for (const [name, run] of await loadRealKernels(checked, real, exact)) runs[variant].set(name, run);
    }
  }
  const measured = (name: string, size: number, inMean: boolean, program: ProgramRun): Measured => ({
    name,
    size,
    inMean,
    translated: Object.fromEntries(variants.map((v) => [v, runs[v].get(name)!])),
    program,
    ratios: { plain: [], checked: [], exact: [], qemuUser: [] },
    nativeNs: [],
  });
  const programs = buildSynthetic(directory);
  return [
    ...synthetic.map((k) => measured(k.name, k.size, true, programs(k.name))),
    ...real.map((k) => measured(k.name, k.size, false, buildReal(directory, k))),
  ];
}

function measureRound({ name, size, translated, program, ratios, nativeNs }: Measured): void {
  const fastest = new Map<string, { readonly result: bigint; readonly ns: number }>();
  for (const [variant, run] of Object.entries(translated)) {
    const all = Array.from({ length: RUNS }, () => run(size));
    fastest.set(variant, { result: all[0]!.result, ns: Math.min(...all.map((r) => r.ns)) });
  }
  const native = program([], size, RUNS + 1);
  fastest.set('qemuUser', program(['qemu-x86_64'], size, RUNS));
  nativeNs.push(native.ns);
  for (const row of ROWS) {
    const run = fastest.get(row);
    if (run === undefined) continue;
    if (run.result !== native.result)
      throw new Error(`${name}, ${row}: ${run.result}, native ${native.result}`);
    ratios[row].push(run.ns / native.ns);
  }
}

async function measure(): Promise<void> {
  if (spawnSync('qemu-x86_64', ['--version']).status !== 0)
    throw new Error('Cannot run qemu-x86_64; install qemu-user');
  const directory = mkdtempSync(join(tmpdir(), 'engine-bench-'));
  try {
    const all = await prepare(directory);
    // Warm up until the optimising compiler has had its turn.
    for (const { translated, size } of all) {
      for (const run of Object.values(translated)) {
        const until = performance.now() + 150;
        for (let i = 0; i < 8 || performance.now() < until; i++) run(size);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (let round = 0; round < Number(flags.rounds); round++) for (const one of all) measureRound(one);
    report(all);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(all: readonly Measured[]): void {
  const value = (one: Measured, row: (typeof ROWS)[number]): number | null =>
    one.ratios[row].length === 0 ? null : median(one.ratios[row]);
  const mean = (row: (typeof ROWS)[number]): number | null => {
    const values = all.filter((one) => one.inMean).map((one) => value(one, row));
    return values.length === 0 || values.includes(null) ? null : geomean(values.map((v) => v ?? 1));
  };
  const rounded = (v: number | null): number | null => (v === null ? null : round2(v));
  if (flags.json) {
    // `exact` only where it was asked for: the others are what is always measured.
    const rows = ROWS.filter((row) => row !== 'exact' || all.some((one) => one.ratios.exact.length > 0));
    const kernels = Object.fromEntries(
      all.map((one) => [one.name, Object.fromEntries(rows.map((row) => [row, rounded(value(one, row))]))]),
    );
    const means = Object.fromEntries(rows.map((row) => [row, rounded(mean(row))]));
    process.stdout.write(`${JSON.stringify({ kernels, geomean: means }, undefined, 2)}\n`);
    return;
  }
  const synthetic = all.filter((one) => one.inMean);
  const real = all.filter((one) => !one.inMean);
  const cell = (text: string): string => text.padStart(Math.max(8, text.length + 1));
  const number = (v: number | null, like: string): string =>
    (v === null ? '-' : v.toFixed(2)).padStart(cell(like).length);
  const line = (title: string, cells: readonly string[]): void => {
    process.stdout.write(`${title.padEnd(16)}${cells.join('')}\n`);
  };
  line('ratio to native', [
    ...synthetic.map((one) => cell(one.name)),
    cell('| geomean'),
    ...real.map((one) => cell(one.name)),
  ]);
  for (const row of ROWS) {
    line(row, [
      ...synthetic.map((one) => number(value(one, row), one.name)),
      number(mean(row), '| geomean'),
      ...real.map((one) => number(value(one, row), one.name)),
    ]);
  }
  line('native, us', [
    ...synthetic.map((one) => String(Math.round(median(one.nativeNs) / 1000)).padStart(8)),
    ' '.repeat(cell('| geomean').length),
    ...real.map((one) => String(Math.round(median(one.nativeNs) / 1000)).padStart(cell(one.name).length)),
  ]);
}

const FEATURE_COLUMNS: readonly (readonly [FeatureColumn, string])[] = [
  ['native', 'native'],
  ['plain', 'plain'],
  ['checked', 'checked'],
  ['exact', 'exact'],
  ['once', 'translated once'],
];

function features(): void {
  const directory = mkdtempSync(join(tmpdir(), 'engine-bench-'));
  try {
    const sizes = { rounds: Number(flags.rounds), loop: 100_000, events: 1000 };
    reportFeatures(measureFeatures(sizes, buildFeatures(directory)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function reportFeatures(costs: readonly FeatureCost[]): void {
  if (flags.json) {
    const rounded = costs.map(({ feature, ns }) => [
      feature,
      Object.fromEntries(Object.entries(ns).map(([column, value]) => [column, round2(value)])),
    ]);
    process.stdout.write(`${JSON.stringify({ nanoseconds: Object.fromEntries(rounded) }, undefined, 2)}\n`);
    return;
  }
  const width = (title: string): number => Math.max(12, title.length + 2);
  process.stdout.write(
    `${'nanoseconds'.padEnd(50)}${FEATURE_COLUMNS.map(([, title]) => title.padStart(width(title))).join('')}\n`,
  );
  for (const { feature, ns } of costs) {
    const cells = FEATURE_COLUMNS.map(([column, title]) => {
      const value = ns[column];
      const text = value === undefined ? '-' : value >= 1000 ? String(Math.round(value)) : value.toFixed(2);
      return text.padStart(width(title));
    });
    process.stdout.write(`${feature.padEnd(50)}${cells.join('')}\n`);
  }
}

try {
  if (flags.smoke) await smoke();
  else if (flags.features) features();
  else await measure();
} catch (error) {
  process.stderr.write(`bench/engine: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
