import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { smallKernel } from '../image/small-kernel.fixture.ts';
import { addSpec, openBuiltInSpec } from '../node/index.ts';
import { kernelCommand } from './kernel.ts';

const cache = mkdtempSync(join(tmpdir(), 'ringside-kernel-'));
const directory = join(cache, 'ringside', 'kernels');
beforeEach(() => vi.stubEnv('XDG_CACHE_HOME', cache));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(cache, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const status = await kernelCommand(args, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { status, out, err };
}

describe.skipIf(process.platform !== 'linux')('ringside kernel', () => {
  test('lists the built-in kernel and those in the store', async () => {
    addSpec(smallKernel(), { directory });
    const { status, out } = await run('list');
    expect(status).toBe(0);
    expect(out).toContain(`debian-12-amd64 (built in)  ${openBuiltInSpec().release}`);
    expect(out).toMatch(/^1\.2\.3-test +1\.2\.3-test +\d+ KiB/m);
  });

  test('shows what a kernel is, and single things of it', async () => {
    addSpec(smallKernel(), { directory });
    const { out } = await run('show', '1.2.3-test');
    expect(out).toContain('release:     1.2.3-test\n');
    expect(out).toContain('exports:     3 (2 GPL only, 1 namespaces)\n');
    expect((await run('show', '1.2.3-test', '--symbol', 'do_things')).out).toContain(
      'returns to do_things+0x20/0x100',
    );
    expect((await run('show', '1.2.3-test', '--config', 'HZ')).out).toBe('CONFIG_HZ=250\n');
    expect((await run('show', '--type', 'struct list_head')).out).toContain(
      'struct list_head *next; /* 0 8 */',
    );
  });

  test('says what is wrong and what to do, and returns 1', async () => {
    const text = join(cache, 'text');
    writeFileSync(text, 'no kernel');
    expect(await run('add', text)).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('not a kernel'),
    });
    expect(await run('add')).toMatchObject({ status: 1, err: expect.stringContaining('no file is named') });
    expect(await run('show', 'none')).toMatchObject({
      status: 1,
      err: expect.stringContaining('kernel add'),
    });
    expect(await run('show', '--type', 'no_such')).toMatchObject({ status: 1 });
    expect(await run('show', '--what')).toMatchObject({ status: 1, err: expect.stringContaining('--what') });
    expect(await run('remove')).toMatchObject({
      status: 1,
      err: expect.stringContaining('add, list or show'),
    });
    expect((await run()).status).toBe(1);
    expect(await run('--help')).toMatchObject({
      status: 0,
      err: '',
      out: expect.stringContaining('Examples:'),
    });
  });

  test('lists a damaged spec as that', async () => {
    writeFileSync(join(directory, '0.0.0-bad.ringside-spec'), 'RINGSPEC');
    expect((await run('list')).out).toMatch(/^0\.0\.0-bad +damaged/m);
    expect(await run('show', '0.0.0-bad')).toMatchObject({
      status: 1,
      err: expect.stringContaining('make it again with "ringside kernel add FILE", or remove it'),
    });
  });

  test('teaches also when one action is asked for help', async () => {
    expect(await run('add', '--help')).toEqual(await run('--help'));
  });
});
