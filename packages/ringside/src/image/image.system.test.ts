import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unpackBzImage } from './bzimage.ts';
import { encodeSpec, type KernelFacts, type KernelSpec, openSpec, readKernel, specOfFacts } from './index.ts';
import { installedKernel, packageFile } from './installed-kernel.fixture.ts';
import { readPahole } from './pahole.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'ringside-image-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let facts: KernelFacts;
let spec: KernelSpec;
let vmlinux: Uint8Array;
const kernel = installedKernel();

beforeAll(async () => {
  vmlinux = await unpackBzImage(kernel.bytes);
  facts = await readKernel(vmlinux, { config: readFileSync(`/boot/config-${kernel.release}`, 'utf8') });
  spec = specOfFacts(facts);
});

describe('the installed kernel, read from its image', () => {
  test('says who it is', () => {
    expect(spec.release).toBe(kernel.release);
    expect(spec.banner).toContain(`Linux version ${kernel.release} `);
    expect(spec.banner.endsWith(spec.version)).toBe(true);
    expect(spec.machine).toBe('x86_64');
    const anyModule = execFileSync('find', [`/lib/modules/${kernel.release}`, '-name', 'dummy.ko*'], {
      encoding: 'utf8',
    });
    const vermagic = execFileSync('/sbin/modinfo', ['-F', 'vermagic', anyModule.split('\n')[0]!], {
      encoding: 'utf8',
    });
    expect(spec.vermagic).toBe(vermagic.replace(/\n$/, ''));
  });

  test('has exactly the exports, CRCs, licences and namespaces of Module.symvers', () => {
    const path = packageFile(
      `/usr/src/linux-headers-${kernel.release}/Module.symvers`,
      'linux-headers-amd64',
    );
    const expected = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([, , module]) => module === 'vmlinux')
      .map(([crc, name, , kind, namespace]) => [name, Number(crc), kind, namespace || undefined])
      .sort();
    const found = [...spec.exports].map(({ name, crc, gplOnly, namespace }) => {
      return [name, crc, gplOnly ? 'EXPORT_SYMBOL_GPL' : 'EXPORT_SYMBOL', namespace];
    });
    expect(found.length).toBeGreaterThan(8000);
    expect(found.sort()).toEqual(expected);
    for (const { name } of spec.exports) expect(spec.exports.byName(name)?.name).toBe(name);
    for (const absent of ['', 'a', 'zzzzz', 'kmalloc', '_print', '_printkk']) {
      expect(spec.exports.byName(absent)).toBeUndefined();
    }
  });

  test('exports what its symbol table has at those addresses', () => {
    for (const each of spec.exports) {
      expect(spec.symbols.byName(each.name).map(({ address }) => address)).toContain(each.address);
    }
  });

  test("has a symbol table that is the running kernel's", () => {
    const steps = join(directory, 'steps');
    const none = join(directory, 'none');
    mkdirSync(none);
    writeFileSync(steps, 'gzip -c /proc/kallsyms | base64\n');
    const oracle = new URL('../../../../conformance/oracle/real-kernel.sh', import.meta.url).pathname;
    const transcript = execFileSync('flock', ['/tmp/qemu.lock', oracle, '-a', 'nokaslr', none, steps], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, KREL: kernel.release },
    });
    const base64 = transcript
      .split('\n')
      .filter((line) => /^[A-Za-z0-9+/=]+$/.test(line))
      .join('');
    const running = execFileSync('gzip', ['-dc'], {
      input: Buffer.from(base64, 'base64'),
      maxBuffer: 1 << 28,
    })
      .toString('latin1')
      .trimEnd()
      .split('\n')
      // What bpf and ftrace made at run time stands behind the image's own.
      .filter((line) => !line.includes('\t['));
    const ours = [...spec.symbols].map(({ name, type, address }) => {
      return `${BigInt.asUintN(64, BigInt(address)).toString(16).padStart(16, '0')} ${type} ${name}`;
    });
    expect(ours.length).toBeGreaterThan(50_000);
    expect(ours).toEqual(running);
  });

  test('lays out every struct as pahole does', () => {
    const file = join(directory, 'vmlinux');
    writeFileSync(file, vmlinux);
    const pahole = packageFile('/usr/bin/pahole', 'dwarves');
    const text = execFileSync(pahole, ['-F', 'btf', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
    let compared = 0;
    let members = 0;
    const differences: string[] = [];
    for (const expected of readPahole(text)) {
      const ids = spec.types.findAll(expected.kind, expected.name);
      const layouts = ids.map((id) => spec.types.layout(id));
      // Of several types with one name, pahole prints each; ours must have the same one.
      const matches = layouts.some((layout) => {
        return (
          layout.size === (expected.sizeBytes ?? layout.size) &&
          expected.members.every(({ path, offset, sizeBytes, bit }) => {
            const found = layout.find(path);
            if (found === undefined) return false;
            if (bit !== undefined) return found.offset * 8 + found.bitOffset === bit;
            return found.offset === offset && found.sizeBytes === sizeBytes;
          })
        );
      });
      compared++;
      members += expected.members.length;
      if (!matches) differences.push(`${expected.kind} ${expected.name}`);
    }
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(3000);
    expect(members).toBeGreaterThan(30_000);
  });

  test('holds the key that signed its modules', () => {
    const anyModule = execFileSync('find', [`/lib/modules/${kernel.release}`, '-name', 'dummy.ko*'], {
      encoding: 'utf8',
    });
    const fields = execFileSync('/sbin/modinfo', [anyModule.split('\n')[0]!], { encoding: 'utf8' });
    const serial = /^sig_key:\s+(\S+)/m.exec(fields)?.[1]?.replaceAll(':', '').toLowerCase();
    expect(serial).toBeDefined();
    expect(spec.trustedKeys.map((key) => key.serial)).toContain(serial);
  });

  test('knows where its functions return to', () => {
    expect(spec.calls.returnOffset('do_syscall_64', 'x64_sys_call')).toBeGreaterThan(0);
    expect(spec.calls.returnOffset('ret_from_fork', '*')).toBeGreaterThan(0);
    const objdump = packageFile('/usr/bin/objdump', 'binutils');
    const file = join(directory, 'vmlinux');
    writeFileSync(file, vmlinux);
    for (const name of ['do_init_module', 'process_one_work', 'kthread', '__do_sys_finit_module']) {
      const calls = spec.calls.of(name)!;
      const listing = execFileSync(
        objdump,
        ['-d', `--start-address=${calls.address}`, `--stop-address=${calls.address + calls.size}`, file].map(
          (argument) =>
            argument.replace(
              /=(-\d+)$/,
              (_, address: string) => `=0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`,
            ),
        ),
        { encoding: 'utf8' },
      );
      const lines = listing
        .split('\n')
        .flatMap((line) => /^\s*([0-9a-f]{16}):.*\s(call|callq)?\s/.exec(line) ?? []);
      expect(lines.length).toBeGreaterThan(0);
      const returns = listing
        .split('\n')
        .filter((line) => /^[0-9a-f]{16}:/.test(line))
        .map((line) => ({ at: BigInt(`0x${line.slice(0, 16)}`), call: /\s(cs )?call/.test(line) }))
        .flatMap(({ at, call }, index, all) => {
          const next = all[index + 1]?.at;
          const start = BigInt.asUintN(64, BigInt(calls.address));
          return call ? Number((next ?? at + 5n) - start) : [];
        });
      expect(calls.calls.map(({ returnOffset }) => returnOffset)).toEqual(returns);
    }
  });
});

