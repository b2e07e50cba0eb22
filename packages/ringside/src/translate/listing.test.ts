import { describe, expect, test } from 'vitest';
import { bareMachine } from './bare-machine.ts';

/**
 * What functions become, stage by stage: guest instructions, intermediate form, WebAssembly. A change of the
 * translation shows here; `vitest run -u` takes the new text.
 */
const FUNCTIONS: readonly (readonly [name: string, code: string])[] = [
  ['adds two numbers', '48 8d 04 37 c3'],
  ['sums bytes in a loop', '31 c0 48 85 f6 74 12 0f b6 17 48 ff c7 48 01 d0 48 ff ce 75 f2 c3 90 90 90 c3'],
  [
    'calls a function and keeps a register',
    '53 48 89 fb e8 07 00 00 00 48 01 d8 5b c3 90 90 b8 01 00 00 00 c3',
  ],
  ['follows a list', '48 8b 07 48 39 f8 74 09 ff 40 10 48 8b 00 eb f3 cc c3'],
  ['compares and selects', '39 f7 0f 4f fe 0f 9c c0 83 ff 0a 77 02 ff c7 89 f8 c3'],
];

describe.each(FUNCTIONS)('a function that %s', (name, code) => {
  test.each(['checked', 'plain'])('%s', async (mode) => {
    const m = bareMachine(
      Uint8Array.from(code.split(' '), (b) => Number.parseInt(b, 16)),
      { checked: mode === 'checked' },
    );
    const file = `${name.replaceAll(' ', '-')}.${mode}.txt`;
    await expect(`${m.cpu.listing(m.text)}\n`).toMatchFileSnapshot(`fixtures/${file}`);
  });
});

/** What they become when they run often: callees in the place of calls, small loops copied behind a gate. */
describe.each([
  ['sums bytes in a loop', FUNCTIONS[1]![1]],
  ['calls a function and keeps a register', FUNCTIONS[2]![1]],
])('a hot function that %s', (name, code) => {
  test.each(['checked', 'plain'])('%s', async (mode) => {
    const m = bareMachine(
      Uint8Array.from(code.split(' '), (b) => Number.parseInt(b, 16)),
      { checked: mode === 'checked' },
    );
    const file = `${name.replaceAll(' ', '-')}.hot.${mode}.txt`;
    await expect(`${m.cpu.listing(m.text, 'hot')}\n`).toMatchFileSnapshot(`fixtures/${file}`);
  });
});
