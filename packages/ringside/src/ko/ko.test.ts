import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../bytes/index.ts';
import { type ModuleLocation, type ModuleSpec, openModule, readModule } from './index.ts';

const read = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../../modules/${path}`, import.meta.url)));

function place(location: ModuleLocation | undefined): string {
  switch (location?.kind) {
    case 'section':
      return `${location.section.name}+${location.offset}`;
    case 'import':
      return `${location.symbol}?`;
    case 'absolute':
      return String(location.value);
    case undefined:
      return 'null';
  }
}

describe('ModuleSpec', () => {
  test('names the module, its licence and what it was built for', () => {
    const spec = readModule(read('hello/hello.ko'));
    expect(spec.name).toBe('hello');
    expect(spec.info('license')).toBe('GPL');
    expect(spec.info('vermagic')).toMatch(/^[^ ]+ SMP /);
    expect(spec.info('no such key')).toBeUndefined();
    expect(spec.buildId).toMatch(/^[0-9a-f]{40}$/);
    expect(spec.signature).toBeUndefined();
  });

  test('tells which fields of struct module point to init and exit', () => {
    const pointers = readModule(read('hello/hello.ko')).thisModule!.pointers;
    expect(pointers.map(({ target }) => target.kind === 'section' && target.symbol)).toEqual([
      'init_module',
      'cleanup_module',
    ]);
  });

  test('has a CRC for every symbol it imports, and for module_layout', () => {
    const spec = readModule(read('hello/hello.ko'));
    const versioned = new Set(spec.versions.map(({ name }) => name));
    expect(versioned).toContain('module_layout');
    for (const { name } of spec.imports) expect(versioned, name).toContain(name);
  });

  test('resolves parameters to their names, operations and variables', () => {
    const params = readModule(read('params/params.ko')).params;
    expect(params.length).toBeGreaterThan(5);
    for (const { name, ops, arg, mod } of params) {
      expect(name).toMatch(/^\w+$/);
      expect(place(mod), name).toBe('.gnu.linkonce.this_module+0');
      expect(place(ops), name).toMatch(/^param_\w+_ops\?|^param_ops_\w+\?|^param_array_ops\?/);
      expect(place(arg), name).toMatch(/^\.(data|bss|rodata|ro_after_init|data\.\.\w+|data\.\w+)\+\d+$/);
    }
  });

  test('tells plain, GPL-only and namespaced exports apart', () => {
    const exports = readModule(read('exports/exporter.ko')).exports;
    expect(exports.some(({ gplOnly }) => gplOnly)).toBe(true);
    expect(exports.some(({ gplOnly }) => !gplOnly)).toBe(true);
    expect(exports.some(({ namespace }) => namespace !== '')).toBe(true);
    for (const { name, value, crc } of exports) {
      expect(value.kind === 'section' && value.symbol, name).toBe(name);
      expect(crc, name).toBeGreaterThan(0);
    }
  });

  test('finds the source line of a WARN', () => {
    const bugs = readModule(read('warn/warn.ko')).bugTable;
    expect(bugs.length).toBeGreaterThan(0);
    expect(bugs[0]!.fileName).toMatch(/warn\.c$/);
    expect(bugs[0]!.line).toBeGreaterThan(0);
    expect(place(bugs[0]!.addr)).toMatch(/^\.(init\.)?text/);
  });

  test('has sorted unwind entries and call sites within its text', () => {
    const spec = readModule(read('two-files/two-files.ko'));
    expect(spec.orc.length).toBeGreaterThan(0);
    for (const { ip } of spec.orc) expect(place(ip)).toMatch(/text|altinstr|fixup/);
    expect(spec.returnSites.length).toBeGreaterThan(0);
    for (const { addr } of [...spec.returnSites, ...spec.mcountLocations])
      expect(place(addr)).toMatch(/text/);
  });

  test('opens a compressed file', async () => {
    const plain = read('hello/hello.ko');
    expect((await openModule(new Uint8Array(gzipSync(plain)))).name).toBe('hello');
    expect((await openModule(plain)).name).toBe('hello');
  });

  test('refuses a signature marker without a signature', () => {
    expect(() => readModule(new TextEncoder().encode('~Module signature appended~\n'))).toThrow(FormatError);
  });
});

/** Everything a module says, so that every reader runs. */
const properties = [
  'modinfo',
  'versions',
  'thisModule',
  'params',
  'exports',
  'imports',
  'notes',
  'buildId',
  'orc',
  'exceptionTable',
  'bugTable',
  'jumpTable',
  'alternatives',
  'paravirtSites',
  'staticCallSites',
  'returnSites',
  'retpolineSites',
  'ibtSeals',
  'mcountLocations',
  'smpLocks',
  'btf',
] as const satisfies readonly (keyof ModuleSpec)[];

/** A small generator with a fixed seed (xorshift32), so that a failure comes back. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe('damaged modules', () => {
  test('give a FormatError or a specification, never another exception', () => {
    const next = random(0x5eed);
    const originals = ['hello/hello.ko', 'params/params.ko', 'exports/exporter.ko', 'warn/warn.ko'].map(read);
    let read_ = 0;
    for (let run = 0; run < 4000; run++) {
      const bytes = mutate(originals[run % originals.length]!, next);
      try {
        const spec = readModule(bytes);
        read_++;
        for (const property of properties) {
          try {
            void spec[property];
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    expect(read_).toBeGreaterThan(1500);
  });
});

/** Changes the header, section headers, symbols, relocations or any bytes; or cuts the file. */
function mutate(original: Uint8Array, next: (below: number) => number): Uint8Array {
  const bytes = original.slice();
  const view = new DataView(bytes.buffer);
  const shoff = Number(view.getBigUint64(40, true));
  const shnum = view.getUint16(60, true);
  const interesting = [0, 1, 0x7f, 0x80, 0xff, 0xfffe, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  for (let change = next(4); change >= 0; change--) {
    const section = shoff + next(shnum) * 64;
    const at = Number(view.getBigUint64(section + 24, true));
    const size = Number(view.getBigUint64(section + 32, true));
    const value = interesting[next(interesting.length)]!;
    switch (next(8)) {
      case 0:
        bytes[next(64)] = value & 0xff;
        break;
      case 1:
        view.setUint32(section + next(16) * 4, value, true);
        break;
      case 2:
        view.setUint32(section + 40 + next(2) * 4, next(shnum + 2), true);
        break;
      case 3:
        return bytes.subarray(0, next(bytes.length));
      default:
        // Contents of a section: symbols, relocations and strings among them.
        if (at + size < bytes.length && size > 4)
          view.setUint32(at + next(size - 3), next(2) ? value : next(2 ** 32), true);
        return bytes;
    }
  }
  return bytes;
}
