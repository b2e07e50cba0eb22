import { describe, expect, test } from 'vitest';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { DIRECT_MAP, GuestAccessFault, GuestMemory, PROT_RW } from '../../memory/index.ts';
import * as lib from './index.ts';

const memory = new GuestMemory();
memory.map(DIRECT_MAP.start, 4096, PROT_RW);

let next = 0;
/** A string in guest memory with `room` bytes of 0xaa behind it. */
function put(text: string, room = 16): GuestAddr {
  const addr = asAddr(DIRECT_MAP.start + next);
  next = (next + text.length + room + 8) % 3500;
  memory.fill(addr, 0xaa, text.length + room);
  lib.writeText(memory, addr, text);
  return addr;
}
const read = (addr: GuestAddr): string => memory.readString(addr);
const offset = (found: GuestAddr, base: GuestAddr): number | null => (found === NULL ? null : found - base);

describe('copying', () => {
  test('strscpy returns the length, or -E2BIG for a cut text that is still ended', () => {
    const to = put('');
    expect([lib.strscpy(memory, to, put('abc'), 4), read(to)]).toEqual([3, 'abc']);
    expect([lib.strscpy(memory, to, put('abcd'), 4), read(to)]).toEqual([-7, 'abc']);
    expect(lib.strscpy(memory, to, put('a'), 0)).toBe(-7);
  });

  test('strlcpy returns the length of the source', () => {
    const to = put('');
    expect([lib.strlcpy(memory, to, put('abcdef'), 4), read(to)]).toEqual([6, 'abc']);
  });

  test('strncpy fills with NULs and does not end a cut text', () => {
    const to = put('', 8);
    lib.strncpy(memory, to, put('ab'), 4);
    expect([...memory.readBytes(to, 5)]).toEqual([0x61, 0x62, 0, 0, 0xaa]);
    lib.strncpy(memory, to, put('wxyz!'), 4);
    expect([...memory.readBytes(to, 5)]).toEqual([0x77, 0x78, 0x79, 0x7a, 0xaa]);
  });

  test('strcat and strncat append', () => {
    const to = put('ab', 16);
    lib.strcat(memory, to, put('cd'));
    lib.strncat(memory, to, put('efgh'), 2);
    expect(read(to)).toBe('abcdef');
  });
});

describe('comparing', () => {
  test('strcmp and strncmp give the sign of the first difference, as unsigned bytes', () => {
    const sign = (a: string, b: string, n = 99) => lib.strncmp(memory, put(a), put(b), n);
    expect([sign('a', 'b'), sign('b', 'a'), sign('a', 'a'), sign('a', 'ab'), sign('\xff', 'a')]).toEqual([
      -1, 1, 0, -1, 1,
    ]);
    expect(sign('abX', 'abY', 2)).toBe(0);
    expect(lib.strcmp(memory, put('x'), put('x'))).toBe(0);
  });

  test('strcasecmp does not mind case, in Latin-1 too', () => {
    expect(lib.strcasecmp(memory, put('HeLLo\xc4'), put('hEllO\xe4'))).toBe(0);
    expect(lib.strncasecmp(memory, put('abX'), put('ABc'), 2)).toBe(0);
  });

  test('sysfs_streq does not mind one newline at the end', () => {
    const same = (a: string, b: string) => lib.sysfsStreq(memory, put(a), put(b));
    expect([
      same('on', 'on\n'),
      same('on\n', 'on'),
      same('on', 'on'),
      same('on\n\n', 'on'),
      same('on', 'off'),
    ]).toEqual([true, true, true, false, false]);
  });

  test('match_string gives the index, or -EINVAL', () => {
    const array = asAddr(DIRECT_MAP.start + 3800);
    ['one', 'two'].forEach((text, i) => {
      memory.writePtr(asAddr(array + 8 * i), put(text));
    });
    memory.writePtr(asAddr(array + 16), NULL);
    expect(lib.matchString(memory, array, 2, put('two'))).toBe(1);
    expect(lib.matchString(memory, array, 99, put('three'))).toBe(-22);
  });
});

describe('searching', () => {
  const s = put('abcabc');

  test('characters are found from both ends, the NUL too', () => {
    expect(offset(lib.strchr(memory, s, 0x62), s)).toBe(1);
    expect(offset(lib.strrchr(memory, s, 0x62), s)).toBe(4);
    expect(offset(lib.strchr(memory, s, 0), s)).toBe(6);
    expect(offset(lib.strchr(memory, s, 0x7a), s)).toBe(null);
    expect(offset(lib.strchrnul(memory, s, 0x7a), s)).toBe(6);
    expect(offset(lib.strnchr(memory, s, 2, 0x63), s)).toBe(null);
  });

  test('strings, spans and sets', () => {
    expect(offset(lib.strstr(memory, s, put('ca')), s)).toBe(2);
    expect(offset(lib.strnstr(memory, s, put('ca'), 3), s)).toBe(null);
    expect(lib.strspn(memory, s, put('ab'))).toBe(2);
    expect(lib.strcspn(memory, s, put('c'))).toBe(2);
    expect(offset(lib.strpbrk(memory, s, put('xc')), s)).toBe(2);
    expect(offset(lib.memchrInv(memory, s, 0x61, 3), s)).toBe(1);
  });
});

test('strsep cuts a list into its parts, empty ones too', () => {
  const pointer = asAddr(DIRECT_MAP.start + 3900);
  memory.writePtr(pointer, put('a,,b'));
  const comma = put(',');
  const parts: string[] = [];
  for (
    let part = lib.strsep(memory, pointer, comma);
    part !== NULL;
    part = lib.strsep(memory, pointer, comma)
  ) {
    parts.push(read(part));
  }
  expect(parts).toEqual(['a', '', 'b']);
});

test('strim takes spaces off both ends', () => {
  expect(read(lib.strim(memory, put(' \t two words\n ')))).toBe('two words');
  expect(read(lib.strim(memory, put('   ')))).toBe('');
});

test('an unterminated string faults at the first byte that is not there', () => {
  const last = asAddr(DIRECT_MAP.start + 4094);
  memory.fill(last, 0x61, 2);
  expect(() => lib.strlen(memory, last)).toThrow(GuestAccessFault);
  expect(lib.strnlen(memory, last, 2)).toBe(2);
});
