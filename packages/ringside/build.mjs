// Builds dist/: the bundled command with its code cache, the library, and the library's types.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, 'dist');
const require = createRequire(import.meta.url);

const common = {
  absWorkingDir: here,
  bundle: true,
  platform: 'node',
  target: 'node20',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  // Finds its .wasm file beside itself, so it stays where npm put it.
  external: ['@bokuweb/zstd-wasm'],
};

rmSync(dist, { recursive: true, force: true });

await Promise.all([
  // One CommonJS file: parts behind `import()` are evaluated when they are first asked for, and with the code cache
  // the parts that never are cost nothing; several files cost a look-up and a read each.
  build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/command.cjs',
    format: 'cjs',
    minifySyntax: true,
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__bundleUrl' },
    banner: { js: 'const __bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
  }),
  build({
    ...common,
    entryPoints: ['src/index.ts'],
    outdir: 'dist',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
  }),
]);

emitTypes();
makeCodeCache();
// what a package must carry, kept once at the top of the clone
for (const file of ['LICENSE', 'NOTICE', 'README.md'])
  copyFileSync(join(here, '../..', file), join(here, file));

/** `--noCheck`: checking is `npm run check`'s; a build only has to write what there is. */
function emitTypes() {
  const tsc = require.resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.build.json'), '--noCheck'], {
    stdio: 'inherit',
  });
}

/** In a process of its own that has run the main job, so that the functions it needs are compiled in the cache. */
function makeCodeCache() {
  const example = join(here, '../../modules/hello/hello.ko');
  const made = spawnSync(
    process.execPath,
    [join(here, 'make-code-cache.cjs'), ...(existsSync(example) ? [example] : [])],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  if (made.status !== 0) {
    process.stderr.write(`build: no code cache, the command will start slower:\n${made.stderr}\n`);
  }
}

const sizes = readdirSync(dist)
  .filter((name) => !name.endsWith('.map'))
  .map((name) => ({ name, size: statSync(join(dist, name)) }))
  .filter(({ size }) => size.isFile())
  .map(({ name, size }) => `${name} ${Math.round(size.size / 1024)} KiB`);
process.stdout.write(`built dist: ${sizes.join(', ')}\n`);
