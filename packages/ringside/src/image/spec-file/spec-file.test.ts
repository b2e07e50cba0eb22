import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asAddr, FormatError } from '../../bytes/index.ts';
import { encodeSpec, type Inflate, type KernelSpec, openSpec, specOfFacts } from '../index.ts';
import { smallKernel } from '../small-kernel.fixture.ts';

const inflate: Inflate = (stored, size) => inflateSync(stored, { maxOutputLength: Math.max(1, size) });
const file = encodeSpec(smallKernel(), (content) => deflateSync(content));

describe.each([
  ['facts of an image', specOfFacts(smallKernel())],
  ['facts from a spec file', openSpec(file, inflate)],
])('%s', (_title, spec) => {
  test('say who the kernel is', () => {
    expect(spec.release).toBe('1.2.3-test');
    expect(spec.vermagic).toBe('1.2.3-test SMP mod_unload ');
    expect(spec.sections[0]).toEqual({
      name: '.text',
      address: -0x7f000000,
      size: 0x1000000,
      offset: 0x200000,
    });
    expect(spec.trustedKeys[0]).toMatchObject({ subject: 'Test key', serial: '01' });
    expect([...spec.trustedKeys[0]!.der]).toEqual([0x30, 0]);
  });

  test('find exports by name', () => {
    expect(spec.exports.size).toBe(3);
    expect([...spec.exports].map(({ name }) => name)).toEqual(['cpu_number', 'do_things', 'things']);
    expect(spec.exports.byName('things')).toEqual({
      name: 'things',
      address: -0x7d000000,
      crc: 1,
      gplOnly: true,
      namespace: 'THINGS',
    });
    expect(spec.exports.byName('cpu_number')?.address).toBe(0x1000);
    for (const absent of ['', 'thing', 'thingss', 'a', 'zz'])
      expect(spec.exports.byName(absent)).toBeUndefined();
  });

  test('find symbols by name and by address, the first of aliases, and nothing outside the image', () => {
    expect(spec.symbols.byName('twin').map(({ address }) => address)).toEqual([-0x7effff00, -0x7efffd00]);
    expect(spec.symbols.lookup('twin')?.size).toBe(0x100);
    expect(spec.symbols.at(asAddr(-0x7f000000 + 4))).toMatchObject({ name: '_text', offset: 4, size: 0x100 });
    expect(spec.symbols.at(asAddr(-0x7efffe00))).toMatchObject({ name: 'do_things', offset: 0 });
    expect(spec.symbols.at(asAddr(-0x7c000000))).toBeUndefined();
    expect(spec.symbols.at(asAddr(-0x7f000001))).toBeUndefined();
    expect(spec.symbols.at(asAddr(0x1000))).toBeUndefined();
    expect(spec.symbols.lookup('cpu_number')).toMatchObject({ address: 0x1000, type: 'A', size: 0 });
    expect(spec.symbols.lookup('absent')).toBeUndefined();
    expect([...spec.symbols]).toHaveLength(9);
  });

  test('find the same symbols however often they are asked', () => {
    for (let round = 0; round < 20; round++) {
      expect(spec.symbols.byName('twin')).toHaveLength(2);
      expect(spec.symbols.lookup('_text')?.address).toBe(-0x7f000000);
      expect(spec.symbols.lookup('_end')?.type).toBe('B');
      expect(spec.symbols.lookup('twi')).toBeUndefined();
      expect(spec.symbols.lookup('')).toBeUndefined();
    }
  });

  test('know types, calls and configuration', () => {
    expect(spec.types.struct('node').offsetOf('grid[1]')).toBe(48);
    expect(spec.types.enumValue('BLUE')).toBe(-1);
    expect(spec.calls.returnOffset('do_things', '*')).toBe(0x20);
    expect(spec.calls.of('do_things')?.tailCalls).toEqual(['things']);
    expect(spec.calls.of('absent')).toBeUndefined();
    expect(spec.config?.get('CONFIG_NAME')).toBe('a "b"');
    expect(spec.config?.get('CONFIG_X')).toBeUndefined();
  });
});

test('a spec file is the same bytes every time', () => {
  expect(encodeSpec(smallKernel(), (content) => deflateSync(content))).toEqual(file);
});

test('another version is refused by its number', () => {
  const newer = Uint8Array.from(file);
  newer[8] = 99;
  expect(() => openSpec(newer, inflate)).toThrow(/version 99/);
});

test('a damaged spec file gives FormatError, or facts that are not affected', () => {
  const expected = summary(openSpec(file, inflate));
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.option(fc.nat(file.length - 1), { freq: 3 }),
      (flips, cut) => {
        const bytes = Uint8Array.from(file);
        for (const [at, flip] of flips) bytes[at]! ^= flip;
        try {
          const found = summary(openSpec(cut === null ? bytes : bytes.subarray(0, cut), inflate));
          expect(found).toBe(expected);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          refused++;
        }
      },
    ),
    { seed: 3, numRuns: 3000 },
  );
  expect(refused).toBeGreaterThan(2500);
});

function summary(spec: KernelSpec): string {
  return JSON.stringify([
    spec.banner,
    [...spec.exports],
    [...spec.symbols],
    [...spec.calls],
    [...(spec.config?.entries() ?? [])],
    spec.trustedKeys,
    Array.from({ length: spec.types.typeCount }, (_, id) => spec.types.format(id)),
  ]);
}
