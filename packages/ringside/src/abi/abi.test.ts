import { describe, expect, test } from 'vitest';
import { CONSTANT_GROUPS, ERRNO, errnoName, strerror, TAINT, TAINT_FLAGS, TIMER } from './index.ts';

describe('constants', () => {
  test('errors are called what the kernel and the tools call them', () => {
    expect(errnoName(-22)).toBe('EINVAL');
    expect(errnoName(ERRNO.EWOULDBLOCK)).toBe('EAGAIN');
    expect(errnoName(4000)).toBeUndefined();
    expect(strerror(-2)).toBe('No such file or directory');
    expect(strerror(-ERRNO.ENOEXEC)).toBe('Exec format error');
    expect(strerror(4000)).toBe('Unknown error 4000');
    expect(strerror(ERRNO.ERESTARTSYS)).toBe('Unknown error 512');
  });

  test('taint flags stand in the order of their bits and are complete', () => {
    expect(TAINT_FLAGS.map(({ bit }) => bit)).toEqual(
      Array.from({ length: TAINT.TAINT_FLAGS_COUNT }, (_, i) => i),
    );
    expect(
      TAINT_FLAGS.filter(({ module }) => module)
        .map(({ set }) => set)
        .join(''),
    ).toBe('PFCOEKXTN');
  });

  test('a name stands in one table only, or has one value', () => {
    const known = new Map<string, number | bigint>();
    for (const { values } of CONSTANT_GROUPS) {
      for (const [name, value] of Object.entries(values)) expect(known.get(name) ?? value).toBe(value);
    }
    expect(TIMER.TIMER_BASEMASK).toBe(TIMER.TIMER_CPUMASK | TIMER.TIMER_MIGRATING);
  });

  test('every number is exact', () => {
    for (const { values } of CONSTANT_GROUPS) {
      for (const value of Object.values(values)) {
        expect(typeof value === 'bigint' || Number.isSafeInteger(value)).toBe(true);
      }
    }
  });
});
