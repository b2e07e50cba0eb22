import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../bytes/index.ts';
import { readAr, readCpio, readTar } from './index.ts';

const encode = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'latin1'));

function arOf(members: readonly (readonly [string, string])[]): Uint8Array<ArrayBuffer> {
  const parts = members.map(([name, data]) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(12)}100644  ${String(data.length).padEnd(10)}\`\n`;
    return header + data + (data.length % 2 ? '\n' : '');
  });
  return encode(`!<arch>\n${parts.join('')}`);
}

function tarMember(name: string, data: string, type = '0', link = ''): string {
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  const fill = (text: string, width: number): string => text.padEnd(width, '\0');
  const before =
    fill(name, 100) + octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(data.length, 12) + octal(0, 12);
  const after = `${type}${fill(link, 100)}ustar\x0000`;
  const unsummed = fill(`${before}        ${after}`, 512);
  const sum = [...unsummed].reduce((total, char) => total + char.charCodeAt(0), 0);
  const header = fill(`${before}${sum.toString(8).padStart(6, '0')}\0 ${after}`, 512);
  return header + fill(data, Math.ceil(data.length / 512) * 512);
}

function cpioMember(name: string, data: string, mode: number): string {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const fields = [1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const pad4 = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, '\0');
  return pad4(`070701${fields.map(hex).join('')}${name}\0`) + pad4(data);
}

const tarSample = encode(
  [
    tarMember('./boot/', '', '5'),
    tarMember('./boot/vmlinuz', 'x'.repeat(700)),
    tarMember('././@LongLink', `./${'d/'.repeat(60)}long\0`, 'L'),
    tarMember('short', 'long'),
    tarMember('PaxHeader', '20 path=a/pax/name\n\n'.slice(0, 19).replace('20', '19'), 'x'),
    tarMember('short', 'pax'),
    tarMember('link', '', '2', 'boot/vmlinuz'),
    '\0'.repeat(1024),
  ].join(''),
);
const cpioSample = encode(
  cpioMember('.', '', 0o040755) +
    cpioMember('init', '#!/bin/sh\n', 0o100755) +
    cpioMember('sh', 'busybox', 0o120777) +
    cpioMember('TRAILER!!!', '', 0),
);

describe('archives', () => {
  test('ar members come out with their bytes, odd sizes padded', () => {
    const entries = readAr(
      arOf([
        ['debian-binary', '2.0\n'],
        ['control.tar.xz/', 'abc'],
        ['data.tar', 'rest'],
      ]),
    );
    expect(entries.map(({ name, data }) => [name, Buffer.from(data).toString()])).toEqual([
      ['debian-binary', '2.0\n'],
      ['control.tar.xz', 'abc'],
      ['data.tar', 'rest'],
    ]);
  });

  test('tar members come out with GNU and pax names', () => {
    expect(
      readTar(tarSample).map(({ name, kind, data, linkTarget }) => [name, kind, data.length, linkTarget]),
    ).toEqual([
      ['boot', 'directory', 0, undefined],
      ['boot/vmlinuz', 'file', 700, undefined],
      [`${'d/'.repeat(60)}long`, 'file', 4, undefined],
      ['a/pax/name', 'file', 3, undefined],
      ['link', 'symlink', 0, 'boot/vmlinuz'],
    ]);
  });

  test('cpio members come out, and where the archive ends', () => {
    const { entries, end } = readCpio(cpioSample);
    expect(end).toBe(cpioSample.length);
    expect(entries.map(({ name, kind, mode, linkTarget }) => [name, kind, mode, linkTarget])).toEqual([
      ['.', 'directory', 0o755, undefined],
      ['init', 'file', 0o755, undefined],
      ['sh', 'symlink', 0o777, 'busybox'],
    ]);
  });

  test('damaged archives are a FormatError or still an archive, never another exception', () => {
    const samples = [
      [
        readAr,
        arOf([
          ['a', 'abc'],
          ['b', 'defg'],
        ]),
      ],
      [readTar, tarSample],
      [readCpio, cpioSample],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.nat(),
        ([read, sample], changes, cut) => {
          const bytes = sample.slice(0, cut % 4 === 0 ? cut % sample.length : sample.length);
          for (const [at, value] of changes) bytes[at % Math.max(1, bytes.length)] = value;
          try {
            read(bytes);
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        },
      ),
      { seed: 7, numRuns: 2000 },
    );
  });
});
