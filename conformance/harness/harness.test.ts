import { expect, test } from 'vitest';
import { caseNames, readCase, readFile } from './case.ts';
import { ElfFile, latin1, latin1Text } from './elf-file.ts';
import { kernfsOrder } from './kmod.ts';
import { EDITS, mutate } from './mutate.ts';
import { normalise } from './normalise.ts';
import { runCase } from './run-case.ts';
import type { CallEnd, Target } from './target.ts';
import { parseCommandLine } from './words.ts';

test('a step is split as sh splits it', () => {
  expect(parseCommandLine(`insmod x.ko 'name="two words"' a=\\ b`)).toEqual({
    words: ['insmod', 'x.ko', 'name="two words"', 'a= b'],
    into: undefined,
  });
  expect(parseCommandLine('echo 4 > /sys/x').into).toBe('/sys/x');
  expect(() => parseCommandLine('lsmod | wc')).toThrow('not supported');
  expect(() => parseCommandLine("echo 'open")).toThrow('without end');
});

test('a directory of sysfs lists names in the order of their hashes', () => {
  // as the real kernel listed them: conformance/exports
  expect(kernfsOrder(['importer_gpl', 'importer'])).toEqual(['importer', 'importer_gpl']);
});

test('every case can be read, has been recorded, and its steps are ones the harness knows', () => {
  expect(caseNames().length).toBeGreaterThan(26);
  for (const name of caseNames()) {
    const theCase = readCase(name);
    expect(theCase.expected, name).toBeDefined();
    const known = ['insmod', 'rmmod', 'lsmod', 'sleep', 'echo', 'cat'];
    for (const step of theCase.steps) expect(known).toContain(parseCommandLine(step).words[0]);
  }
});

test('the recording of a case has its steps in their order', () => {
  for (const name of caseNames()) {
    const theCase = readCase(name);
    const recorded = (theCase.expected ?? '').split('\n').filter((line) => line.startsWith('$ '));
    const steps = theCase.steps.map((step) => `$ ${step}`);
    expect(recorded, name).toEqual(steps.slice(0, recorded.length));
    if (!theCase.expected?.endsWith('[panic]\n')) expect(recorded.length, name).toBe(steps.length);
  }
});

test('a recording is the same as itself after normalising twice over', () => {
  const { expected = '', registers } = readCase('oops-null-read');
  expect(normalise(expected, registers)).toEqual(normalise(expected, registers));
  expect(normalise(expected, registers).join('\n')).not.toMatch(/\[ +\d+\.\d+\]/);
});

test('edits change what they say and nothing before it', () => {
  const { bytes } = readFile('hello/hello');
  const machine = mutate(bytes, ['header machine 183']);
  expect(machine[18]).toBe(183);
  expect(machine.filter((b, i) => b !== bytes[i]).length).toBe(1);
  expect(mutate(bytes, ['truncate -1']).length).toBe(bytes.length - 1);
  const info = new ElfFile(
    mutate(bytes, ['modinfo license XYZ', 'modinfo-remove retpoline', 'modinfo new x']),
  );
  const fields = latin1Text(info.data(info.section('.modinfo'))).split('\0');
  expect(fields).toContain('license=XYZ');
  expect(fields).toContain('new=x');
  expect(fields.some((f) => f.startsWith('retpoline'))).toBe(false);
  const renamed = new ElfFile(
    mutate(bytes, ['rename-section .modinfo .nodinfo', 'rename-symbol _printk other']),
  );
  expect(renamed.section('.nodinfo').size).toBeGreaterThan(0);
  expect(() => renamed.section('.modinfo')).toThrow('no section');
  const signed = mutate(bytes, ['signature 16 id_type=1']);
  expect(latin1Text(signed.slice(-28))).toBe('~Module signature appended~\n');
  expect(signed.length).toBe(bytes.length + 16 + 12 + 28);
});

test('a wrong edit is refused by name', () => {
  expect(() => mutate(new Uint8Array(64), ['nonsense'])).toThrow('no edit "nonsense"');
  expect(() => mutate(readFile('hello/hello').bytes, ['header nofield 1'])).toThrow('header FIELD VALUE');
  expect(Object.values(EDITS).every((edit) => edit.usage !== '' && edit.about !== '')).toBe(true);
});

test('the transcript shows commands, output, status, how a caller died, and kernel lines', async () => {
  const ends: CallEnd[] = [
    { kind: 'returned', value: -8 },
    { kind: 'killed', signal: 'SIGKILL' },
    { kind: 'blocked' },
    { kind: 'panicked' },
  ];
  const log = [
    ['<6>[    1.000000] boot'],
    ['<4>[    2.000000] bad'],
    [],
    [],
    ['<0>[    3.000000] Kernel panic'],
  ];
  const target: Target = {
    insmod: async () => ends.shift()!,
    rmmod: async () => ({ kind: 'returned', value: 0 }),
    modules: async () => [{ name: 'a', coreSizeBytes: 16384, referenceCount: 1, holders: ['b'] }],
    readFile: async () => -2,
    writeFile: async () => 0,
    sleep: async () => 'slept',
    newLogLines: async () => log.shift() ?? [],
    close: async () => {},
  };
  const steps = ['insmod a.ko', 'insmod a.ko', 'insmod a.ko', 'insmod a.ko', 'lsmod'];
  const files = [{ name: 'a.ko', bytes: latin1('some bytes') }];
  const theCase = { ...readCase('hello'), steps, files };
  expect(await runCase(theCase, target)).toBe(`$ insmod a.ko
insmod: ERROR: could not insert module a.ko: Invalid module format
[rc=1]
| <4>[    2.000000] bad
$ insmod a.ko
Killed
[rc=137]
$ insmod a.ko
[blocked]
$ insmod a.ko
| <0>[    3.000000] Kernel panic
[panic]
`);
  expect(await runCase({ ...theCase, steps: ['lsmod', 'rmmod a', 'cat /x'] }, target)).toBe(`$ lsmod
Module                  Size  Used by
a                      16384  1 b
$ rmmod a
rmmod: ERROR: Module a is in use by: b
[rc=1]
$ cat /x
cat: can't open '/x': No such file or directory
[rc=1]
`);
});
