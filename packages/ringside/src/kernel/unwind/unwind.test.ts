import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { ORC_REG, type OrcRule, scanStack, UNWIND_HINT_TYPE, type UnwindHost, unwind } from './index.ts';

const STACK = -0x1000;
const a = (value: number): GuestAddr => asAddr(value);

function rule(spReg: number, spOffset: number, bpReg: number = ORC_REG.UNDEFINED, bpOffset = 0): OrcRule {
  return { spReg, spOffset, bpReg, bpOffset, type: UNWIND_HINT_TYPE.CALL, end: false };
}

/** A stack of 32 words at STACK, and ORC rules by the hundred of the address. */
function machine(
  words: Record<number, number>,
  rules: Record<number, OrcRule>,
  extra: Partial<UnwindHost> = {},
) {
  const host: UnwindHost = {
    findOrc: (ip) => rules[Math.floor(ip / 100) * 100],
    readPtr: (addr) =>
      addr >= STACK && addr < STACK + 256 && addr % 8 === 0 ? a(words[addr - STACK] ?? 0) : undefined,
    isEnd: (ip) => ip === 9999,
    ...extra,
  };
  return host;
}

const ips = (frames: Iterable<{ ip: GuestAddr }>) => [...frames].map((frame) => frame.ip);

describe('the unwinder', () => {
  const rules = { 100: rule(ORC_REG.SP, 16), 200: rule(ORC_REG.SP, 32), 300: rule(ORC_REG.SP, 8) };
  const words = { 8: 250, 40: 301, 48: 9999 };

  test('follows return addresses by the stack pointer', () => {
    const frames = [...unwind({ ip: a(110), sp: a(STACK), bp: a(0) }, machine(words, rules))];
    expect(ips(frames)).toEqual([110, 250, 301]);
    expect(frames.map((frame) => frame.signal)).toEqual([true, false, false]);
    expect(frames.map((frame) => frame.slot && frame.slot - STACK)).toEqual([undefined, 8, 40]);
  });

  test('begins with the caller when a function of ours has just been called', () => {
    const host = machine({ 0: 150, 16: 250, 48: 9999 }, rules, { isNative: (ip) => ip === 7 });
    expect(ips(unwind({ ip: a(7), sp: a(STACK), bp: a(0) }, host))).toEqual([150, 250]);
  });

  test('looks a return address up at the call, which may be the last instruction of its function', () => {
    // 300 is behind the end of function 200..299, which calls something that does not return.
    const host = machine({ 8: 300, 40: 9999 }, { 100: rule(ORC_REG.SP, 16), 200: rule(ORC_REG.SP, 32) });
    expect(ips(unwind({ ip: a(110), sp: a(STACK), bp: a(0) }, host))).toEqual([110, 300]);
  });

  test('restores the frame pointer and counts from it', () => {
    const byFrame = {
      100: rule(ORC_REG.BP, 16, ORC_REG.PREV_SP, -16),
      200: rule(ORC_REG.BP, 16, ORC_REG.PREV_SP, -16),
    };
    const host = machine({ 32: STACK + 80, 40: 250, 80: 0, 88: 9999 }, byFrame);
    const frames = [...unwind({ ip: a(110), sp: a(STACK), bp: a(STACK + 32) }, host)];
    expect(ips(frames)).toEqual([110, 250]);
    expect(frames[1]!.sp - STACK).toBe(48);
  });

  test('counts from R10 only in the frame that an exception interrupted', () => {
    const host = machine({ 56: 260, 120: 9999 }, { 100: rule(ORC_REG.R10, 0), 200: rule(ORC_REG.R10, 0) });
    const start = { ip: a(110), sp: a(STACK), bp: a(0), r10: a(STACK + 64) };
    expect(ips(unwind(start, host))).toEqual([110, 260]);
  });

  test('finds the caller of a NULL function pointer', () => {
    const host = machine({ 0: 120, 16: 250, 48: 9999 }, rules);
    expect(ips(unwind({ ip: a(0), sp: a(STACK), bp: a(0) }, host))).toEqual([0, 120, 250]);
  });

  test('guesses a frame pointer where there is no ORC data, and says that it is a guess', () => {
    const host = machine({ 16: 0, 24: 250, 56: 9999 }, { 200: rule(ORC_REG.SP, 32) });
    const frames = [...unwind({ ip: a(777), sp: a(STACK), bp: a(STACK + 16) }, host)];
    expect(frames.map((frame) => [frame.ip, frame.reliable])).toEqual([
      [777, true],
      [250, false],
    ]);
  });

  test('goes through registers that entry code saved', () => {
    const regs: OrcRule = { ...rule(ORC_REG.SP, 16), type: UNWIND_HINT_TYPE.REGS };
    const host = machine(
      { 200: 250, 232: 9999 },
      { 100: regs, 200: rule(ORC_REG.SP, 32), 400: rule(ORC_REG.SP, 8) },
      {
        readRegs: (addr, partial) =>
          addr === STACK + 16 && !partial ? { ip: a(400), sp: a(STACK + 200), bp: a(5) } : undefined,
      },
    );
    const frames = [...unwind({ ip: a(110), sp: a(STACK), bp: a(0) }, host)];
    expect(ips(frames)).toEqual([110, 400, 250]);
    expect(frames[1]).toMatchObject({ signal: true, regs: STACK + 16 });
  });

  test('stops when the stack would not shrink, or cannot be read', () => {
    const back = machine({ 0: 150, 8: 150 }, { 100: rule(ORC_REG.SP, 0) });
    expect(ips(unwind({ ip: a(110), sp: a(STACK + 8), bp: a(0) }, back))).toEqual([110]);
    const outside = machine({}, { 100: rule(ORC_REG.SP, 4096) });
    expect(ips(unwind({ ip: a(110), sp: a(STACK), bp: a(0) }, outside))).toEqual([110]);
  });

  test('ends on any stack and any rules', () => {
    const anyRule = fc.record({
      spReg: fc.integer({ min: 0, max: 15 }),
      spOffset: fc.integer({ min: -64, max: 64 }),
      bpReg: fc.integer({ min: 0, max: 15 }),
      bpOffset: fc.integer({ min: -64, max: 64 }),
      type: fc.integer({ min: 0, max: 3 }),
      end: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 299 }), { maxLength: 32 }),
        anyRule,
        anyRule,
        (stack, one, two) => {
          const host = machine(Object.fromEntries(stack.map((word, index) => [index * 8, word])), {
            100: one,
            200: two,
          });
          expect(ips(unwind({ ip: a(110), sp: a(STACK), bp: a(STACK + 64) }, host)).length).toBeLessThan(64);
        },
      ),
      { seed: 3, numRuns: 2000 },
    );
  });
});

test('a stack scan adds the text addresses that the unwinder passes over', () => {
  const host = {
    ...machine(
      { 8: 250, 24: 333, 40: 301, 48: 5, 56: 280 },
      { 100: rule(ORC_REG.SP, 16), 200: rule(ORC_REG.SP, 32) },
    ),
    isText: (addr: GuestAddr) => addr >= 100 && addr < 400,
  };
  const lines = [...scanStack({ ip: a(110), sp: a(STACK), bp: a(0) }, a(STACK + 64), host)];
  expect(lines.map((line) => [line.ip, line.reliable])).toEqual([
    [250, true],
    [333, false],
    [301, true],
    [280, false],
  ]);
});
