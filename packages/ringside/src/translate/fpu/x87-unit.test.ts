import { expect, test } from 'vitest';
import { X87_FORM, type X87Operation, X87Unit, x87Code } from './index.ts';

const SCRATCH = 512;

/** A unit after `fninit`, on memory of its own. */
function unit() {
  const view = new DataView(new ArrayBuffer(1024));
  view.setUint16(0, 0x37f, true);
  const x87 = new X87Unit(view.buffer, 0, SCRATCH, () => 0x1d8);
  const make = (operation: X87Operation, form: number = X87_FORM.none, register = 0): number =>
    x87.execute(x87Code(operation, form, register));
  return {
    make,
    view,
    load: (x: number): void => {
      view.setFloat64(SCRATCH, x, true);
      make('ld', X87_FORM.double);
    },
    /** ST as 20 hexadecimal digits, left where it is. */
    get top(): string {
      const at = 32 + 16 * ((view.getUint16(2, true) >> 11) & 7);
      const high = view
        .getUint16(at + 8, true)
        .toString(16)
        .padStart(4, '0');
      return high + view.getBigUint64(at, true).toString(16).padStart(16, '0');
    },
    get status(): number {
      return view.getUint16(2, true) & 0xff;
    },
    control: (word: number): void => view.setUint16(0, word, true),
  };
}

test('constants are rounded by the mode', () => {
  const results = [0x37f, 0x77f, 0xb7f, 0xf7f].map((control) => {
    const u = unit();
    u.control(control);
    u.make('ldpi');
    return u.top;
  });
  expect(results).toEqual([
    '4000c90fdaa22168c235',
    '4000c90fdaa22168c234',
    '4000c90fdaa22168c235',
    '4000c90fdaa22168c234',
  ]);
});

test('precision control shortens results, not loads', () => {
  const u = unit();
  u.control(0x07f);
  u.load(1);
  u.load(3);
  u.make('divp', X87_FORM.register, 1);
  expect(u.top).toBe('3ffdaaaaab0000000000');
  expect(u.status).toBe(0x20);
});

test('an empty register gives the default NaN and tells of a stack fault', () => {
  const u = unit();
  u.make('sqrt');
  expect(u.top).toBe('ffffc000000000000000');
  expect(u.status).toBe(0x41);
});

test('an exception that is not masked leaves the operands and the opcode', () => {
  const u = unit();
  u.control(0x37b);
  u.load(1);
  u.load(0);
  u.make('divp', X87_FORM.register, 1);
  expect(u.top).toBe('00000000000000000000');
  expect(u.status).toBe(0x84);
  expect(u.view.getUint16(6, true)).toBe(0x1d8);
});

test('overflow that is not masked delivers a scaled result', () => {
  const u = unit();
  u.control(0x377);
  u.load(2 ** 1000);
  for (let i = 0; i < 5; i++) u.make('mul', X87_FORM.top, 0);
  expect(u.status & 8).toBe(8);
  expect(u.top).toBe(`${(32000 - 24576 + 16383).toString(16)}8000000000000000`);
});

test('eighteen decimal digits come and go', () => {
  const u = unit();
  u.load(-1234567890123);
  expect(u.make('bstp', X87_FORM.extended)).toBe(1);
  expect(u.view.getBigUint64(SCRATCH, true).toString(16)).toBe('1234567890123');
  expect(u.view.getUint16(SCRATCH + 8, true)).toBe(0x8000);
  u.make('bld', X87_FORM.extended);
  u.make('stp', X87_FORM.double);
  expect(u.view.getFloat64(SCRATCH, true)).toBe(-1234567890123);
});

test('sines are of the argument reduced by 66 bits of pi', () => {
  const u = unit();
  u.make('ldpi');
  u.make('sin');
  // Of the exact pi it would be -5.0166e-20; this is -5.4210e-20.
  u.make('stp', X87_FORM.double);
  expect(u.view.getFloat64(SCRATCH, true)).toBe(-(2 ** -64));
});
