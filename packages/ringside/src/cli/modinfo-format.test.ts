import { describe, expect, test } from 'vitest';
import { formatInfo, padKey } from './modinfo-format.ts';
import { parseModinfoOptions } from './modinfo-options.ts';

const lines = [
  { key: 'license', value: 'GPL' },
  { key: 'parm', value: 'first:what it does' },
  { key: 'parmtype', value: 'first:int' },
  { key: 'parmtype', value: 'second:bool' },
  { key: 'parm', value: 'third:no type' },
  { key: 'a_key_longer_than_15', value: 'x' },
];

describe('formatInfo', () => {
  test('puts parameters last, the last one first, description and type merged', () => {
    expect(formatInfo(lines, undefined, '\n').text).toBe(
      'license:        GPL\n' +
        'a_key_longer_than_15:     x\n' +
        'parm:           third:no type\n' +
        'parm:           second:bool\n' +
        'parm:           first:what it does (int)\n',
    );
  });

  test('prints the values of one field, and separates by NUL on request', () => {
    expect(formatInfo(lines, 'license', '\0').text).toBe('GPL\0');
    expect(formatInfo(lines, 'parm', '\n').text).toBe(
      'third:no type\nsecond: (bool)\nfirst:what it does (int)\n',
    );
    expect(formatInfo(lines.slice(0, 1), undefined, '\0').text).toBe('license=GPL\0');
  });

  test('complains about a parameter without a colon and goes on', () => {
    const { text, errors } = formatInfo([{ key: 'parm', value: 'bad' }, lines[0]!], undefined, '\n');
    expect(text).toBe('license:        GPL\n');
    expect(errors).toEqual([`Found invalid "parm=bad": missing ':'`]);
  });

  test('pads a key as printf does when it is too long', () => {
    expect(padKey('k')).toBe('k:              ');
    expect(padKey('seventeen_letters')).toBe('seventeen_letters:  ');
  });
});

describe('parseModinfoOptions', () => {
  test('takes options anywhere, combined and shortened', () => {
    expect(parseModinfoOptions(['x.ko', '-0n', '--fie', 'alias', '--', '-y'])).toMatchObject({
      operands: ['x.ko', '-y'],
      field: 'alias',
      separator: '\0',
    });
  });

  test('refuses what getopt refuses, in its words', () => {
    expect(parseModinfoOptions(['-z'])).toEqual({ error: "invalid option -- 'z'" });
    expect(parseModinfoOptions(['-F'])).toEqual({ error: "option requires an argument -- 'F'" });
    expect(parseModinfoOptions(['--null=1'])).toEqual({ error: "option '--null' doesn't allow an argument" });
  });
});
