import { expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import { VECTOR } from './cpu.ts';
import { RAX, RCX, RDX, SLOT_GS_BASE } from './register-file.ts';

function machineOf(hex: string): BareMachine {
  return bareMachine(Uint8Array.from(hex.trim().split(/\s+/), (b) => Number.parseInt(b, 16)));
}

function vectorOf(hex: string, ...args: (bigint | number)[]): number | undefined {
  const m = machineOf(hex);
  const stop = m.call(m.text, args);
  return stop?.kind === 'exception' ? stop.vector : undefined;
}

test('instructions of features that are not reported are invalid', () => {
  for (const hex of [
    'c5 f8 77', // vzeroupper
    'c4 e2 70 f2 c2', // andn
    '62 f1 7c 48 58 c1', // vaddps zmm
    '66 0f 38 00 c1', // pshufb
    '66 0f 3a 0f c1 03', // palignr
    '66 0f 38 dc c1', // aesenc
    '66 0f 3a 44 c1 00', // pclmulqdq
    '0f c7 f0', // rdrand
    '0f 01 d0', // xgetbv
    '0f ae 27', // xsave
    '0f 0f c1 9e', // pfadd
    '0f 01 f9', // rdtscp
  ]) {
    expect([hex, vectorOf(hex)]).toEqual([hex, VECTOR.UD]);
  }
});

test('a model-specific register that the processor does not have raises #GP', () => {
  // mov %edi,%ecx; rdmsr; ret
  expect(vectorOf('89 f9 0f 32 c3', 0x1234)).toBe(VECTOR.GP);
  expect(vectorOf('89 f9 0f 32 c3', 0xc000_0080)).toBeUndefined();
  // mov %edi,%ecx; mov %esi,%eax; xor %edx,%edx; wrmsr; ret
  expect(vectorOf('89 f9 89 f0 31 d2 0f 30 c3', 0xc000_0080, 2)).toBe(VECTOR.GP);
  expect(vectorOf('89 f9 89 f0 31 d2 0f 30 c3', 0x277, 2)).toBe(VECTOR.GP);
  expect(vectorOf('89 f9 89 f0 31 d2 0f 30 c3', 0x277, 6)).toBeUndefined();
});

test('swapgs exchanges the base with that of the model-specific register', () => {
  // mov %edi,%ecx; mov %esi,%eax; xor %edx,%edx; wrmsr; swapgs; ret
  const m = machineOf('89 f9 89 f0 31 d2 0f 30 0f 01 f8 c3');
  expect(m.call(m.text, [0xc000_0102, 0x5000])).toBeUndefined();
  expect(m.cpu.regs.u64(SLOT_GS_BASE)).toBe(0x5000n);
});

test('a far return and an interrupt return go back into the flat code segment', () => {
  // pop %rax; push $0x10; push %rax; lretq
  expect(vectorOf('58 6a 10 50 48 cb')).toBeUndefined();
  // The same with a selector without a descriptor.
  expect(vectorOf('58 6a 40 50 48 cb')).toBe(VECTOR.GP);
  // pop %rax; mov %rsp,%rcx; push $0x18; push %rcx; pushf; push $0x10; push %rax; iretq
  expect(vectorOf('58 48 89 e1 6a 18 51 9c 6a 10 50 48 cf')).toBeUndefined();
});

test('a far call pushes the selector and the return address', () => {
  // rex.W lcall *(%rdi); ret; then at 8: pop %rax; pop %rcx; push %rcx; push %rax; lretq
  const m = machineOf('48 ff 1f c3 90 90 90 90 58 59 51 50 48 cb');
  const view = new DataView(m.memory.raw.buffer, m.heap >>> 0);
  view.setBigInt64(0, BigInt(m.text + 8), true);
  view.setUint16(8, 0x10, true);
  expect(m.call(m.text, [BigInt(m.heap)])).toBeUndefined();
  expect(m.cpu.regs.u64(RCX)).toBe(0x10n);
  expect(m.cpu.regs.addr(RAX)).toBe(m.text + 3);
  view.setUint16(8, 0x18, true);
  expect(m.call(m.text, [BigInt(m.heap)])).toMatchObject({ vector: VECTOR.GP, errorCode: 0x18 });
});

test('lar and lsl tell of the flat segments', () => {
  // xor %eax,%eax; lsl %edi,%eax; lar %edi,%edx; ret
  const m = machineOf('31 c0 0f 03 c7 0f 02 d7 c3');
  expect(m.call(m.text, [0x10])).toBeUndefined();
  expect(m.cpu.regs.u32(RAX)).toBe(0xffff_ffff);
  expect(m.cpu.regs.u32(RDX)).toBe(0xaf_9b00);
  expect(m.call(m.text, [0x50])).toBeUndefined();
  expect(m.cpu.regs.u32(RAX)).toBe(0);
});

test('tables are stored as they were loaded, and operands that cannot be reached fault', () => {
  // lgdt (%rdi); sgdt 16(%rdi); ret
  const m = machineOf('0f 01 17 0f 01 47 10 c3');
  const at = m.heap >>> 0;
  m.memory.raw.set([0xff, 0, 1, 2, 3, 4, 0, 0, 0, 0], at);
  expect(m.call(m.text, [BigInt(m.heap)])).toBeUndefined();
  expect([...m.memory.raw.subarray(at + 16, at + 26)]).toEqual([0xff, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
  expect(m.call(m.text, [BigInt(asAddr(m.heap + 0x1_0000))])).toMatchObject({ vector: VECTOR.PF });
});

test('an interrupt by software stands behind its instruction', () => {
  // int $0x80
  const m = machineOf('cd 80 c3');
  expect(m.call(m.text)).toMatchObject({ kind: 'exception', vector: 0x80 });
  expect(m.cpu.regs.rip).toBe(m.text + 2);
});

test('control and debug registers take what the processor has', () => {
  expect(vectorOf('0f 22 ef c3')).toBe(VECTOR.UD); // mov %rdi,%cr5
  expect(vectorOf('0f 22 e7 c3', 0x10_0000n)).toBe(VECTOR.GP); // mov %rdi,%cr4: SMEP
  expect(vectorOf('0f 22 c7 c3', 1n)).toBe(VECTOR.GP); // mov %rdi,%cr0: without paging
  expect(vectorOf('0f 23 ff c3', 1n << 40n)).toBe(VECTOR.GP); // mov %rdi,%dr7
  // mov %rdi,%dr7; mov %dr7,%rax; ret
  const m = machineOf('0f 23 ff 0f 21 f8 c3');
  expect(m.call(m.text, [1])).toBeUndefined();
  expect(m.cpu.regs.u64(RAX)).toBe(0x401n);
});

test('ports without a device read as ones, string input stores them, counted once', () => {
  // xor %eax,%eax; in (%dx),%al; mov $3,%ecx; rep insb; ret
  const m = machineOf('31 c0 ec b9 03 00 00 00 f3 6c c3');
  const at = m.heap >>> 0;
  const before = m.cpu.retired;
  expect(m.call(m.text, [BigInt(m.heap)])).toBeUndefined();
  expect(m.cpu.regs.u64(RAX)).toBe(0xffn);
  expect([...m.memory.raw.subarray(at, at + 4)]).toEqual([0xff, 0xff, 0xff, 0]);
  expect(m.cpu.retired - before).toBe(5);
});
