import { execSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveEntry, readAr, readCpio, readTar } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'archive-'));
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(directory, name)));
const names = (entries: readonly ArchiveEntry[]): string[] => entries.map(({ name }) => name).sort();

beforeAll(() => {
  const long = 'n'.repeat(120);
  execSync(
    `mkdir -p tree/a/${long} && echo hello > tree/a/file && echo there > tree/a/${long}/${long} && ln -s file tree/a/link
     tar cf gnu.tar --format=gnu tree && tar cf pax.tar --format=pax tree && tar cf ustar.tar --format=ustar tree
     find tree | cpio -o -H newc --quiet > tree.cpio
     ar rc tree.ar gnu.tar tree.cpio`,
    { cwd: directory, stdio: 'pipe', shell: '/bin/sh' },
  );
});

describe('archives made by the real tools', () => {
  test.each(['gnu.tar', 'pax.tar', 'ustar.tar'])('every member of %s is found', (name) => {
    const entries = readTar(read(name));
    const listed = execSync(`tar tf ${name}`, { cwd: directory, encoding: 'utf8' }).trim().split('\n');
    expect(names(entries)).toEqual(listed.map((path) => path.replace(/\/$/, '')).sort());
    expect(Buffer.from(entries.find((entry) => entry.name === 'tree/a/file')!.data).toString()).toBe(
      'hello\n',
    );
    expect(entries.find((entry) => entry.name === 'tree/a/link')?.linkTarget).toBe('file');
  });

  test('every member of a cpio archive is found', () => {
    const listed = execSync('find tree', { cwd: directory, encoding: 'utf8' }).trim().split('\n').sort();
    const { entries } = readCpio(read('tree.cpio'));
    expect(names(entries)).toEqual(listed);
    expect(entries.find((entry) => entry.name === 'tree/a/link')?.linkTarget).toBe('file');
  });

  test('every member of an ar archive is found', () => {
    const entries = readAr(read('tree.ar'));
    expect(names(entries)).toEqual(['gnu.tar', 'tree.cpio']);
    expect(Buffer.from(entries[0]!.data).equals(Buffer.from(read('gnu.tar')))).toBe(true);
  });
});
