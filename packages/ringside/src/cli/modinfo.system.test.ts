import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FileCommandIo, modinfoCommand } from './modinfo.ts';

interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

async function ours(args: readonly string[], cwd = '/'): Promise<Output> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const at = (path: string): string => (path.startsWith('/') ? path : join(cwd, path));
  const io: FileCommandIo = {
    stdout: (data) => out.push(Buffer.from(data as string)),
    stderr: (data) => err.push(Buffer.from(data as string)),
    readFile: async (path) => new Uint8Array(readFileSync(at(path))),
    isFile: async (path) => existsSync(at(path)) && statSync(at(path)).isFile(),
    cwd,
    kernelRelease: 'none',
  };
  const status = await modinfoCommand(args, io);
  return {
    stdout: Buffer.concat(out).toString('latin1'),
    stderr: Buffer.concat(err).toString('latin1'),
    status,
  };
}

function kmods(args: readonly string[], cwd = '/'): Output {
  const { stdout, stderr, status } = spawnSync('modinfo', args, {
    cwd,
    maxBuffer: 1 << 30,
    encoding: 'latin1',
  });
  return { stdout, stderr, status: status ?? -1 };
}

const releases = existsSync('/lib/modules') ? readdirSync('/lib/modules') : [];
const modules = releases.flatMap((release) =>
  readdirSync(join('/lib/modules', release), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ko(\.xz|\.zst)?$/.test(path))
    .sort()
    .map((path) => join('/lib/modules', release, path)),
);

beforeAll(() => {
  if (modules.length < 1000) throw new Error('Debian modules are missing: install linux-image-amd64');
  const { error, stdout } = spawnSync('modinfo', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw new Error('kmod is missing: install kmod');
  if (!stdout.startsWith('kmod version 30')) throw new Error(`kmod 30 is the reference, not ${stdout}`);
});

describe('modinfo on every installed module', () => {
  test.each([
    [],
    ['-0'],
    ['-p'],
    ['-F', 'alias', '-0'],
    ['-F', 'parmtype'],
    ['-d'],
    ['-n'],
    ['-F', 'sig_key'],
  ])('prints what kmod prints with options %#', { timeout: 300_000 }, async (...options) => {
    for (let start = 0; start < modules.length; start += 500) {
      const args = [...options, ...modules.slice(start, start + 500)];
      const expected = kmods(args);
      const actual = await ours(args);
      if (actual.stdout !== expected.stdout) {
        const theirs = expected.stdout.split('\n');
        const line = actual.stdout.split('\n').findIndex((text, index) => text !== theirs[index]);
        expect(actual.stdout.split('\n').slice(line - 3, line + 2)).toEqual(theirs.slice(line - 3, line + 2));
      }
      expect(actual.stdout === expected.stdout).toBe(true);
      expect(actual.stderr).toBe(expected.stderr);
      expect(actual.status).toBe(expected.status);
    }
  });
});

describe('modinfo on damaged and odd files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'modinfo-'));
  const names: string[] = [];

  function put(name: string, bytes: Uint8Array): void {
    writeFileSync(join(directory, name), bytes);
    names.push(name);
  }

  beforeAll(() => {
    const path = modules.find((file) => file.endsWith('/dummy.ko'))!;
    const module = readFileSync(path);
    const end = module.length - 28;
    const patched = (at: number, ...values: number[]): Buffer => {
      const copy = Buffer.from(module);
      copy.set(values, at);
      return copy;
    };
    const replaced = (from: string, to: string): Buffer =>
      patched(module.indexOf(from), ...Buffer.from(to, 'latin1'));
    put('whole.ko', module);
    put('empty.ko', Buffer.alloc(0));
    put('text.ko', Buffer.from('this is no module at all\n'));
    for (const size of [10, 16, 17, 40, 63, 64, 2000]) put(`cut-${size}.ko`, module.subarray(0, size));
    put('magic.ko', patched(0, 1));
    put('class.ko', patched(4, 1));
    put('class-0.ko', patched(4, 0));
    put('big-endian.ko', patched(5, 2));
    put('machine.ko', patched(18, 183));
    put('shoff.ko', patched(40, 0xff, 0xff, 0xff, 0x7f));
    put('shoff-huge.ko', patched(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    put('shnum.ko', patched(60, 0xff, 0xff));
    put('shentsize.ko', patched(58, 10));
    put('shstrndx.ko', patched(62, 1, 0));
    put('no-modinfo.ko', patched(module.lastIndexOf('.modinfo\0'), 0x2e, 0x78));
    put('no-equals.ko', replaced('license=GPL', 'licenseXGPL'));
    put('no-key.ko', replaced('license=GPL', '=icenseXGPL'));
    put('long-key.ko', replaced('rtnl-link-dummy\0', 'rtnl=link-dummy\0'));
    put('not-utf8.ko', replaced('license=GPL', 'license=\xe4\xff\x01'));
    put('parm.ko', replaced('parm=numdummies:', 'parm=numdummies;'));
    put('parmtype.ko', replaced('parmtype=numdummies:', 'parmtype=numdummieX:'));
    put('hash.ko', patched(end - 11, 9));
    put('id-0.ko', patched(end - 10, 0, 4, 5));
    put('id-3.ko', patched(end - 10, 3));
    put('sig-long.ko', patched(end - 4, 9));
    put('sig-0.ko', patched(end - 4, 0, 0, 0, 0));
    put('sig-bad.ko', patched(end - 12 - 600, 1, 2, 3, 4));
    put('a-b.c.ko', module);
    for (const [tool, name] of [
      ['xz', 'x.ko.xz'],
      ['zstd', 'z.ko.zst'],
    ] as const) {
      const packed = execFileSync(tool, ['-c'], { input: module, maxBuffer: 1 << 24 });
      put(name, packed);
      if (tool === 'xz') put(`cut-${name}`, packed.subarray(0, packed.length / 2));
    }
    put('misnamed.ko.xz', module);
    put('other.txt', module);
  });

  test('prints what kmod prints, and its errors', async () => {
    for (const name of [...names, 'missing.ko', '.', '/nowhere/x.ko']) {
      for (const options of [[], ['-0'], ['-p'], ['-F', 'license']]) {
        const args = [...options, name];
        expect(await ours(args, directory), args.join(' ')).toEqual(kmods(args, directory));
      }
    }
  });

  test('reads the command line as kmod does', async () => {
    for (const args of [
      [],
      ['-x', 'whole.ko'],
      ['--foo', 'whole.ko'],
      ['-F'],
      ['--field'],
      ['--auth', 'whole.ko'],
      ['-Flicense', 'whole.ko'],
      ['--field=parm', 'whole.ko'],
      ['--null=3', 'whole.ko'],
      ['--fi=name', 'whole.ko'],
      ['whole.ko', '-n'],
      ['-0n', './whole.ko'],
      ['-nd', 'whole.ko', 'missing.ko', 'a-b.c.ko'],
      ['--', '-n', 'whole.ko'],
      ['-m', 'whole.ko'],
      ['-l', 'whole.ko', 'empty.ko'],
    ]) {
      expect(await ours(args, directory), args.join(' ')).toEqual(kmods(args, directory));
    }
  });

  test('reads gzip, which Debian builds kmod without', async () => {
    put('g.ko.gz', gzipSync(readFileSync(join(directory, 'whole.ko'))));
    const { stdout } = kmods(['whole.ko'], directory);
    expect((await ours(['g.ko.gz'], directory)).stdout).toBe(stdout.replace('whole.ko', 'g.ko.gz'));
  });
});
