import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../bytes/index.ts';
import {
  ElfFile,
  EM_X86_64,
  ET_REL,
  RawElf,
  readNotes,
  relocationType,
  relocationTypeName,
  relocationTypes,
} from './index.ts';

const hello = new Uint8Array(readFileSync(new URL('../../../../modules/hello/hello.ko', import.meta.url)));
const patched = (at: number, ...values: number[]): Uint8Array => {
  const bytes = hello.slice();
  bytes.set(values, at);
  return bytes;
};

describe('RawElf', () => {
  test('shows header fields of any bytes without judging them', () => {
    const raw = new RawElf(patched(18, 0xb7, 0));
    expect(raw.hasMagic).toBe(true);
    expect(raw.header).toMatchObject({ type: ET_REL, machine: 0xb7, shentsize: 64 });
    expect(new RawElf(hello.subarray(0, 63)).header).toBeUndefined();
    expect(new RawElf(new Uint8Array(0)).hasMagic).toBe(false);
  });

  test('answers whether headers and sections lie within the file', () => {
    const raw = new RawElf(hello);
    expect(raw.sectionHeadersInFile).toBe(true);
    expect(new RawElf(hello.subarray(0, hello.length - 1)).sectionHeadersInFile).toBe(false);
    expect(raw.sectionHeader(raw.header!.shnum)).toBeUndefined();
    expect(raw.inFile(hello.length, 0)).toBe(true);
    expect(raw.inFile(2 ** 64 - 8, 16)).toBe(false);
    expect(new RawElf(patched(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).sectionHeadersInFile).toBe(
      false,
    );
  });
});

describe('ElfFile', () => {
  test('finds sections by name and their relocations', () => {
    const elf = new ElfFile(hello);
    expect(elf.header.machine).toBe(EM_X86_64);
    const section = elf.section('.gnu.linkonce.this_module')!;
    const [table] = elf.relocationsFor(section);
    expect(table?.target).toBe(section.index);
    expect(
      [...table!].map(({ symbol, type }) => [elf.symbols!.name(symbol), relocationTypeName(type)]),
    ).toEqual([
      ['init_module', 'R_X86_64_64'],
      ['cleanup_module', 'R_X86_64_64'],
    ]);
    expect(elf.symbols!.named('init_module')).toHaveLength(1);
    expect(elf.symbols!.named('nothing')).toEqual([]);
  });

  test.each([
    ['text', new TextEncoder().encode('#!/bin/sh\n'), /not an ELF file/],
    ['a header that is cut off', hello.subarray(0, 40), /needs 64 bytes/],
    ['32 bits', patched(4, 1), /not a 64-bit/],
    ['big-endian', patched(5, 2), /little-endian/],
    ['another machine', patched(18, 183, 0), /machine 183/],
    ['section headers beyond the end', hello.subarray(0, hello.length - 1), /do not fit/],
    ['a wrong entry size', patched(58, 40), /section headers of 40 bytes/],
    ['a names section that is none', patched(62, 0xf0, 0xf0), /section names/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => new ElfFile(bytes)).toThrow(FormatError);
    expect(() => new ElfFile(bytes)).toThrow(message);
  });
});

describe('relocation types', () => {
  test('have the numbers and widths of the psABI', () => {
    expect(relocationTypes).toHaveLength(43);
    expect(relocationType(2)).toEqual({ number: 2, name: 'R_X86_64_PC32', sizeBytes: 4, pcRelative: true });
    expect(relocationType(99)).toBeUndefined();
    expect(relocationTypeName(99)).toBe('R_X86_64_<99>');
  });
});

describe('notes', () => {
  test('are padded to four bytes and must not be cut off', () => {
    const note = new Uint8Array([4, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 1, 2, 3, 0]);
    expect(readNotes(note, '.note')).toEqual([{ name: 'GNU', type: 7, desc: new Uint8Array([1, 2, 3]) }]);
    expect(() => readNotes(note.subarray(0, 18), '.note')).toThrow(FormatError);
  });
});
