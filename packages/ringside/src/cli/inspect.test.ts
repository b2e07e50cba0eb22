import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { InputError, RingsideError } from '../bytes/index.ts';
import { inspectCommand } from './inspect.ts';
import { modinfoCommand } from './modinfo.ts';
import type { FileCommandIo } from './modinfo-io.ts';

const modulePath = (name: string): string =>
  fileURLToPath(new URL(`../../../../modules/${name}`, import.meta.url));

async function inspect(...args: readonly string[]): Promise<string> {
  let output = '';
  const io: FileCommandIo = {
    stdout: (data) => {
      output += data;
    },
    stderr: () => undefined,
    readFile: (path) => readFile(path),
    isFile: async (path) => (await stat(path)).isFile(),
    cwd: '/',
    kernelRelease: 'none',
  };
  expect(await inspectCommand(args, io)).toBe(0);
  return output;
}

describe('ringside inspect', () => {
  test('without WHAT says what there is and how much', async () => {
    const output = await inspect(modulePath('hello/hello.ko'));
    expect(output).toMatch(/^module\n\nwhat +entries {2}about\n/);
    expect(output).toMatch(/\nparams +1 {2}parameters\n/);
    expect(output).toMatch(/\nsignature +0 {2}/);
  });

  test('prints a table for people', async () => {
    const output = await inspect(modulePath('exports/exporter.ko'), 'exports');
    expect(output).toMatch(/^name +gplOnly +namespace +crc +value\n/);
    expect(output).toMatch(
      /\nexported_gpl_double +yes +0x[0-9a-f]+ {2}\.text\+0x[0-9a-f]+ <exported_gpl_double>\n/,
    );
  });

  test('prints rows for programs, places taken apart', async () => {
    const { file, kind, exports } = JSON.parse(
      await inspect(modulePath('exports/exporter.ko'), 'exports', '--json'),
    );
    expect([file, kind]).toEqual([modulePath('exports/exporter.ko'), 'module']);
    expect(exports).toContainEqual({
      name: 'exported_value',
      gplOnly: false,
      namespace: '',
      crc: expect.any(Number),
      value: { section: '.data', offset: 0, symbol: 'exported_value' },
    });
  });

  test('prints everything of a module as one JSON object', async () => {
    const everything = JSON.parse(await inspect(modulePath('warn/warn.ko'), 'all', '--json'));
    for (const what of [
      'modinfo',
      'sections',
      'symbols',
      'relocs',
      'orc',
      'bug_table',
      'lines',
      'this_module',
    ]) {
      expect(everything[what].length, what).toBeGreaterThan(0);
    }
    expect(everything.bug_table[0]).toMatchObject({ file: expect.stringMatching(/warn\.c$/) });
  });

  test.each([
    [['/nowhere/x.ko'], /^Cannot inspect "\/nowhere\/x.ko": there is no such file$/],
    [[modulePath('hello')], /it is a directory$/],
    [[modulePath('hello/hello.c')], /not an ELF file/],
    [[modulePath('hello/hello.ko'), 'relcs'], /did you mean "relocs"\? it has modinfo, /],
    [[modulePath('hello/hello.ko'), 'toString'], /has no such thing/],
    [[], /no file is named/],
  ])('refuses %j', async (args, message) => {
    await expect(inspect(...args)).rejects.toThrow(InputError);
    await expect(inspect(...args)).rejects.toThrow(message);
  });
});

describe('damaged modules', () => {
  test('are shown or refused by inspect and modinfo, without any other exception', async () => {
    const original = new Uint8Array(readFileSync(modulePath('warn/warn.ko')));
    let state = 0x5eed;
    const next = (below: number): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    };
    let shown = 0;
    for (let run = 0; run < 200; run++) {
      const bytes = original.slice();
      const view = new DataView(bytes.buffer);
      const table = Number(view.getBigUint64(40, true));
      for (let change = next(4); change >= 0; change--) {
        const header = table + next(view.getUint16(60, true)) * 64;
        const at = Number(view.getBigUint64(header + 24, true));
        const size = Number(view.getBigUint64(header + 32, true));
        const value = [0, 1, 0xff, 0x7fff_ffff, 0xffff_ffff, next(2 ** 32)][next(6)]!;
        if (next(4) === 0) view.setUint32(header + next(16) * 4, value, true);
        else if (size > 8 && at + size < bytes.length) view.setUint32(at + next(size - 4), value, true);
      }
      const io: FileCommandIo = {
        stdout: () => undefined,
        stderr: () => undefined,
        readFile: async () => bytes,
        isFile: async () => true,
        cwd: '/',
        kernelRelease: 'none',
      };
      expect([0, 1]).toContain(await modinfoCommand(['x.ko'], io));
      try {
        await inspectCommand(['x.ko'], io);
        shown++;
      } catch (error) {
        if (!(error instanceof RingsideError)) throw error;
      }
    }
    expect(shown).toBeGreaterThan(100);
  });
});
