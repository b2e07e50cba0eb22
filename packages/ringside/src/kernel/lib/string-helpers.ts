/** Units of `string_get_size`. Source: Linux 6.1 include/linux/string_helpers.h. */
export const STRING_UNITS_10 = 0;
export const STRING_UNITS_2 = 1;

const SUFFIXES = {
  [STRING_UNITS_10]: ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'],
  [STRING_UNITS_2]: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'],
} as const;
/** What is added below the last digit that is shown: half of it, in thousandths. */
const ROUNDING = [500n, 50n, 5n];

/**
 * `string_get_size`: `size` blocks of `blockSize` bytes for people, with three digits. Both are unsigned 64-bit.
 * Factors that do not fit 32 bits lose their remainders before they are multiplied, as in the kernel.
 */
export function stringGetSize(size: bigint, blockSize: bigint, units: 0 | 1): string {
  const divisor = units === STRING_UNITS_2 ? 1024n : 1000n;
  let power = 0;
  let value = blockSize === 0n ? 0n : size;
  let fraction = '';
  if (value !== 0n) {
    let block = blockSize;
    for (; block >> 32n; power++) block /= divisor;
    for (; value >> 32n; power++) value /= divisor;
    value *= block;
    let remainder = 0n;
    for (; value >= divisor; power++) {
      remainder = value % divisor;
      value /= divisor;
    }
    let decimals = 0;
    for (let scaled = value; scaled * 10n < 1000n; decimals++) scaled *= 10n;
    if (units === STRING_UNITS_2) remainder = (remainder * 1000n) >> 10n;
    remainder += ROUNDING[decimals]!;
    if (remainder >= 1000n) {
      remainder -= 1000n;
      value += 1n;
    }
    if (decimals > 0) fraction = `.${remainder.toString().padStart(3, '0')}`.slice(0, decimals + 1);
  }
  return `${value & 0xffff_ffffn}${fraction} ${SUFFIXES[units][power] ?? 'UNK'}`;
}
