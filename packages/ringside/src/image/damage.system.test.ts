import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { FormatError, InputError, RingsideError, UnsupportedError } from '../bytes/index.ts';
import { isBzImage, unpackBzImage } from './bzimage.ts';
import { detectKernelFile, readKernel } from './index.ts';
import { installedKernel } from './installed-kernel.fixture.ts';
import { readFacts } from './kernel-facts.ts';
import { Vmlinux } from './vmlinux.ts';

const kernel = installedKernel();
let vmlinux: Uint8Array;
beforeAll(async () => {
  vmlinux = await unpackBzImage(kernel.bytes);
});

/** Reads what may be damaged: facts, or one of the two errors that mean bad input. */
async function readOrRefuse(bytes: Uint8Array): Promise<'read' | 'refused'> {
  try {
    await readKernel(bytes);
    return 'read';
  } catch (error) {
    const typed =
      error instanceof FormatError || error instanceof InputError || error instanceof UnsupportedError;
    if (!typed) throw error;
    return 'refused';
  }
}

describe('damaged images', () => {
  test('a vmlinuz that is cut off anywhere is refused', async () => {
    for (let run = 0; run < 40; run++) {
      const size = Math.floor((kernel.bytes.length * run) / 40);
      expect(await readOrRefuse(kernel.bytes.subarray(0, size))).toBe('refused');
    }
  });

  test('a vmlinuz with changed bytes is refused, since its payload is checksummed', async () => {
    expect(isBzImage(kernel.bytes)).toBe(true);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0x10000, max: Math.floor(kernel.bytes.length * 0.1) }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const bytes = Uint8Array.from(kernel.bytes);
          bytes[at]! ^= flip;
          expect(await readOrRefuse(bytes)).toBe('refused');
        },
      ),
      { seed: 5, numRuns: 10 },
    );
  });

  test('a vmlinuz with a changed setup header is refused or still read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0x1f1, max: 0x26f }), fc.nat(255)), {
          minLength: 1,
          maxLength: 4,
        }),
        async (changes) => {
          const bytes = Uint8Array.from(kernel.bytes.subarray(0, 0x100000));
          for (const [at, value] of changes) bytes[at] = value;
          expect(await readOrRefuse(bytes)).toBe('refused');
        },
      ),
      { seed: 6, numRuns: 200 },
    );
  });

  test('a vmlinux whose headers or tables are changed is refused or read, never anything else', async () => {
    const image = new Vmlinux(vmlinux);
    const tables = [
      '.rodata',
      '__ksymtab',
      '__ksymtab_strings',
      '.BTF',
      '.shstrtab',
      '.altinstructions',
      '.init.data',
    ];
    const ranges: (readonly [number, number])[] = [
      [0, 64],
      [image.elf.raw.bytes.length - 39 * 64, 39 * 64],
      ...tables.flatMap((name) => {
        const section = image.section(name);
        return section === undefined ? [] : [[section.offset, section.size] as const];
      }),
    ];
    const change = fc.constantFrom(...ranges).chain(([start, size]) => {
      return fc.tuple(fc.integer({ min: start, max: start + size - 1 }), fc.integer({ min: 1, max: 255 }));
    });
    let refused = 0;
    // In place and back: a copy of the whole image for each run would take longer than reading it.
    const bytes = Uint8Array.from(vmlinux);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), (changes) => {
        for (const [at, flip] of changes) bytes[at]! ^= flip;
        try {
          readFacts(bytes, undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(RingsideError);
          refused++;
        } finally {
          for (const [at, flip] of changes) bytes[at]! ^= flip;
        }
      }),
      { seed: 7, numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(10);
    expect(Buffer.from(bytes).equals(Buffer.from(vmlinux))).toBe(true);
  });

  test('other files are not taken for kernels', async () => {
    for (const path of ['/bin/busybox', '/etc/passwd', `/boot/config-${kernel.release}`]) {
      expect(await readOrRefuse(readFileSync(path))).toBe('refused');
    }
    expect(detectKernelFile(new Uint8Array(0))).toBeUndefined();
  });
});
