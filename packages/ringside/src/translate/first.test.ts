import { describe, expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { bareMachine } from './bare-machine.ts';
import { RAX } from './register-file.ts';

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.trim().split(/\s+/), (b) => Number.parseInt(b, 16));
}

describe('a translated function', () => {
  test('returns the sum of its arguments', () => {
    // lea (%rdi,%rsi,1),%rax; ret
    const m = bareMachine(bytes('48 8d 04 37 c3'));
    expect(m.call(m.text, [40, 2])).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(42n);
    expect(m.cpu.retired).toBe(2);
  });

  test('loops, stops when its fuel is used up and goes on', () => {
    // xor %eax,%eax; 1: add %rdi,%rax; dec %rdi; jne 1b; ret
    const m = bareMachine(bytes('31 c0 48 01 f8 48 ff cf 75 f8 c3'));
    expect(m.call(m.text, [1000], 100)).toEqual({ kind: 'fuel' });
    let stops = 1;
    while (m.cpu.run(100).kind === 'fuel') stops++;
    expect(m.cpu.regs.u64(RAX)).toBe(500500n);
    expect(m.cpu.retired).toBe(2 + 3 * 1000);
    expect(stops).toBeGreaterThan(20);
  });

  test('faults precisely on a NULL pointer', () => {
    // push %rbx; mov $7,%ebx; mov (%rdi),%rax; pop %rbx; ret
    const m = bareMachine(bytes('53 bb 07 00 00 00 48 8b 07 5b c3'));
    expect(m.call(m.text, [0])).toMatchObject({ kind: 'exception', vector: 14, errorCode: 0, address: 0 });
    expect(m.cpu.regs.u64(3)).toBe(7n);
    expect(m.cpu.regs.rip).toBe(m.text + 6);
    expect(m.cpu.regs.rsp).toBe(m.stack - 16);
  });

  test('calls natives and other functions', () => {
    // call +0x10 ; add $1,%rax ; ret ... at 0x15: mov $41,%eax; ret
    const code = new Uint8Array(0x40);
    code.set(bytes('e8 10 00 00 00 48 83 c0 01 c3'), 0);
    code.set(bytes('b8 29 00 00 00 c3'), 0x15);
    const m = bareMachine(code);
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(42n);
    const native = asAddr(m.text + 0x15);
    const n = bareMachine(code, {
      natives: [
        {
          addr: native,
          run: (machine) => {
            machine.cpu.regs.setU64(RAX, 9n);
            return true;
          },
        },
      ],
    });
    expect(n.call(n.text)).toBeUndefined();
    expect(n.cpu.regs.u64(RAX)).toBe(10n);
  });
});
