import { expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { bareMachine } from './bare-machine.ts';
import { VECTOR } from './cpu.ts';
import { RAX, STATE_SLOTS } from './register-file.ts';

function code(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(' '), (b) => Number.parseInt(b, 16));
}

/** movq %rdi,%xmm0; ret; then, at 16: movq %xmm0,%rax; ret */
const MOVES = code('66 48 0f 6e c7 c3 90 90 90 90 90 90 90 90 90 90 66 48 0f 7e c0 c3');

test('vector registers belong to the state of a context that has used them, and only then', () => {
  const machine = bareMachine(MOVES);
  const { regs } = machine.cpu;
  const without = regs.save();
  expect(without.length).toBe(STATE_SLOTS);
  expect(machine.call(machine.text, [0x1234_5678n])).toBeUndefined();
  const used = regs.save();
  expect(used.length).toBeGreaterThan(STATE_SLOTS);
  regs.load(without);
  expect(machine.call(asAddr(machine.text + 16))).toBeUndefined();
  expect(regs.u64(RAX)).toBe(0n);
  expect(regs.save().length).toBe(STATE_SLOTS);
  regs.load(used);
  expect(machine.call(asAddr(machine.text + 16))).toBeUndefined();
  expect(regs.u64(RAX)).toBe(0x1234_5678n);
});

test('a misaligned operand of 16 bytes raises #GP before anything happens', () => {
  // movaps (%rdi),%xmm1; ret
  const machine = bareMachine(code('0f 28 0f c3'));
  expect(machine.call(machine.text, [BigInt(machine.heap)])).toBeUndefined();
  expect(machine.call(machine.text, [BigInt(machine.heap) + 8n])).toEqual({
    kind: 'exception',
    vector: VECTOR.GP,
    errorCode: 0,
  });
  expect(machine.cpu.regs.rip).toBe(machine.text);
});

test('a vector access into memory that is not there faults at its first byte', () => {
  // movdqu %xmm1,(%rdi); ret
  const machine = bareMachine(code('f3 0f 7f 0f c3'));
  const end = machine.heap + 0x1_0000;
  expect(machine.call(machine.text, [BigInt(end - 16)])).toBeUndefined();
  expect(machine.call(machine.text, [BigInt(end - 8)])).toMatchObject({
    kind: 'exception',
    vector: VECTOR.PF,
    address: end,
  });
});

test('fxsave stores the registers and fxrstor brings them back', () => {
  // movq %rsi,%xmm0; fxsave (%rdi); pxor %xmm0,%xmm0; fxrstor (%rdi); movq %xmm0,%rax; ret
  const machine = bareMachine(code('66 48 0f 6e c6 0f ae 07 66 0f ef c0 0f ae 0f 66 48 0f 7e c0 c3'));
  expect(machine.call(machine.text, [BigInt(machine.heap), 0x55aan])).toBeUndefined();
  expect(machine.cpu.regs.u64(RAX)).toBe(0x55aan);
  expect(machine.memory.raw[(machine.heap >>> 0) + 160]).toBe(0xaa);
  expect(machine.call(machine.text, [BigInt(machine.heap) + 8n])).toMatchObject({ vector: VECTOR.GP });
});

test('MXCSR takes every mode, but no reserved bits', () => {
  // ldmxcsr (%rdi); movq %rsi,%xmm0; addsd 8(%rdi),%xmm0; stmxcsr (%rdi); movq %xmm0,%rax; ret
  const machine = bareMachine(code('0f ae 17 66 48 0f 6e c6 f2 0f 58 47 08 0f ae 1f 66 48 0f 7e c0 c3'));
  const view = new DataView(machine.memory.raw.buffer, machine.heap >>> 0);
  const run = (mxcsr: number, a: bigint, b: bigint): [string, string] | number => {
    view.setUint32(0, mxcsr, true);
    view.setBigUint64(8, b, true);
    const stop = machine.call(machine.text, [BigInt(machine.heap), a]);
    if (stop?.kind === 'exception') return stop.vector;
    return [machine.cpu.regs.u64(0).toString(16), view.getUint32(0, true).toString(16)];
  };
  const one = 0x3ff0n << 48n;
  const small = 0x3c00n << 48n;
  expect(run(0x1f80, one, small)).toEqual(['3ff0000000000000', '1fa0']);
  expect(run(0x1fa0, one, small)).toEqual(['3ff0000000000000', '1fa0']);
  expect(run(0x1f80, one, one)).toEqual(['4000000000000000', '1f80']);
  expect(run(0x5f80, one, small)).toEqual(['3ff0000000000001', '5fa0']);
  expect(run(0x1fa0, 1n, one)).toEqual(['3ff0000000000000', '1fa2']);
  expect(run(0x1fe0, 1n, one)).toEqual(['3ff0000000000000', '1fe0']);
  expect(run(0x0f80, one, small)).toBe(VECTOR.XM);
  expect(run(0x1_1f80, one, one)).toBe(VECTOR.GP);
});

test('a masked store touches the bytes of its mask alone', () => {
  // movq %rsi,%xmm0; movq %rdx,%xmm1; maskmovdqu %xmm1,%xmm0; ret
  const machine = bareMachine(code('66 48 0f 6e c6 66 48 0f 6e ca 66 0f f7 c1 c3'));
  const at = machine.heap + 0x1_0000 - 2;
  expect(machine.call(machine.text, [BigInt(at), 0x1122_3344n, 0x8080n])).toBeUndefined();
  expect([...machine.memory.raw.subarray(at >>> 0, (at >>> 0) + 2)]).toEqual([0x44, 0x33]);
  expect(machine.call(machine.text, [BigInt(at), 0x1122_3344n, 0x80_0000n])).toMatchObject({
    vector: VECTOR.PF,
    address: at + 2,
  });
});
