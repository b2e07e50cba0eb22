import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, InputError, RingsideError, UnsupportedError } from '../bytes/index.ts';
import { BtfBuilder, everyKind } from './btf-builder.fixture.ts';
import { readBtf } from './index.ts';

describe('types as C', () => {
  const { section, ids } = everyKind();
  const btf = readBtf(section);

  test('declarations are written as C writes them', () => {
    expect(btf.nameOf(ids['string']!)).toBe('const char *');
    expect(btf.nameOf(ids['constString']!)).toBe('const char *const');
    expect(btf.nameOf(ids['matrix']!)).toBe('char [3][16]');
    expect(btf.nameOf(ids['callback']!)).toBe('int (*)(const char *fmt, ...)');
    expect(btf.nameOf(ids['empty']!)).toBe('void (void)');
    expect(btf.nameOf(ids['user']!)).toBe('char *');
    expect(btf.nameOf(ids['volatile']!)).toBe('volatile struct node');
    expect(btf.nameOf(ids['restrict']!)).toBe('const char *restrict');
    expect(btf.nameOf(0)).toBe('void');
  });

  test('a struct is printed with its body, anonymous members and bit-fields', () => {
    expect(btf.format(ids['node']!, { offsets: true })).toMatchInlineSnapshot(`
      "struct node {
      	char name[16]; /* 0 16 */
      	union {
      		long unsigned int value; /* 0 8 */
      		int (*pointer)(const char *fmt, ...); /* 0 8 */
      	}; /* 16 8 */
      	struct hidden *next; /* 24 8 */
      	char grid[3][16]; /* 32 48 */
      	colour_t colour; /* 80 4 */
      	int a:3; /* 84:0 4 */
      	int b:9; /* 84:3 4 */
      	const char *const label; /* 88 8 */
      	long unsigned int rest[]; /* 96 0 */
      };"
    `);
    expect(btf.format(ids['colour']!)).toMatchInlineSnapshot(`
      "enum colour {
      	RED = 0,
      	BLUE = -1,
      };"
    `);
    expect(btf.format(ids['wide']!)).toContain(`HUGE = ${2n ** 63n}`);
    expect(btf.format(ids['func']!)).toBe('int print(const char *fmt, ...);');
    expect(btf.format(ids['typedef']!)).toBe('typedef enum colour colour_t;');
    expect(btf.format(ids['section']!)).toMatchInlineSnapshot(`
      "section .data {
      	volatile struct node root; /* 0 96 */
      };"
    `);
  });

  test('every type prints', () => {
    for (let id = 0; id < btf.typeCount; id++) expect(btf.format(id)).not.toBe('');
  });
});

describe('layouts', () => {
  const { section, ids } = everyKind();
  const btf = readBtf(section);
  const node = btf.struct('node');

  test('members are found through anonymous unions, arrays and typedefs', () => {
    expect(node.size).toBe(96);
    expect(node.offsetOf('pointer')).toBe(16);
    expect(node.offsetOf('grid[2][5]')).toBe(32 + 2 * 16 + 5);
    expect(node.member('grid[1]')).toMatchObject({ offset: 48, sizeBytes: 16 });
    expect(node.member('rest')).toMatchObject({ offset: 96, sizeBytes: 0 });
    expect(node.offsetOf('rest[2]')).toBe(112);
    expect(btf.layout(ids['volatile']!).offsetOf('next')).toBe(24);
  });

  test('a bit-field has its byte, its first bit and its width', () => {
    expect(node.member('b')).toMatchObject({ offset: 84, bitOffset: 3, bitSize: 9 });
    expect(() => node.offsetOf('b')).toThrow(InputError);
  });

  test('what is not there is undefined or an UnsupportedError, by the way of asking', () => {
    expect(node.find('nothing')).toBeUndefined();
    expect(node.find('grid[3]')).toBeUndefined();
    expect(node.find('next.value')).toBeUndefined();
    expect(() => node.offsetOf('nothing')).toThrow(UnsupportedError);
    expect(btf.findStruct('nothing')).toBeUndefined();
    expect(() => btf.struct('nothing')).toThrow(UnsupportedError);
    expect(() => node.find('a b')).toThrow(InputError);
  });

  test('enumerators, prototypes and sizes are found by name', () => {
    expect(btf.enumValue('BLUE')).toBe(-1);
    expect(btf.findEnumValue('GREEN')).toBeUndefined();
    expect(btf.enumeration('wide')?.values[0]?.wide).toBe(2n ** 63n);
    expect(btf.func('print')).toMatchObject({
      returns: ids['int'],
      variadic: true,
      params: [{ name: 'fmt' }],
    });
    expect(btf.sizeOf(ids['matrix']!)).toBe(48);
    expect(btf.sizeOf(ids['variable']!)).toBe(96);
  });
});

test("a module's types stand on its kernel's, with their own names behind the kernel's", () => {
  const base = readBtf(everyKind().section);
  const strings = base.table.strings.size;
  const b = new BtfBuilder({ firstId: base.typeCount, baseStrings: strings });
  const own = b.composite('struct', 'own', 96, [['node', base.find('struct', 'node')!, 0]]);
  const module = readBtf(b.build(), base);
  expect(module.struct('own').offsetOf('node.label')).toBe(88);
  expect(module.struct('node').size).toBe(96);
  expect(module.find('struct', 'own')).toBe(own);
  expect([...module.ids('struct')]).toHaveLength(2);
});

test('a struct that contains itself many times over ends every question', () => {
  const b = new BtfBuilder();
  const self = 1;
  b.composite('struct', 'knot', 8, [
    ['', self, 0],
    ['', 2, 0],
  ]);
  b.composite('union', '', 8, [
    ['', 2, 0],
    ['', 2, 0],
    ['', 1, 0],
  ]);
  const btf = readBtf(b.build());
  expect(btf.struct('knot').find('absent')).toBeUndefined();
  expect(() => btf.format(2)).toThrow(FormatError);
});

test('damaged types give a typed error or an answer, and always end', () => {
  const { section, ids } = everyKind();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(section.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat(section.length)),
      (changes, cut) => {
        const bytes = Uint8Array.from(section);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const btf = readBtf(cut === null ? bytes : bytes.subarray(0, cut));
          for (let id = 0; id < Math.min(btf.typeCount, 64); id++) {
            tolerate(() => btf.format(id, { offsets: true }));
            tolerate(() => btf.sizeOf(id));
          }
          tolerate(() => btf.findStruct('node')?.find('grid[1][2]'));
          tolerate(() => btf.func('print'));
          tolerate(() => btf.findEnumValue('BLUE'));
          tolerate(() => btf.layout(ids['node']!).find('a'));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      },
    ),
    { seed: 2, numRuns: 3000 },
  );
});

function tolerate(ask: () => unknown): void {
  try {
    ask();
  } catch (error) {
    expect(error).toBeInstanceOf(RingsideError);
  }
}
