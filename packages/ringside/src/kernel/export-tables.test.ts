import { describe, expect, test } from 'vitest';
import { builtInSpecPath, openSpecFile } from '../node/index.ts';
import { EXPORT_FAMILIES } from './export-tables.ts';
import { formatPrototype, parsePrototype, prototypeFromBtf } from './prototype.ts';

/** Names that earlier releases of the series have for functions that ours renames. */
const EARLIER_NAMES = new Set(['del_timer', 'del_timer_sync']);
/** Written in assembly: BTF has them without parameters. */
const ASSEMBLY = new Set(['memcpy', 'memmove', 'memset']);
const spec = openSpecFile(builtInSpecPath());

describe.each(Object.entries(EXPORT_FAMILIES))('%s', (_family, table) => {
  test('every prototype is the one the kernel has', () => {
    const wrong: string[] = [];
    for (const [name, entry] of Object.entries(table)) {
      if (entry.kind !== 'function') continue;
      const ours = parsePrototype(entry.prototype);
      const real = ASSEMBLY.has(name) ? undefined : prototypeFromBtf(spec.types, name);
      if (ours.name !== name) wrong.push(`${name}: the prototype is of ${ours.name}`);
      if (real !== undefined && formatPrototype(real) !== formatPrototype(ours)) {
        wrong.push(`${formatPrototype(ours)}\n    the kernel has ${formatPrototype(real)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('every entry exists in the kernel', () => {
    const unknown = Object.keys(table).filter(
      (name) =>
        !EARLIER_NAMES.has(name) &&
        spec.exports.byName(name) === undefined &&
        spec.symbols.lookup(name) === undefined,
    );
    expect(unknown).toEqual([]);
  });
});

test('no function is in two tables', () => {
  const names = Object.values(EXPORT_FAMILIES).flatMap((table) => Object.keys(table));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
