/** The letter of each taint bit when set and when not, by bit number. Source: kernel/panic.c, taint_flags, 6.1. */
const TAINT_LETTERS = [
  'PG',
  'F ',
  'S ',
  'R ',
  'M ',
  'B ',
  'U ',
  'D ',
  'A ',
  'W ',
  'C ',
  'I ',
  'O ',
  'E ',
  'L ',
  'K ',
  'X ',
  'T ',
  'N ',
] as const;

/** `print_tainted`: `Tainted: G           OE     `, a letter or blank for each bit; `Not tainted` for none. */
export function printTainted(mask: number): string {
  if (mask === 0) return 'Not tainted';
  return `Tainted: ${TAINT_LETTERS.map((letters, bit) => letters[mask & (1 << bit) ? 0 : 1]).join('')}`;
}