describe('other ways to the same kernel', () => {
  test('vmlinuz, vmlinux, compressed vmlinux and a package give the same spec file', async () => {
    const encode = (each: KernelFacts): Uint8Array => encodeSpec(each, (content) => deflateSync(content));
    const expected = Buffer.from(encode(facts));
    const config = readFileSync(`/boot/config-${kernel.release}`, 'utf8');
    expect(expected.equals(encode(await readKernel(kernel.bytes, { config })))).toBe(true);
    expect(expected.equals(encode(await readKernel(gzipSync(vmlinux, { level: 1 }), { config })))).toBe(true);
    const tree = join(directory, 'tree');
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
    mkdirSync(join(tree, 'boot'));
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      'Package: linux-image-test\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: test\n',
    );
    writeFileSync(join(tree, `boot/vmlinuz-${kernel.release}`), kernel.bytes);
    writeFileSync(join(tree, `boot/config-${kernel.release}`), config);
    for (const compression of ['xz', 'zstd', 'gzip', 'none']) {
      const file = join(directory, `${compression}.deb`);
      execFileSync('dpkg-deb', ['-b', `-Z${compression}`, '-z1', tree, file]);
      expect(expected.equals(encode(await readKernel(readFileSync(file))))).toBe(true);
    }
  });

  test('a spec file gives back every fact', () => {
    const file = encodeSpec(facts, (content) => deflateSync(content));
    const opened = openSpec(file, (stored, size) =>
      inflateSync(stored, { maxOutputLength: Math.max(1, size) }),
    );
    expect([...opened.exports]).toEqual([...spec.exports]);
    expect([...opened.symbols]).toEqual([...spec.symbols]);
    expect([...opened.calls]).toEqual([...spec.calls]);
    expect(opened.trustedKeys.map(({ der }) => [...der])).toEqual(
      spec.trustedKeys.map(({ der }) => [...der]),
    );
    expect([...opened.config!.entries()]).toEqual([...spec.config!.entries()]);
    expect(opened.sections).toEqual(spec.sections);
    expect(opened.types.typeCount).toBe(spec.types.typeCount);
    for (let id = 0; id < spec.types.typeCount; id += 7) {
      expect(opened.types.type(id)).toEqual(spec.types.type(id));
    }
  });
});
