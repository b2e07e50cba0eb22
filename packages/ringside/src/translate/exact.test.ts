import { describe, expect, test } from 'vitest';
import { DIRECT_MAP, GuestMemory, highHalfOf, MODULES, REGIONS } from '../memory/index.ts';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import { VECTOR } from './cpu.ts';

/** One memory for all machines: making it costs time. */
const MEMORY = new GuestMemory();
const SS = 12;

/** What of a pointer is damaged, and what the processor makes of its use: a page fault, or for addresses of no form #GP (stack: #SS). */
const DAMAGES = [
  { bit: 32, canonical: true },
  { bit: 46, canonical: true },
  { bit: 62, canonical: false },
] as const;

/** Instructions that use %rdi, as a pointer or (behind `mov %rdi,%rsp`) as the stack pointer. */
const USES: readonly (readonly [name: string, code: string, stack?: 'stack'])[] = [
  ['mov (%rdi),%al', '8a 07'],
  ['mov (%rdi),%rax', '48 8b 07'],
  ['mov 0x7ff0(%rdi),%rax', '48 8b 87 f0 7f 00 00'],
  ['mov (,%rdi,1),%rax', '48 8b 04 3d 00 00 00 00'],
  ['mov (%rdi,%rsi,8),%rax', '48 8b 04 f7'],
  ['mov %gs:(%rdi),%rax', '65 48 8b 07'],
  ['mov %al,(%rdi)', '88 07'],
  ['mov %rax,(%rdi)', '48 89 07'],
  ['movl $1,(%rdi)', 'c7 07 01 00 00 00'],
  ['lock incl (%rdi)', 'f0 ff 07'],
  ['cmpxchg %rsi,(%rdi)', '48 0f b1 37'],
  ['rep stosb', 'b9 08 00 00 00 f3 aa'],
  ['rep movsq', '48 89 fe b9 08 00 00 00 f3 48 a5'],
  ['movups (%rdi),%xmm0', '0f 10 07'],
  ['movups %xmm0,(%rdi)', '0f 11 07'],
  ['fxsave (%rdi)', '0f ae 07'],
  ['fldt (%rdi)', 'db 2f'],
  ['call *(%rdi)', 'ff 17'],
  ['push %rax', '48 89 fc 50', 'stack'],
  ['pop %rax', '48 89 fc 58', 'stack'],
  ['ret', '48 89 fc c3', 'stack'],
  ['call', '48 89 fc e8 00 00 00 00', 'stack'],
];

function machine(hex: string, options: { exact: boolean; hotAfter: number }): BareMachine {
  const code = Uint8Array.from(`${hex} c3`.split(' '), (b) => Number.parseInt(b, 16));
  return bareMachine(code, { ...options, memory: MEMORY });
}

/** A loop over bytes, which hot code runs as copies behind a gate: `1: mov (%rdi),%al; inc %rdi; dec %ecx; jnz 1b`. */
const LOOP = 'b9 40 00 00 00 8a 07 48 ff c7 ff c9 75 f7';

describe('a pointer whose upper half is damaged faults in exact code', () => {
  const uses = [...USES, ['a loop', LOOP] as const];
  test.each(uses.flatMap(([name, code, stack]) => DAMAGES.map((d) => ({ name, code, stack, ...d }))))(
    '$name, bit $bit',
    ({ code, stack, bit, canonical }) => {
      for (const hotAfter of [Number.POSITIVE_INFINITY, 5]) {
        const m = machine(code, { exact: true, hotAfter });
        const good = BigInt(m.heap) + 0x800n;
        m.memory.raw.fill(0, m.heap >>> 0, (m.heap >>> 0) + 0x9000);
        // So often that code which counts is hot; calls through memory and moved stacks end in other ways.
        for (let i = 0; i < 20; i++) m.call(m.text, [good, 0]);
        const before = m.memory.raw.slice(m.heap >>> 0, (m.heap >>> 0) + 0x9000);
        const bad = BigInt.asIntN(64, good ^ (1n << BigInt(bit)));
        const stop = m.call(m.text, [bad, 0]);
        const vector = canonical ? VECTOR.PF : stack === undefined ? VECTOR.GP : SS;
        expect(stop).toMatchObject({ kind: 'exception', vector });
        expect(
          m.memory.raw.subarray(m.heap >>> 0, (m.heap >>> 0) + 0x9000).every((b, i) => b === before[i]),
        ).toBe(true);
      }
    },
  );
});

test('the same pointers reach what their lower half names when code is not exact', () => {
  const m = machine('48 8b 07', { exact: false, hotAfter: 5 });
  m.memory.writeU64(m.heap, 42n);
  expect(m.call(m.text, [BigInt(m.heap) ^ (1n << 46n)])).toBeUndefined();
  expect(m.cpu.regs.u64(0)).toBe(42n);
});

test.each(DAMAGES)(
  'a call of an address whose bit $bit is damaged faults at that address',
  ({ bit, canonical }) => {
    for (const exact of [false, true]) {
      // call *%rdi
      const m = machine('ff d7', { exact, hotAfter: 5 });
      const bad = BigInt.asIntN(64, BigInt(m.text + 2) ^ (1n << BigInt(bit)));
      for (let i = 0; i < 20; i++) expect(m.call(m.text, [m.text + 2])).toBeUndefined();
      expect(m.call(m.text, [bad])).toMatchObject({ vector: canonical ? VECTOR.PF : VECTOR.GP });
    }
  },
);

test('a constant address with the upper half of another region faults in exact code', () => {
  // movabs 0xffffffff40100000,%al: the lower half is the heap's.
  const m = machine('a0 00 00 10 40 ff ff ff ff', { exact: true, hotAfter: 5 });
  expect(m.call(m.text)).toMatchObject({ kind: 'exception', vector: VECTOR.PF, address: -0xbff0_0000 });
});

test('the checked accessors of functions of ours compare the whole upper half', () => {
  const m = machine('90', { exact: false, hotAfter: 5 });
  for (const { bit } of DAMAGES) {
    const bad = Number(BigInt.asIntN(64, BigInt(m.heap) ^ (1n << BigInt(bit)))) as typeof m.heap;
    expect(() => m.memory.readU32(bad)).toThrow();
    expect(() => m.memory.writeU32(bad, 1)).toThrow();
    expect(() => m.memory.readBytes(bad, 64)).toThrow();
  }
});

test('each region has its upper half in the table, and nothing lies between them', () => {
  for (const { start, size } of REGIONS) {
    expect(highHalfOf(start >>> 0)).toBe(Math.floor(start / 2 ** 32));
    expect(highHalfOf((start + size - 1) >>> 0)).toBe(Math.floor(start / 2 ** 32));
  }
  expect(highHalfOf((DIRECT_MAP.start >>> 0) - 1)).toBe(0);
  expect(highHalfOf((MODULES.start + MODULES.size) >>> 0)).toBe(0);
});
