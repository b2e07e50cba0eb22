/** Constants as integers of `2^-BITS`, worked out when they are first needed. */
export const BITS = 320;
const ONE = 1n << BigInt(BITS);

/** atan(1/n) and, with all terms added, atanh(1/n). */
function inverseSeries(n: bigint, alternating: boolean): bigint {
  const square = n * n;
  let term = ONE / n;
  let sum = 0n;
  for (let k = 1n; term !== 0n; k += 2n) {
    const part = term / k;
    sum += alternating && (k & 2n) !== 0n ? -part : part;
    term /= square;
  }
  return sum;
}

function lazy(make: () => bigint): () => bigint {
  let value: bigint | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

/** Machin's formula. */
export const pi = lazy(() => 4n * (4n * inverseSeries(5n, true) - inverseSeries(239n, true)));
/** ln 2 = 2 atanh(1/3). */
export const ln2 = lazy(() => 2n * inverseSeries(3n, false));
/** ln 10 = 3 ln 2 + 2 atanh(1/9). */
const ln10 = lazy(() => 3n * ln2() + 2n * inverseSeries(9n, false));
export const log2Of10 = lazy(() => (ln10() << BigInt(BITS)) / ln2());
export const log2OfE = lazy(() => (ONE << BigInt(BITS)) / ln2());
export const log10Of2 = lazy(() => (ln2() << BigInt(BITS)) / ln10());
