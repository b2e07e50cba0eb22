import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../bytes/index.ts';
import { smallKernel } from '../image/small-kernel.fixture.ts';
import { specDirectory } from './spec-directory.ts';
import {
  addSpec,
  builtInSpecPath,
  listSpecs,
  openBuiltInSpec,
  openSpecFile,
  resolveKernel,
} from './spec-store.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringside-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the store', () => {
  test('keeps a kernel under its release and replaces it whole', () => {
    const first = addSpec(smallKernel(), { directory });
    const again = addSpec(smallKernel(), { directory });
    expect(again).toEqual(first);
    expect(readdirSync(directory)).toEqual(['1.2.3-test.ringside-spec']);
    expect(openSpecFile(first.path).release).toBe('1.2.3-test');
    expect(listSpecs({ directory }).map(({ name, builtIn }) => [name, builtIn])).toEqual([
      ['debian-12-amd64', true],
      ['1.2.3-test', false],
    ]);
  });

  test('leaves nothing behind when it cannot write', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(() => addSpec(smallKernel(), { directory: join(file, 'kernels') })).toThrow(InputError);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  test('refuses a release that is no file name', () => {
    expect(() => addSpec(smallKernel('../../escape'), { directory })).toThrow(/release/);
  });

  test('lies where the platform keeps caches', () => {
    expect(specDirectory({ XDG_CACHE_HOME: '/c' }, 'linux', '/home/u')).toBe('/c/ringside/kernels');
    expect(specDirectory({ XDG_CACHE_HOME: 'relative' }, 'linux', '/home/u')).toBe(
      '/home/u/.cache/ringside/kernels',
    );
    expect(specDirectory({}, 'darwin', '/Users/u')).toBe('/Users/u/Library/Caches/ringside/kernels');
    expect(specDirectory({ LOCALAPPDATA: '/L' }, 'win32', '/U')).toBe('/L/ringside/kernels');
  });
});

describe('--kernel', () => {
  test('names a kernel of the store, a spec file, the built-in kernel, or nothing', async () => {
    const { path } = addSpec(smallKernel(), { directory });
    expect((await resolveKernel('1.2.3-test', { directory })).release).toBe('1.2.3-test');
    expect((await resolveKernel(path, { directory })).release).toBe('1.2.3-test');
    const builtIn = openBuiltInSpec();
    expect((await resolveKernel(undefined, { directory })).release).toBe(builtIn.release);
    expect((await resolveKernel(builtIn.release, { directory })).banner).toBe(builtIn.banner);
    expect((await resolveKernel('debian-12-amd64', { directory })).banner).toBe(builtIn.banner);
  });

  test.each([
    ['', /empty/],
    ['9.9.9-none', /no kernel of that name/],
    ['/no/such/file', /no such file/],
    [tmpdir(), /directory/],
  ])('%j is refused with what to do about it', async (name, message) => {
    await expect(resolveKernel(name, { directory })).rejects.toThrow(message);
    await expect(resolveKernel(name, { directory })).rejects.toBeInstanceOf(InputError);
  });

  test('a file that is no kernel is refused as that', async () => {
    const file = join(directory, 'file');
    const contents = [
      '',
      'text',
      '\x7fELF',
      '!<arch>\n',
      'RINGSPEC',
      '\x1f\x8b',
      readFileSync(builtInSpecPath()).subarray(0, 5000),
    ];
    for (const content of contents) {
      writeFileSync(file, content, 'latin1');
      await expect(resolveKernel(file, { directory })).rejects.toBeInstanceOf(InputError);
    }
  });
});

describe('the built-in kernel', () => {
  test("is Debian 12's, complete, and small", () => {
    const spec = openBuiltInSpec();
    expect(spec.release).toMatch(/^6\.1\.0-\d+-amd64$/);
    expect(spec.exports.size).toBeGreaterThan(8000);
    expect(spec.exports.byName('_printk')?.crc).toBeGreaterThan(0);
    expect(spec.types.struct('module').offsetOf('list')).toBe(8);
    expect(spec.symbols.lookup('do_one_initcall')?.type).toBe('T');
    expect(readFileSync(builtInSpecPath()).length).toBeLessThan(2_500_000);
  });
});
