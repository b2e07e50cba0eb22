import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { InputError } from '../bytes/index.ts';
import { disasmCommand } from './disasm.ts';
import type { FileCommandIo } from './modinfo-io.ts';

const fromRoot = (name: string): string => fileURLToPath(new URL(`../../../../${name}`, import.meta.url));
const hello = fromRoot('modules/hello/hello.ko');

async function disasm(...args: readonly string[]): Promise<string> {
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
  expect(await disasmCommand(args, io)).toBe(0);
  return output;
}

describe('ringside disasm', () => {
  test('lists the functions of a module with their sizes', async () => {
    const lines = (await disasm(hello)).split('\n');
    expect(lines[0]).toMatch(/^function +place +bytes +instructions +wasm$/);
    expect(lines.some((line) => /^\w+ +\.init\.text\+0x[0-9a-f]+ +\d+ +\d+ +\d+$/.test(line))).toBe(true);
  });

  test('prints all stages of a function, with imports and relocations by name', async () => {
    const { functions } = JSON.parse(await disasm(hello, '--json'));
    const init = functions.find((f: { place: string }) => f.place.startsWith('.init.text')).function;
    const output = await disasm(hello, init);
    expect(output).toMatch(/call 0x[0-9a-f]+ <_printk>.*R_X86_64_PLT32 _printk-0x4/);
    expect(output).toMatch(
      /\ncontrol flow:\n {2}[0-9a-f]{16}: \d+ instructions, calls 0x[0-9a-f]+ <_printk>/,
    );
    expect(output).toMatch(/\nintermediate form:\n {2}node 0:\n/);
    expect(output).toMatch(/\nwasm \(\d+ bytes\):\n/);
    const only = await disasm(hello, init, '--stage', 'cfg');
    expect(only).not.toMatch(/wasm \(|intermediate form/);
  });

  test('takes linked files', async () => {
    const json = JSON.parse(await disasm(fromRoot('bench/engine/guest.elf'), 'fib', '--json'));
    expect(json).toMatchObject({
      function: 'fib',
      instructions: expect.any(Array),
      blocks: expect.any(Array),
    });
    expect(json.instructions[0]).toMatchObject({
      addr: json.addr,
      bytes: expect.stringMatching(/^[0-9a-f]{2}/),
    });
  });

  test.each([
    [[], /no file is named/],
    [['/nonexistent'], /Cannot disassemble "\/nonexistent": there is no such file/],
    [[fromRoot('modules')], /it is a directory/],
    [[fromRoot('package.json')], /Cannot disassemble/],
    [[hello, 'nothing_like_it'], /it has no function "nothing_like_it"/],
    [[hello, '0x10'], /there is no machine code at 0x10/],
    [[hello, 'a', 'b'], /one function at a time/],
    [[hello, '--stage', 'asm'], /There is no stage "asm": write x86, cfg, ir, wasm or all/],
  ])('says what is wrong with %j', async (args, message) => {
    const failure = disasm(...args);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(message);
  });
});
