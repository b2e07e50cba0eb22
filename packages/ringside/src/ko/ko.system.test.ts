import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CodeSite, type ModuleLocation, type ModuleSpec, openModule, readModule } from './index.ts';

const releases = existsSync('/lib/modules') ? readdirSync('/lib/modules') : [];
const all = releases.flatMap((release) =>
  readdirSync(join('/lib/modules', release), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ko'))
    .sort()
    .map((path) => join('/lib/modules', release, path)),
);
const load = (path: string): ModuleSpec => readModule(new Uint8Array(readFileSync(path)));
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'latin1', maxBuffer: 1 << 30 });

beforeAll(() => {
  if (all.length < 1000) throw new Error('Debian modules are missing: install linux-image-amd64');
  run('modprobe', '--version');
});

const inSection = (location: ModuleLocation | undefined): boolean =>
  location?.kind === 'section' && location.offset >= 0 && location.offset <= location.section.size;
const sitesInText = (sites: readonly CodeSite[]): boolean =>
  sites.every(({ addr }) => inSection(addr) && addr.kind === 'section' && (addr.section.flags & 4) !== 0);

describe('every installed module', () => {
  test('has the symbol versions that modprobe prints', () => {
    for (const path of all.filter((_, index) => index % 20 === 0)) {
      const theirs = run('modprobe', '--dump-modversions', path).trim().split('\n').sort();
      const ours = load(path).versions.map(
        ({ name, crc }) => `0x${crc.toString(16).padStart(8, '0')}\t${name}`,
      );
      expect(ours.sort(), path).toEqual(theirs);
    }
  });

  test('exports what Module.symvers says, with CRC, kind and namespace', () => {
    let count = 0;
    for (const release of releases) {
      const symvers = `/usr/src/linux-headers-${release}/Module.symvers`;
      if (!existsSync(symvers)) throw new Error(`${symvers} is missing: install linux-headers-amd64`);
      const expected = new Map<string, string[]>();
      for (const line of readFileSync(symvers, 'utf8').trim().split('\n')) {
        const [crc, name, owner, kind, namespace = ''] = line.split('\t');
        if (owner === 'vmlinux') continue;
        const list = expected.get(owner!) ?? [];
        list.push(`${crc} ${name} ${kind} ${namespace}`);
        expected.set(owner!, list);
      }
      const root = `/lib/modules/${release}/kernel/`;
      for (const path of all.filter((file) => file.startsWith(root))) {
        const ours = load(path).exports.map(
          ({ name, crc, gplOnly, namespace }) =>
            `0x${crc!.toString(16).padStart(8, '0')} ${name} EXPORT_SYMBOL${gplOnly ? '_GPL' : ''} ${namespace}`,
        );
        count += ours.length;
        const owner = path.slice(root.length).replace(/\.ko$/, '');
        expect(ours.sort(), owner).toEqual((expected.get(owner) ?? []).sort());
      }
    }
    expect(count).toBeGreaterThan(10_000);
  });

  test('has a parameter for every parmtype and every imported symbol versioned', () => {
    for (const path of all) {
      const spec = load(path);
      // `MODULE_PARAM_PREFIX` (mmc_block's `mmcblk.`) is in `__param` only.
      const names = new Set(spec.params.map(({ name }) => name.slice(name.lastIndexOf('.') + 1)));
      for (const value of spec.infos('parmtype'))
        expect(names, path).toContain(value.slice(0, value.indexOf(':')));
      const versions = new Set(spec.versions.map(({ name }) => name));
      for (const { name, weak } of spec.imports)
        if (!weak) expect(versions, `${path} ${name}`).toContain(name);
    }
  });

  test('has only tables that point into its own sections', { timeout: 300_000 }, () => {
    for (const path of all) {
      const spec = load(path);
      expect(
        spec.orc.every(({ ip }) => inSection(ip)),
        path,
      ).toBe(true);
      expect(sitesInText(spec.returnSites), path).toBe(true);
      expect(sitesInText(spec.retpolineSites), path).toBe(true);
      expect(sitesInText(spec.mcountLocations), path).toBe(true);
      expect(sitesInText(spec.smpLocks), path).toBe(true);
      expect(
        spec.exceptionTable.every(({ insn, fixup }) => inSection(insn) && inSection(fixup)),
        path,
      ).toBe(true);
      expect(
        spec.bugTable.every(({ addr, fileName }) => inSection(addr) && /\.[chS]$/.test(fileName ?? '')),
        path,
      ).toBe(true);
      expect(
        spec.jumpTable.every(({ code, target }) => inSection(code) && inSection(target)),
        path,
      ).toBe(true);
      expect(
        spec.staticCallSites.every(({ addr }) => inSection(addr)),
        path,
      ).toBe(true);
      expect(
        spec.alternatives.every(
          (entry) =>
            inSection(entry.instr) &&
            inSection(entry.replacement) &&
            entry.replacementLength <= entry.instrLength,
        ),
        path,
      ).toBe(true);
      expect(spec.thisModule, path).toBeDefined();
    }
  });

  test('is the same from an xz or zstd file', async () => {
    const path = all.find((file) => file.endsWith('/dm-mod.ko'))!;
    for (const command of ['xz', 'zstd']) {
      const packed = execFileSync(command, ['-c', path], { maxBuffer: 1 << 28 });
      const spec = await openModule(new Uint8Array(packed));
      expect(Buffer.from(spec.bytes).equals(readFileSync(path))).toBe(true);
    }
  });
});
