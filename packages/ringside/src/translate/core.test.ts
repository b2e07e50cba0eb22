import { expect, test } from 'vitest';
import { CORE_CASES, coreOutcomes } from './core.fixture.ts';

const outcomes = coreOutcomes();

test.each(CORE_CASES.map(({ name }) => name))('code that %s does the same in every mode', (name) => {
  const { checked, ...others } = outcomes[name]!;
  expect(checked).toHaveLength(3);
  for (const [mode, other] of Object.entries(others)) expect(other, mode).toEqual(checked);
});

test('the cases end in as many ways as code can', () => {
  const text = JSON.stringify(outcomes);
  const ends = ['returns', 'exception', 'poison', 'breakpoint', 'watchpoint', 'native', 'unsupported'];
  expect(ends.filter((end) => !text.includes(end))).toEqual([]);
});
