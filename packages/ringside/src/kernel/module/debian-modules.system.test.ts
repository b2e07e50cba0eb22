import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finitModule } from './load.ts';
import { builtInSpec, Loader } from './loader.fixture.ts';
import { procModules } from './procfs.ts';

const { release } = builtInSpec();
const root = `/lib/modules/${release}`;

function needModules(): void {
  if (!existsSync(`${root}/modules.dep`)) {
    const there = existsSync('/lib/modules') ? readdirSync('/lib/modules').join(', ') : 'none';
    throw new Error(
      `No modules of ${release} (installed: ${there}): apt-get install --no-install-recommends linux-image-${release}`,
    );
  }
}

const nameOf = (path: string): string => basename(path, '.ko').replaceAll('-', '_');

describe("Debian's own modules", () => {
  it('take as much memory as on the real kernel', { timeout: 300_000 }, () => {
    needModules();
    const [head, , ...rows] = readFileSync(
      new URL('fixtures/debian-module-sizes.tsv', import.meta.url),
      'utf8',
    )
      .trim()
      .split('\n');
    expect(head, 'sizes were recorded on another release: record /proc/modules again under QEMU').toBe(
      `# release ${release}`,
    );
    const loader = new Loader();
    const expected: string[] = [];
    for (const row of rows) {
      const [path, size] = row.split('\t') as [string, string];
      expect(loader.run(finitModule(loader.modules, readFileSync(`${root}/kernel/${path}`), '')), path).toBe(
        0,
      );
      expected.unshift(`${nameOf(path)} ${size}`);
    }
    const got = procModules(loader.modules).trim().split('\n');
    expect(got.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(expected);
    expect(loader.log).toEqual([]);
  });

  it('can all be loaded, each after what it depends on', { timeout: 1_800_000 }, () => {
    needModules();
    const dependencies = new Map<string, string[]>();
    for (const line of readFileSync(`${root}/modules.dep`, 'utf8').trim().split('\n')) {
      const [path, needs] = line.split(':') as [string, string];
      dependencies.set(path, needs.split(' ').filter(Boolean));
    }
    const loader = new Loader();
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
