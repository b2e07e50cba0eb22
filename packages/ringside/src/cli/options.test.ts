import { expect, test } from 'vitest';
import { parseDurationNs } from './duration.ts';
import { splitModuleArguments } from './module-arguments.ts';
import { parseRunOptions } from './run-options.ts';
import { closest } from './suggest.ts';

test('parameters belong to the module before them', () => {
  expect(splitModuleArguments(['a.ko', 'x=1', 'y=a b', './c=d.ko', 'z[0]=1', 'b.ko'])).toEqual([
    { path: 'a.ko', params: 'x=1 y=a b' },
    { path: './c=d.ko', params: '' },
    { path: 'z[0]=1', params: '' },
    { path: 'b.ko', params: '' },
  ]);
});

test('a parameter before any module is refused with what to do', () => {
  expect(() => splitModuleArguments(['x=1', 'a.ko'])).toThrow(
    /"x=1" stands before any module: write it after/,
  );
});

test.each([
  ['60s', 60e9],
  ['1.5s', 1.5e9],
  ['250ms', 250e6],
  ['2m', 120e9],
  ['1h', 3600e9],
  ['3', 3e9],
  ['7ns', 7],
])('the duration %s is %d ns', (text, ns) => {
  expect(parseDurationNs(text, '--for')).toBe(ns);
});

test.each(['', 's', '-1s', '1 fortnight', '1e9s', '99999999999h', 'NaN'])(
  'the duration %j is refused',
  (text) => {
    expect(() => parseDurationNs(text, '--for')).toThrow(/--for/);
  },
);

test('options may stand anywhere among modules and parameters', () => {
  expect(
    parseRunOptions(['--for', '60s', 'a.ko', 'n=--x', '--json', '--no-color', 'b.ko', '--seed=0x10']),
  ).toMatchObject({
    modules: [
      { path: 'a.ko', params: 'n=--x' },
      { path: 'b.ko', params: '' },
    ],
    forNs: 60e9,
    json: true,
    colour: false,
    seed: 16n,
  });
});

test('a mistyped option is told with the one that was meant', () => {
  expect(() => parseRunOptions(['a.ko', '--jsno'])).toThrow('Unknown option --jsno: did you mean --json?');
  expect(() => parseRunOptions(['a.ko', '--frobnicate'])).toThrow('"ringside run --help" lists them all');
});

test('an option without its value, or with one too many, is told', () => {
  expect(() => parseRunOptions(['a.ko', '--for'])).toThrow('--for=TIME');
  expect(() => parseRunOptions(['a.ko', '--json=yes'])).toThrow('takes no value');
});

test('the nearest word is found, and none when all are far', () => {
  expect(closest('rnu', ['run', 'kernel'])).toBe('run');
  expect(closest('kernal', ['run', 'kernel'])).toBe('kernel');
  expect(closest('install', ['run', 'kernel'])).toBeUndefined();
});

test('--linger is a time, none when it is not given', () => {
  const linger = (...args: string[]) => {
    const options = parseRunOptions(args);
    return options === 'help' ? undefined : options.lingerNs;
  };
  expect(linger('a.ko', '--linger', '30s')).toBe(30e9);
  expect(linger('a.ko')).toBe(0);
  expect(() => linger('a.ko', '--linger', 'soon')).toThrow(/--linger soon/);
});
