/** SSE operations that the host makes when MXCSR or the operands are not the usual ones. */
export const SSE_OPERATIONS = [
  'add',
  'sub',
  'mul',
  'div',
  'sqrt',
  'min',
  'max',
  'cmp',
  'addsub',
  'comis',
  'ucomis',
  'widen',
  'narrow',
  'fromInteger32',
  'fromInteger64',
  'toInteger32',
  'toInteger64',
  'truncate32',
  'truncate64',
] as const;

export type SseOperation = (typeof SSE_OPERATIONS)[number];

/** Bit 8: doubles; bit 9: the lowest lane alone; bits 10 and 11: how many lanes, less one; from bit 12 an immediate. */
export function sseCode(
  operation: SseOperation,
  double: boolean,
  lanes: number,
  scalar: boolean,
  immediate = 0,
): number {
  const shape = (double ? 0x100 : 0) | (scalar ? 0x200 : 0) | ((lanes - 1) << 10);
  return SSE_OPERATIONS.indexOf(operation) | shape | (immediate << 12);
}
