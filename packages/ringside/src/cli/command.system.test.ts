import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ElfFile } from '../elf/index.ts';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = join(PACKAGE, '../../modules');
const COMMAND = join(PACKAGE, 'bin/ringside.cjs');
const HELLO = join(MODULES, 'hello/hello.ko');
const scratch = mkdtempSync(join(tmpdir(), 'ringside-command-'));

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(PACKAGE, 'build.mjs')], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the command cannot be built: ${built.stderr}`);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function ringside(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8', cwd: scratch });
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

/** hello.ko with some bytes of its ELF header changed. */
function changedHello(name: string, changes: Readonly<Record<number, number>>): string {
  const bytes = Uint8Array.from(readFileSync(HELLO));
  for (const [offset, byte] of Object.entries(changes)) bytes[Number(offset)] = byte;
  return file(name, bytes);
}

test('a clean run prints the log on stdout, nothing on stderr, and ends with 0', () => {
  const { stdout, stderr, status } = ringside('run', HELLO, 'name=Bob');
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(stdout).toMatch(/^\[ {4}\d\.\d{6}\] hello: .*Bob/m);
});

test('the same run gives the same bytes', () => {
  expect(ringside('run', HELLO).stdout).toBe(ringside('run', HELLO).stdout);
});

test('--json prints one object a line and ends with the status', () => {
  const { stdout, status } = ringside('run', '--json', HELLO);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; status?: number });
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['log', 'loaded', 'unloaded', 'end']),
  );
  expect(events.at(-1)).toMatchObject({ type: 'end', status });
});

describe('input that cannot be used ends with 1, a message with the way out, and no stack of ours', () => {
  test.each<[string, () => string[], RegExp]>([
    ['no command', () => [], /Usage: ringside/],
    ['an unknown command', () => ['rnu'], /did you mean "run"\?/],
    ['a module as the command', () => [HELLO], /"ringside run /],
    ['no module', () => ['run'], /No module is named/],
    ['an unknown option', () => ['run', HELLO, '--jsno'], /did you mean --json\?/],
    ['a missing file', () => ['run', 'missing.ko'], /Cannot read "missing.ko": no such file/],
    ['a directory', () => ['run', MODULES], /it is a directory/],
    ['a kernel that is not there', () => ['run', HELLO, '--kernel', '5.4.0-none'], /ringside kernel add/],
    ['a kernel that is no kernel', () => ['run', HELLO, '--kernel', file('k', 'text')], /Cannot use kernel/],
    ['an empty module', () => ['run', file('empty.ko', '')], /insmod: ERROR.*\n.*is empty/],
    [
      'a text file',
      () => ['run', file('text.ko', 'int main;\n'.repeat(100))],
      /insmod: ERROR.*\n.*text file/,
    ],
    ['a 32-bit module', () => ['run', changedHello('i386.ko', { 4: 1, 18: 3 })], /insmod: ERROR.*\n.*32-bit/],
    ['an arm64 module', () => ['run', changedHello('arm.ko', { 18: 183 })], /insmod: ERROR.*\n.*arm64/],
    [
      'a cut-off module',
      () => ['run', file('cut.ko', readFileSync(HELLO).subarray(0, 3000))],
      /insmod: ERROR.*\n.*cut off/,
    ],
    [
      'a bad parameter',
      () => ['run', join(MODULES, 'params/params.ko'), 'an_int=many'],
      /insmod: ERROR.*Invalid parameters/,
    ],
  ])('%s', (_, args, message) => {
    const { stdout, stderr, status } = ringside(...args());
    expect(stderr).toMatch(message);
    expect(stdout + stderr).not.toMatch(/^ {4}at /m);
    expect(status).toBe(1);
  });
});

test('an oops ends with 2', () => {
  const { stdout, status } = ringside('run', join(MODULES, 'oops/null-read.ko'));
  expect(stdout).toContain('BUG: kernel NULL pointer dereference');
  expect(status).toBe(2);
});

describe('a module that never comes back from its init', () => {
  /** hello.ko whose init, after the call of `__fentry__`, is `jmp .`. */
  function loopingModule(): string {
    const bytes = Uint8Array.from(readFileSync(HELLO));
    const elf = new ElfFile(bytes);
    bytes.set([0xeb, 0xfe], elf.section('.init.text')!.offset + 5);
    return file('loop.ko', bytes);
  }

  test('is ended by --timeout with 124', () => {
    const { stderr, status } = ringside('run', loopingModule(), '--timeout', '500ms');
    expect({ stderr, status }).toEqual({
      stderr: 'ringside: not done after 0.5 s (--timeout)\n',
      status: 124,
    });
  });

  test('is ended by Ctrl-C with 130', async () => {
    const child = spawn(process.execPath, [COMMAND, 'run', loopingModule()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // The taint line comes before init runs.
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
  });
});

test('a reader that goes away ends it quietly', async () => {
  const child = spawn(process.execPath, [COMMAND, 'run', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(child, 'close');
  expect(stderr).toBe('');
});
