// npm run conformance:fresh [-- CASE...]
//
// All anew, with the kernel and the compiler that are installed here: builds the modules, makes the kernel's spec from
// its image, records the cases under QEMU with those modules, and compares Ringside, with that spec and those modules,
// with these recordings. Nothing that is kept is changed.
//
// When the installed kernel is the one whose recordings are kept, the new recordings must agree with those too. With
// another one, what differs is shown: calls into the kernel in `Code:` lines, for example, rightly do.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { encodeSpec } from '../../packages/ringside/src/image/index.ts';
import { readKernelFile } from '../../packages/ringside/src/node/index.ts';
import { installedKernel } from './installed-kernel.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSX = join(createRequire(import.meta.url).resolve('tsx/package.json'), '../dist/cli.mjs');
const KEPT_MODULES = join(ROOT, 'modules');

/** @throws Error when it ends with another status than 0 */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with status ${status}`);
}

/** Copies the sources and builds them there. Returns how many came out as those that are kept. */
function buildModules(folder: string, release: string): { readonly built: number; readonly same: number } {
  cpSync(KEPT_MODULES, folder, { recursive: true, filter: (path) => !path.endsWith('.ko') });
  run('bash', [join(folder, 'build.sh')], { KREL: release });
  const built = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((p) => p.endsWith('.ko'));
  const same = built.filter((path) => {
    return readFileSync(join(folder, path)).equals(readFileSync(join(KEPT_MODULES, path)));
  });
  return { built: built.length, same: same.length };
}

const scratch = mkdtempSync(join(tmpdir(), 'ringside-fresh-'));
try {
  const { path, release, isBuiltIn } = installedKernel();
  console.log(
    `the installed kernel is ${release}, ${isBuiltIn ? 'the one' : 'another one than that'} of the recordings that are kept`,
  );
  const spec = join(scratch, 'kernel.ringside-spec');
  writeFileSync(
    spec,
    encodeSpec(await readKernelFile(path), (content) => deflateSync(content)),
  );
  const modules = join(scratch, 'modules');
  const { built, same } = buildModules(modules, release);
  console.log(`${same} of ${built} modules, built for ${release}, are the files that are kept`);

  const recordings = join(scratch, 'recordings');
  mkdirSync(recordings);
  const cases = process.argv.slice(2);
  const harness = (file: string) => [TSX, fileURLToPath(new URL(file, import.meta.url))];
  const failures: string[] = [];
  const attempt = (what: string, args: readonly string[], env: Readonly<Record<string, string>>): void => {
    console.log(`--- ${what}`);
    try {
      run(process.execPath, args, { RINGSIDE_MODULES: modules, ...env });
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      failures.push(what);
    }
  };
  attempt(
    'the real kernel, beside the recordings that are kept',
    [...harness('record.ts'), '--into', recordings, ...(isBuiltIn ? ['--check'] : []), ...cases],
    { KREL: release },
  );
  attempt('Ringside, beside the new recordings', [...harness('run.ts'), ...cases], {
    RINGSIDE_KERNEL: spec,
    RINGSIDE_RECORDINGS: recordings,
  });
  if (failures.length > 0) {
    console.error(`failed: ${failures.join('; ')}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
