import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { addrToU64 } from '../bytes/index.ts';
import { ElfFile, relocationTypeName, SHN_ABS, SHN_COMMON, SHN_UNDEF, STT_SECTION } from './index.ts';

const releases = existsSync('/lib/modules') ? readdirSync('/lib/modules') : [];
const all = releases.flatMap((release) =>
  readdirSync(join('/lib/modules', release), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ko'))
    .sort()
    .map((path) => join('/lib/modules', release, path)),
);
const step = Math.max(1, Math.floor(all.length / 200));
const sample = all.filter((_, index) => index % step === 0).slice(0, 200);
const programs = ['/bin/busybox', '/bin/true'].filter((path) => existsSync(path));

const hex = (value: number | bigint, width: number): string => value.toString(16).padStart(width, '0');
const readelf = (option: string, path: string): string[] =>
  execFileSync('readelf', [option, '-W', path], {
    encoding: 'latin1',
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
    .split('\n')
    .map((line) => line.trimEnd());
const open = (path: string): ElfFile => new ElfFile(new Uint8Array(readFileSync(path)));

/** ` 3 .text PROGBITS <addr> <off> <size> ...` to its numbers. */
function sectionsByReadelf(path: string): string[] {
  return readelf('-S', path).flatMap((line) => {
    const match =
      /^ +\[ *(\d+)\] (.*?) +[A-Z_0-9a-z<>: ]+ +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) .*? +(\d+) +(\d+) +(\d+)$/.exec(
        line,
      );
    if (match === null || match[1] === '0') return [];
    const [, index, name, addr, off, size, entsize, link, info, align] = match;
    return [`${index} ${name!.trim()} ${addr} ${off} ${size} ${entsize} ${link} ${info} ${align}`];
  });
}

function sectionsByUs(elf: ElfFile): string[] {
  return elf.sections
    .slice(1)
    .map((section) =>
      [
        section.index,
        section.name,
        hex(addrToU64(section.addr), 16),
        hex(section.offset, 6),
        hex(section.size, 6),
        hex(section.entsize, 2),
        section.link,
        section.info,
        section.addralign,
      ].join(' '),
    );
}

function symbolsByReadelf(path: string): string[] {
  return readelf('-s', path).flatMap((line) => {
    const match =
      /^ *\d+: ([0-9a-f]{16}) +(\d+|0x[0-9a-f]+) (\w+) +(\w+) +\w+ +(?:\[.*?\] +)?(\w+)(?: (.*))?$/.exec(
        line,
      );
    if (match === null) return [];
    const [, value, size, type, bind, section, name] = match;
    return [`${value} ${Number(size)} ${type} ${bind} ${section} ${name ?? ''}`.trimEnd()];
  });
}

const typeNames = ['NOTYPE', 'OBJECT', 'FUNC', 'SECTION', 'FILE', 'COMMON', 'TLS'];
const bindNames = ['LOCAL', 'GLOBAL', 'WEAK'];
const sectionNames = new Map([
  [SHN_UNDEF, 'UND'],
  [SHN_ABS, 'ABS'],
  [SHN_COMMON, 'COM'],
]);

function symbolsByUs(elf: ElfFile): string[] {
  return [...elf.symbols!].map((symbol) => {
    const name = symbol.type === STT_SECTION ? elf.sectionAt(symbol.section).name : symbol.name;
    const value = hex(addrToU64(symbol.value), 16);
    const section = sectionNames.get(symbol.section) ?? symbol.section;
    return `${value} ${symbol.size} ${typeNames[symbol.type]} ${bindNames[symbol.bind]} ${section} ${name}`.trimEnd();
  });
}

function relocationsByReadelf(path: string): string[] {
  return readelf('-r', path).flatMap((line) => {
    const match =
      /^([0-9a-f]{16}) +([0-9a-f]{16}) (R_X86_64_\w+) +([0-9a-f]{16}) .*? ([+-]) ([0-9a-f]+)$/.exec(line);
    if (match === null) return [];
    const [, offset, info, type, , sign, addend] = match;
    return [`${offset} ${info!.slice(0, 8)} ${type} ${sign}${addend}`];
  });
}

function relocationsByUs(elf: ElfFile): string[] {
  return elf.relocationSections.flatMap((section) =>
    [...elf.relocationTable(section)].map(({ offset, type, symbol, addend }) => {
      const signed = `${addend < 0 ? '-' : '+'}${Math.abs(addend).toString(16)}`;
      return `${hex(offset, 16)} ${hex(symbol, 8)} ${relocationTypeName(type)} ${signed}`;
    }),
  );
}

beforeAll(() => {
  if (sample.length < 200) throw new Error('Debian modules are missing: install linux-image-amd64');
  execFileSync('readelf', ['--version']);
});

describe('ElfFile against readelf on 200 modules', () => {
  test('sections are the same', () => {
    for (const path of [...sample, ...programs])
      expect(sectionsByUs(open(path)), path).toEqual(sectionsByReadelf(path));
  });

  test('symbols are the same', () => {
    for (const path of sample) expect(symbolsByUs(open(path)), path).toEqual(symbolsByReadelf(path));
  });

  test('relocations are the same', () => {
    let count = 0;
    for (const path of sample) {
      const ours = relocationsByUs(open(path));
      count += ours.length;
      expect(ours, path).toEqual(relocationsByReadelf(path));
    }
    expect(count).toBeGreaterThan(100_000);
  });

  test('program headers of a program are the same', () => {
    expect(programs).toContain('/bin/busybox');
    for (const path of programs) {
      const theirs = readelf('-l', path).flatMap((line) => {
        const match =
          /^ +([A-Z_]+) +0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) ([RWE ]{3}) 0x([0-9a-f]+)$/.exec(
            line,
          );
        return match === null
          ? []
          : [
              match
                .slice(2, 7)
                .map((field) => BigInt(`0x${field}`))
                .join(' '),
            ];
      });
      const ours = open(path).segments.map(({ offset, vaddr, paddr, fileSize, memSize }) =>
        [BigInt(offset), addrToU64(vaddr), addrToU64(paddr), BigInt(fileSize), BigInt(memSize)].join(' '),
      );
      expect(ours, path).toEqual(theirs);
    }
  });
});
