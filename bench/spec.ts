/**
 * What the built-in kernel costs: its size, and the time to open it and ask what a start asks, each run in a new
 * process. Prints JSON; times in milliseconds, medians.
 *
 *     npx tsx bench/spec.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SpecContainer } from '../packages/ringside/src/image/index.ts';
import { builtInSpecPath, inflate } from '../packages/ringside/src/node/index.ts';

const RUNS = 15;
const path = builtInSpecPath();
const root = fileURLToPath(new URL('..', import.meta.url));

const PROBE = `
import { inflateSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { CORE_STRUCTS } from ${JSON.stringify(join(root, 'packages/ringside/src/image/core-types.ts'))};
import { openSpec } from ${JSON.stringify(join(root, 'packages/ringside/src/image/index.ts'))};
const marks = {};
let last = performance.now();
const mark = (name) => { const now = performance.now(); marks[name] = now - last; last = now; };
const spec = openSpec(readFileSync(process.argv[2]), (stored, size) => inflateSync(stored, { maxOutputLength: size || 1 }));
mark('open');
for (const name of CORE_STRUCTS.slice(0, 40)) spec.types.findStruct(name)?.find('list');
mark('structs40');
spec.exports.size;
for (let i = 0; i < 300; i++) spec.exports.byName(i % 3 === 0 ? '_printk' : 'kfree' + i);
mark('exports300');
marks.start = marks.open + marks.structs40 + marks.exports300;
spec.symbols.at(spec.symbols.lookup('do_one_initcall').address);
mark('symbols');
spec.types.struct('sk_buff').size;
mark('allTypes');
console.log(JSON.stringify(marks));
`;

const directory = mkdtempSync(join(tmpdir(), 'ringside-bench-'));
try {
  const requireFromPackage = createRequire(join(root, 'packages/ringside/package.json'));
  const { build } = requireFromPackage('esbuild') as typeof import('esbuild');
  const bundle = join(directory, 'probe.mjs');
  await build({
    stdin: { contents: PROBE, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: bundle,
    external: ['@bokuweb/zstd-wasm', 'xz-decompress'],
    logLevel: 'error',
  });
  const samples = Array.from({ length: RUNS }, () => {
    const run = spawnSync(process.execPath, [bundle, path], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout) as Record<string, number>;
  });
  const milliseconds = Object.fromEntries(
    Object.keys(samples[0] ?? {}).map((key) => [
      key,
      median(samples.map((sample) => sample[key] ?? Number.NaN)),
    ]),
  );
  const sections = new SpecContainer(readFileSync(path), inflate).sections.map(
    ({ tag, storedBytes, inflatedBytes }) => [tag, { storedBytes, inflatedBytes }] as const,
  );
  const report = { sizeBytes: statSync(path).size, milliseconds, sections: Object.fromEntries(sections) };
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[sorted.length >> 1] ?? Number.NaN) * 100) / 100;
}
