/**
 * Whether arithmetic of the host's own numbers is exact, by error-free transformations. Only where no other exception than
 * the inexact one is possible: finite operands and results far from the ends of the range, zeros that stay zeros.
 * Source: T. J. Dekker, A floating-point technique for extending the available precision, 1971.
 */
export interface Inexactness {
  readonly value: number;
  readonly inexact: boolean;
}

const SPLITTER = 2 ** 27 + 1;

function within(x: number, limit: number): boolean {
  const magnitude = Math.abs(x);
  return magnitude < limit && magnitude * limit > 1;
}

function sumError(a: number, b: number, s: number): number {
  const t = s - a;
  return a - (s - t) + (b - t);
}

function productError(a: number, b: number, p: number): number {
  const ta = SPLITTER * a;
  const ah = ta - (ta - a);
  const al = a - ah;
  const tb = SPLITTER * b;
  const bh = tb - (tb - b);
  const bl = b - bh;
  return al * bl - (p - ah * bh - al * bh - ah * bl);
}

/** Undefined: to be made the long way. */
export function exactDouble(operation: string, a: number, b: number): Inexactness | undefined {
  const limit = 2 ** 400;
  const root = operation === 'sqrt';
  if (!(b === 0 || within(b, limit)) || !(root || a === 0 || within(a, limit))) return undefined;
  let value: number;
  let inexact: boolean;
  switch (operation) {
    case 'add':
      value = a + b;
      inexact = sumError(a, b, value) !== 0;
      break;
    case 'sub':
      value = a - b;
      inexact = sumError(a, -b, value) !== 0;
      break;
    case 'mul':
      value = a * b;
      inexact = value !== 0 && productError(a, b, value) !== 0;
      break;
    case 'div':
      if (b === 0) return undefined;
      value = a / b;
      inexact = value !== 0 && (value * b !== a || productError(value, b, a) !== 0);
      break;
    case 'sqrt':
      if (b < 0) return undefined;
      value = Math.sqrt(b);
      inexact = value !== 0 && (value * value !== b || productError(value, value, b) !== 0);
      break;
    default:
      return undefined;
  }
  return { value, inexact };
}

/** As above for singles, whose products and quotients a double tells apart. */
export function exactSingle(operation: string, a: number, b: number): Inexactness | undefined {
  const limit = 2 ** 60;
  const root = operation === 'sqrt';
  if (!(b === 0 || within(b, limit)) || !(root || a === 0 || within(a, limit))) return undefined;
  let value: number;
  let inexact: boolean;
  switch (operation) {
    case 'add':
    case 'sub': {
      const other = operation === 'sub' ? -b : b;
      const sum = a + other;
      value = Math.fround(sum);
      inexact = value !== sum || sumError(a, other, sum) !== 0;
      break;
    }
    case 'mul':
      value = Math.fround(a * b);
      inexact = value !== a * b;
      break;
    case 'div':
      if (b === 0) return undefined;
      value = Math.fround(a / b);
      inexact = value * b !== a;
      break;
    case 'sqrt':
      if (b < 0) return undefined;
      value = Math.fround(Math.sqrt(b));
      inexact = value * value !== b;
      break;
    default:
      return undefined;
  }
  return { value, inexact };
}
