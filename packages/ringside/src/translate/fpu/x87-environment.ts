import {
  isDenormal,
  isInfinite,
  isNan,
  isUnsupported,
  isZero,
  readExtended,
  writeExtended,
} from './extended.ts';
import type { X87Stack } from './x87-stack.ts';

/**
 * Environments of `fnstenv` and what `fnsave` puts behind them, in their protected-mode forms of 32 and 16 bits.
 * Source: SDM vol. 1, figures 8-9 and 8-11.
 *
 * Deviation: the selectors of the last instruction and operand are stored as 0, as processors do that have dropped them
 * (CPUID.(EAX=07H,ECX=0H):EBX[13]).
 */
const FOP = 6;
const FIP = 8;
const FDP = 16;
const INITIAL_CONTROL = 0x37f;

export const ENVIRONMENT_BYTES = { long: 28, short: 14 } as const;
const REGISTER_BYTES = 10;

/** Two bits a register by number: valid, zero, special, empty. */
function tagWord(stack: X87Stack): number {
  const { top, used } = stack;
  let word = 0;
  for (let number = 0; number < 8; number++) {
    let tag = 3;
    if ((used & (1 << number)) !== 0) {
      const x = stack.get((number - top) & 7);
      const odd = isNan(x) || isInfinite(x) || isDenormal(x) || isUnsupported(x);
      tag = isZero(x) ? 1 : odd ? 2 : 0;
    }
    word |= tag << (2 * number);
  }
  return word;
}

export function storeEnvironment(
  view: DataView,
  area: number,
  to: number,
  stack: X87Stack,
  short: boolean,
): void {
  const ip = view.getUint32(area + FIP, true);
  const dp = view.getUint32(area + FDP, true);
  if (short) {
    const words = [stack.control, stack.status, tagWord(stack), ip & 0xffff, 0, dp & 0xffff, 0];
    for (const [i, word] of words.entries()) view.setUint16(to + 2 * i, word, true);
  } else {
    const opcode = view.getUint16(area + FOP, true) & 0x7ff;
    const status = (0xffff_0000 | stack.status) >>> 0;
    const words = [
      (0xffff_0000 | stack.control) >>> 0,
      status,
      (0xffff_0000 | tagWord(stack)) >>> 0,
      ip,
      opcode << 16,
      dp,
      0xffff_0000,
    ];
    for (const [i, word] of words.entries()) view.setUint32(to + 4 * i, word, true);
  }
  // All exceptions are masked afterwards.
  stack.control = stack.control | 0x3f;
}

export function loadEnvironment(
  view: DataView,
  area: number,
  from: number,
  stack: X87Stack,
  short: boolean,
): void {
  const step = short ? 2 : 4;
  const word = (i: number): number => view.getUint16(from + step * i, true);
  stack.status = word(1);
  const tags = word(2);
  let used = 0;
  for (let number = 0; number < 8; number++) if (((tags >> (2 * number)) & 3) !== 3) used |= 1 << number;
  stack.used = used;
  const address = (i: number): bigint => BigInt(short ? word(i) : view.getUint32(from + step * i, true));
  view.setBigUint64(area + FIP, address(3), true);
  view.setBigUint64(area + FDP, address(5), true);
  view.setUint16(area + FOP, short ? 0 : view.getUint16(from + 18, true) & 0x7ff, true);
  stack.control = word(0);
}

/** The environment, then ST to ST(7); the unit is as after `fninit`. */
export function storeState(view: DataView, area: number, to: number, stack: X87Stack, short: boolean): void {
  storeEnvironment(view, area, to, stack, short);
  const registers = to + (short ? ENVIRONMENT_BYTES.short : ENVIRONMENT_BYTES.long);
  for (let i = 0; i < 8; i++) writeExtended(view, registers + REGISTER_BYTES * i, stack.get(i));
  initialize(view, area, stack);
}

export function initialize(view: DataView, area: number, stack: X87Stack): void {
  stack.status = 0;
  stack.used = 0;
  stack.control = INITIAL_CONTROL;
  view.setUint16(area + FOP, 0, true);
  view.setBigUint64(area + FIP, 0n, true);
  view.setBigUint64(area + FDP, 0n, true);
}

export function loadState(view: DataView, area: number, from: number, stack: X87Stack, short: boolean): void {
  loadEnvironment(view, area, from, stack, short);
  const registers = from + (short ? ENVIRONMENT_BYTES.short : ENVIRONMENT_BYTES.long);
  const { used } = stack;
  for (let i = 0; i < 8; i++) stack.set(i, readExtended(view, registers + REGISTER_BYTES * i));
  stack.used = used;
}
