import { expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { DIRECT_MAP, GuestMemory } from '../memory/index.ts';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import { VECTOR } from './cpu.ts';

/** One memory for all machines: making it costs time. */
const MEMORY = new GuestMemory();
const FUNCTIONS = 300;
/** `mov $i,%eax; add %rax,(%rsi); ret`, 16 bytes apart. */
const FUNCTION_BYTES = 16;
/** Where the function begins that calls all of them, and then loads from %rdi. */
const CALLER = FUNCTIONS * FUNCTION_BYTES;
const HEAP = asAddr(DIRECT_MAP.start + 0x10_0000);
const SUM = (FUNCTIONS * (FUNCTIONS - 1)) / 2;

function machine(options: { codeBytes?: number; checked?: boolean }): BareMachine {
  const code = new Uint8Array(CALLER + 5 * FUNCTIONS + 4);
  const view = new DataView(code.buffer);
  for (let i = 0; i < FUNCTIONS; i++) {
    code.set([0xb8, i & 0xff, i >> 8, 0, 0, 0x48, 0x01, 0x06, 0xc3], i * FUNCTION_BYTES);
    const call = CALLER + 5 * i;
    view.setUint8(call, 0xe8);
    view.setInt32(call + 1, i * FUNCTION_BYTES - (call + 5), true);
  }
  code.set([0x48, 0x8b, 0x07, 0xc3], CALLER + 5 * FUNCTIONS);
  const m = bareMachine(code, { ...options, memory: MEMORY, hotAfter: Number.POSITIVE_INFINITY });
  m.memory.writeU64(HEAP, 0n);
  return m;
}

test('no more code is kept than asked for, and what was dropped is made again', () => {
  const m = machine({ codeBytes: 16384 });
  let exits = 0;
  for (let round = 1; round <= 4; round++) {
    for (let i = 0; i < FUNCTIONS; i++) {
      expect(m.call(asAddr(m.text + i * FUNCTION_BYTES), [0, HEAP])).toBeUndefined();
      expect(m.cpu.translation.keptBytes).toBeLessThanOrEqual(16384);
    }
    expect(m.memory.readU64(HEAP)).toBe(BigInt(round * SUM));
    expect(m.cpu.translation.functions).toBeGreaterThan(FUNCTIONS * (round - 0.5));
    if (round === 1) exits = m.cpu.translation.exits;
    // Numbers are used again.
    expect(m.cpu.translation.exits).toBe(exits);
  }
});

test('code that is dropped while it is on the stack goes on, and leaves by its own exits', () => {
  for (const codeBytes of [1, 8192, 64 * 2 ** 20]) {
    const m = machine({ codeBytes });
    for (let round = 0; round < 3; round++) {
      m.memory.writeU64(HEAP, 0n);
      // No memory at address 0.
      const stop = m.call(asAddr(m.text + CALLER), [0, HEAP]);
      expect(stop).toMatchObject({ kind: 'exception', vector: VECTOR.PF, address: 0 });
      expect(m.cpu.regs.rip).toBe(m.text + CALLER + 5 * FUNCTIONS);
      expect(m.memory.readU64(HEAP)).toBe(BigInt(SUM));
      expect(m.call(asAddr(m.text + CALLER), [HEAP, HEAP])).toBeUndefined();
      expect(m.memory.readU64(HEAP)).toBe(BigInt(2 * SUM));
    }
  }
});

test('code that changes again and again takes no more numbers of exits', () => {
  const m = machine({});
  const call = (): void => void m.call(m.text, [0, HEAP]);
  call();
  m.cpu.invalidate(m.text, 1);
  call();
  const { exits } = m.cpu.translation;
  for (let i = 0; i < 50; i++) {
    m.cpu.invalidate(m.text, 1);
    call();
  }
  expect(m.cpu.translation.exits).toBe(exits);
});
