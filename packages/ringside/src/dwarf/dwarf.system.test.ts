import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ElfFile, type ElfSection } from '../elf/index.ts';
import { LineTable } from './index.ts';

/** Needs gcc and binutils, and the modules that modules/build.sh builds. */
const SHF_EXECINSTR = 4;
const STT_OBJECT = 1;

const moduleFolder = join(import.meta.dirname, '../../../../modules');
const modules = readdirSync(moduleFolder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ko'))
  .map((path) => join(moduleFolder, path));

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dwarf-'));
  copyFileSync(join(import.meta.dirname, 'fixtures/sample.c'), join(directory, 'sample.c'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function build(name: string, ...options: readonly string[]): string {
  execFileSync('gcc', ['-ffreestanding', ...options, '-o', name, 'sample.c'], { cwd: directory });
  return join(directory, name);
}

/** What addr2line says about each offset: alternately function and position, innermost first. */
function addr2line(path: string, section: ElfSection, addresses: readonly number[]): string[][] {
  const input = addresses.map((address) => address.toString(16)).join('\n');
  const place = section.addr === 0 ? ['-j', section.name] : [];
  const output = execFileSync('addr2line', ['-a', '-f', '-i', '-e', path, ...place], {
    input,
    encoding: 'utf8',
  });
  const answers = output.split(/^0x[0-9a-f]{16}\n/m).slice(1);
  return answers.map((answer) =>
    answer
      .replaceAll(/ \(discriminator \d+\)/g, '')
      .trimEnd()
      .split('\n'),
  );
}

function ours(table: LineTable, section: number, offset: number): string[] {
  const location = table.at(section, offset);
  if (location === undefined) return ['??', '??:0'];
  return [location, ...location.inlinedFrom].flatMap((position) => [
    position.function ?? '??',
    `${position.file}:${position.line === 0 ? '?' : position.line}`,
  ]);
}

function readTable(path: string): { elf: ElfFile; table: LineTable } {
  const elf = new ElfFile(new Uint8Array(readFileSync(path)));
  return { elf, table: new LineTable(elf) };
}

/** Compares every byte of code; the function's name only where we have one (addr2line asks the symbols too). */
function compare(path: string): { compared: number; inlined: number } {
  const { elf, table } = readTable(path);
  let compared = 0;
  let inlined = 0;
  for (const section of elf.sections) {
    if (!(section.flags & SHF_EXECINSTR) || section.size === 0) continue;
    const offsets = Array.from({ length: section.size }, (_, index) => index);
    const expected = addr2line(
      path,
      section,
      offsets.map((offset) => section.addr + offset),
    );
    for (const offset of offsets) {
      const mine = ours(table, section.index, offset);
      const theirs = expected[offset]!;
      // Where no line is known addr2line asks the symbol table.
      if (mine[1] === '??:0') theirs.splice(0, theirs.length, '??', '??:0');
      else if (mine[0] === '??') theirs[0] = '??';
      expect(mine, `${path} ${section.name}+0x${offset.toString(16)}`).toEqual(theirs);
      compared += 1;
      if (mine.length > 2) inlined += 1;
    }
  }
  return { compared, inlined };
}

/** Variables against the symbol table's sizes. */
function compareVariables(path: string): number {
  const { elf, table } = readTable(path);
  const symbols = [...(elf.symbols ?? [])].filter((symbol) => symbol.type === STT_OBJECT);
  let compared = 0;
  for (const variable of table.variables) {
    const place = `${path} ${variable.name}`;
    const base = elf.sectionAt(variable.section).addr;
    const symbol = symbols.find(
      (candidate) =>
        candidate.section === variable.section &&
        candidate.value - base === variable.offset &&
        candidate.name.replace(/\.\d+$/, '') === variable.name,
    );
    if (symbol === undefined) continue;
    expect(variable.sizeBytes, place).toBe(symbol.size);
    compared += 1;
  }
  return compared;
}

describe('line tables of compiled objects', () => {
  test.each([
    ['-gdwarf-3', '-O2', '-c'],
    ['-gdwarf-4', '-O2', '-c'],
    ['-gdwarf-5', '-O2', '-c'],
    ['-gdwarf-4', '-O0', '-c'],
    ['-gdwarf-5', '-O2', '-c', '-ffunction-sections', '-fdata-sections'],
    ['-gdwarf-5', '-O2', '-nostdlib', '-static', '-no-pie'],
    ['-gdwarf-4', '-O2', '-nostdlib', '-static-pie', '-fPIE'],
  ])('agree with addr2line: %s %s %s', (...options) => {
    const path = build(`${options.join('')}.o`, ...options);
    const { compared, inlined } = compare(path);
    expect(compared).toBeGreaterThan(150);
    expect(inlined).toBeGreaterThan(20);
    expect(compareVariables(path)).toBe(4);
  });

  test('say the same in the 64-bit format, which addr2line cannot read in objects', () => {
    const wide = readTable(build('wide.o', '-gdwarf-5', '-gdwarf64', '-O2', '-c'));
    const narrow = readTable(build('narrow.o', '-gdwarf-5', '-O2', '-c'));
    expect([...wide.table.rows()].map(({ line }) => line)).toEqual(
      [...narrow.table.rows()].map(({ line }) => line),
    );
    const text = narrow.elf.section('.text')!;
    for (let offset = 0; offset < text.size; offset += 1) {
      const location = narrow.table.at(text.index, offset);
      expect(wide.table.at(wide.elf.section('.text')!.index, offset)).toEqual(location);
    }
    expect(wide.table.variables).toHaveLength(narrow.table.variables.length);
  });

  test('without .debug_info give lines and no functions', () => {
    const source = join(directory, 'hand.s');
    writeFileSync(source, '.file 1 "hand.S"\n.text\n.loc 1 7 3\nnop\nnop\n.loc 1 9\nret\n');
    const path = join(directory, 'hand.o');
    execFileSync('gcc', ['-c', source, '-o', path]);
    const { elf, table } = readTable(path);
    const location = table.at(elf.section('.text')!.index, 1);
    expect(location).toEqual({
      file: expect.stringMatching(/hand\.S$/),
      line: 7,
      column: 3,
      inlinedFrom: [],
    });
    expect(table.at(elf.section('.text')!.index, 2)).toMatchObject({ line: 9 });
    expect(table.at(elf.section('.text')!.index, 3)).toBeUndefined();
  });
});

describe('line tables of modules', () => {
  test('agree with addr2line at every byte of code', () => {
    if (modules.length === 0) throw new Error('no modules: run modules/build.sh');
    let total = 0;
    for (const path of modules) total += compare(path).compared;
    expect(total).toBeGreaterThan(modules.length);
  });

  test('give variables the sizes of the symbol table', () => {
    let total = 0;
    for (const path of modules) total += compareVariables(path);
    expect(total).toBeGreaterThan(modules.length);
  });
});
