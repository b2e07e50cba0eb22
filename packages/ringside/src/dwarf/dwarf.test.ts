import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, FormatError, UnsupportedError } from '../bytes/index.ts';
import { ElfFile } from '../elf/index.ts';
import { Cursor } from './cursor.ts';
import { readForm } from './forms.ts';
import { LineTable } from './index.ts';

function sample(version: 4 | 5): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, `fixtures/sample-${version}.elf`)));
}

function tableOf(bytes: Uint8Array): { elf: ElfFile; table: LineTable } {
  const elf = new ElfFile(bytes);
  return { elf, table: new LineTable(elf) };
}

function cursorOver(...bytes: readonly number[]): Cursor {
  return new Cursor(new ByteReader(Uint8Array.from(bytes), '.debug_info'));
}

describe.each([4, 5] as const)('a line table of DWARF %i', (version) => {
  const { elf, table } = tableOf(sample(version));
  const text = elf.section('.text')!.index;
  const init = elf.section('.init.text')!.index;
  const file = '/src/sample.c';

  test('names the unit', () => {
    expect(table.isPresent).toBe(true);
    expect(table.units).toEqual([{ name: 'sample.c', compilationDirectory: '/src', dwarfVersion: version }]);
  });

  test('gives a plain function’s line', () => {
    expect(table.at(text, 0)).toEqual({ file, line: 28, column: 1, function: 'outer', inlinedFrom: [] });
  });

  test('names the chain of inlined calls, innermost first', () => {
    expect(table.at(text, 0x28)).toMatchObject({
      line: 13,
      function: 'leaf',
      inlinedFrom: [
        { file, line: 25, function: 'middle' },
        { file, line: 31, function: 'outer' },
      ],
    });
  });

  test('keeps sections apart that all begin at 0', () => {
    expect(table.at(init, 0)).toMatchObject({ function: 'setup' });
    expect(table.at(elf.section('.text.startup')!.index, 0)).toMatchObject({ function: 'main' });
    expect(table.at(elf.section('.text.unlikely')!.index, 0)?.inlinedFrom.at(-1)).toMatchObject({
      function: 'outer',
    });
  });

  test('knows nothing outside of code', () => {
    expect(table.at(text, 0x10_0000)).toBeUndefined();
    expect(table.at(text, -1)).toBeUndefined();
    expect(table.at(999, 0)).toBeUndefined();
    expect(table.at(elf.section('.data')?.index ?? 0, 0)).toBeUndefined();
  });

  test('lists variables with their sizes, also those of functions', () => {
    const found = table.variables.map(({ name, sizeBytes, function: owner }) => [name, sizeBytes, owner]);
    expect(found).toContainEqual(['table', 96, undefined]);
    expect(found).toContainEqual(['total', 8, undefined]);
    expect(found).toContainEqual(['words', 16, undefined]);
    expect(found).toContainEqual(['calls', 4, 'middle']);
  });

  test('with bytes of the debug sections changed gives a FormatError or a result', () => {
    const original = sample(version);
    const debug = elf.sections.filter((section) => /^\.(rela\.)?debug_/.test(section.name));
    let failed = 0;
    const change = fc.record({
      section: fc.constantFrom(...debug),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      value: fc.constantFrom(0, 1, 2, 0x0c, 0x1b, 0x7f, 0x80, 0xff),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const mutant = Uint8Array.from(original);
        for (const { section, at, value } of changes) {
          mutant[section.offset + Math.floor(at * section.size)] = value;
        }
        try {
          const { table: mutated } = tableOf(mutant);
          for (let offset = 0; offset < 0x170; offset += 13) mutated.at(text, offset);
          mutated.at(init, 5);
          expect(mutated.variables.length + mutated.units.length).toBeGreaterThanOrEqual(0);
        } catch (error) {
          if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
          failed += 1;
        }
      }),
      { seed: 11, numRuns: 2000 },
    );
    expect(failed).toBeGreaterThan(200);
    expect(failed).toBeLessThan(1800);
  });
});

describe('encodings', () => {
  test('an unknown form is a FormatError that names it', () => {
    expect(() => readForm(cursorOver(0, 0), 0x7e)).toThrow(
      /unknown form 0x7e \(in \.debug_info at offset 0x0\)/,
    );
  });

  test('a form chosen by its value may not be chosen again', () => {
    expect(readForm(cursorOver(0x0b, 42), 0x16)).toMatchObject({ kind: 'constant', value: 42 });
    expect(() => readForm(cursorOver(0x16, 0x16), 0x16)).toThrow(FormatError);
  });

  test('LEB128 numbers are read up to 64 bits', () => {
    expect(cursorOver(0xe5, 0x8e, 0x26).uleb()).toBe(624_485);
    expect(cursorOver(0xc0, 0xbb, 0x78).sleb()).toBe(-123_456);
    expect(cursorOver(0x7f).sleb()).toBe(-1);
    expect(() => cursorOver(...new Array(11).fill(0x80)).uleb()).toThrow(FormatError);
    expect(() => cursorOver(0x80).uleb()).toThrow(FormatError);
  });

  test('a unit may not be longer than its section', () => {
    expect(() => cursorOver(5, 0, 0, 0, 1).enterUnit()).toThrow(/does not fit/);
    expect(() => cursorOver(0xf0, 0xff, 0xff, 0xff).enterUnit()).toThrow(/reserved/);
  });

  test('debug information that is compressed or of DWARF 2 is not supported, and said so', () => {
    const bytes = sample(5);
    const { elf } = tableOf(bytes);
    const version = elf.section('.debug_info')!.offset + 4;
    bytes[version] = 2;
    expect(() => tableOf(bytes).table.units).toThrow(/DWARF version 2/);
    const compressed = sample(5);
    const flagsOffset = elf.header.shoff + 64 * elf.section('.debug_line')!.index + 8;
    compressed[flagsOffset + 1]! |= 8;
    expect(() => tableOf(compressed).table.at(elf.section('.text')!.index, 0)).toThrow(UnsupportedError);
  });
});
