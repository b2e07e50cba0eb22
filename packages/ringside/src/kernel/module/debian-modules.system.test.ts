import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KernelSpec, readKernel, specOfFacts } from '../../image/index.ts';
import { installedKernel } from '../../image/installed-kernel.fixture.ts';
import { finitModule } from './load.ts';
import { Loader } from './loader.fixture.ts';
import { procModules } from './procfs.ts';

const kernel = installedKernel();
const root = `/lib/modules/${kernel.release}`;
let spec: KernelSpec;

beforeAll(async () => {
  if (!existsSync(`${root}/modules.dep`)) {
    throw new Error(`No modules of ${kernel.release}: apt-get install linux-image-${kernel.release}`);
  }
  spec = specOfFacts(await readKernel(kernel.bytes));
});

/** `NAME SIZE` of each line, as far as it says so. */
const sizes = (procModulesText: string): string[] =>
  procModulesText.split('\n').flatMap((line) => /^\w+ \d+(?= \d+ )/.exec(line) ?? []);

/** What /proc/modules of the real kernel says after these were loaded. */
function onRealKernel(paths: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-modules-'));
  try {
    const files = join(folder, 'files');
    mkdirSync(files);
    for (const path of paths) copyFileSync(path, join(files, basename(path)));
    const steps = join(folder, 'steps');
    const names = paths.map((path) => basename(path)).join(' ');
    writeFileSync(steps, `for file in ${names}; do insmod $file; done\ncat /proc/modules\n`);
    const oracle = new URL('../../../../../conformance/oracle/real-kernel.sh', import.meta.url).pathname;
    const transcript = execFileSync('flock', ['/tmp/qemu.lock', oracle, '-t', '300', files, steps], {
      encoding: 'utf8',
      env: { ...process.env, KREL: kernel.release },
    });
    return sizes(transcript.slice(transcript.indexOf('\n$ cat')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("Debian's own modules", () => {
  it('take as much memory as on the real kernel', { timeout: 1_800_000 }, () => {
    const paths = readFileSync(new URL('fixtures/debian-modules.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => `${root}/kernel/${line}`)
      // a later kernel may have lost one
      .filter((path) => existsSync(path));
    const expected = onRealKernel(paths);
    expect(expected.length).toBeGreaterThan(100);
    const loaded = new Set(expected.map((line) => line.split(' ')[0]));
    const loader = new Loader({ spec });
    for (const path of paths) {
      if (!loaded.has(basename(path, '.ko').replaceAll('-', '_'))) continue;
      expect(loader.run(finitModule(loader.modules, readFileSync(path), '')), path).toBe(0);
    }
    expect(sizes(procModules(loader.modules))).toEqual(expected);
    expect(loader.log).toEqual([]);
  });

  it('can all be loaded, each after what it depends on', { timeout: 1_800_000 }, () => {
    const dependencies = new Map<string, string[]>();
    for (const line of readFileSync(`${root}/modules.dep`, 'utf8').trim().split('\n')) {
      const [path, needs] = line.split(':') as [string, string];
      dependencies.set(path, needs.split(' ').filter(Boolean));
    }
    const loader = new Loader({ spec });
    const failed: string[] = [];
    const done = new Set<string>();
    const load = (path: string): void => {
      if (done.has(path)) return;
      done.add(path);
      for (const needed of dependencies.get(path) ?? []) load(needed);
      const before = loader.log.length;
      let outcome: string;
      try {
        const err = loader.run(finitModule(loader.modules, readFileSync(`${root}/${path}`), ''));
        outcome = err === 0 ? '' : `${err}`;
      } catch (error) {
        outcome = String(error);
      }
      if (outcome !== '') failed.push(`${path}: ${outcome} ${loader.log.slice(before).join('; ')}`);
    };
    for (const path of dependencies.keys()) load(path);
    expect(done.size).toBeGreaterThan(3000);
    expect(failed).toEqual([]);
  });
});
