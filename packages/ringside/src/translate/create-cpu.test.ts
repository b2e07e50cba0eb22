import { describe, expect, test } from 'vitest';
import { asAddr, UnsupportedError } from '../bytes/index.ts';
import { DIRECT_MAP, POISON, PROT_RO, PROT_RW, PROT_RX, VMALLOC } from '../memory/index.ts';
import { printInstruction } from '../x86/index.ts';
import { bareMachine } from './bare-machine.ts';
import { RAX, RBX, RCX, RDI, RSI, SLOT_RFLAGS } from './register-file.ts';
import type { SystemInstructions } from './system-instructions.ts';

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

describe('a memory access', () => {
  // mov (%rdi),%rax; mov 8(%rdi),%rcx; ret
  const twoLoads = bytes('48 8b 07 48 8b 4f 08 c3');

  test('of poisoned bytes is reported before it is made, and can be made', () => {
    const m = bareMachine(bytes('48 8b 07 48 89 46 08 c3'));
    m.memory.poison(asAddr(m.heap + 64), 8, POISON.slabFreed);
    m.memory.writeU64(m.heap, 5n);
    expect(m.call(m.text, [BigInt(m.heap), BigInt(m.heap) + 56n])).toEqual({
      kind: 'poison',
      address: m.heap + 64,
      accessSize: 8,
      access: 'write',
    });
    expect(m.cpu.regs.rip).toBe(m.text + 3);
    expect(m.cpu.stepUnchecked()).toBeUndefined();
    expect(m.cpu.regs.rip).toBe(m.text + 7);
    expect(m.memory.view.getBigUint64((m.heap + 64) >>> 0, true)).toBe(5n);
    expect(m.cpu.run(100)).toEqual({ kind: 'native' });
    expect(m.cpu.retired).toBe(3);
  });

  test('behind the end of an object is found although accesses share a check', () => {
    const m = bareMachine(twoLoads);
    m.memory.unpoison(m.heap, 12);
    m.memory.poison(asAddr(m.heap + 16), 16, POISON.slabRedzone);
    expect(m.call(m.text, [BigInt(m.heap)])).toMatchObject({
      kind: 'poison',
      address: m.heap + 8,
      accessSize: 8,
    });
    expect(m.cpu.regs.rip).toBe(m.text + 3);
    m.memory.unpoison(m.heap, 16);
    expect(m.call(m.text, [BigInt(m.heap)])).toBeUndefined();
    expect(m.call(m.text, [BigInt(m.heap) + 4n])).toMatchObject({ kind: 'poison', address: m.heap + 12 });
  });

  test('of a read-only page faults on writing only', () => {
    const m = bareMachine(bytes('48 8b 07 48 89 07 c3'));
    const page = asAddr(DIRECT_MAP.start + 0x20_0000);
    m.memory.map(page, 4096, PROT_RO);
    expect(m.call(m.text, [BigInt(page)])).toEqual({
      kind: 'exception',
      vector: 14,
      errorCode: 3,
      address: page,
      accessSize: 8,
    });
    expect(m.cpu.regs.rip).toBe(m.text + 3);
  });

  test('across the end of a mapping faults at the first byte beyond it', () => {
    const m = bareMachine(twoLoads);
    const end = m.heap + 0x1_0000;
    expect(m.call(m.text, [BigInt(end - 4)])).toMatchObject({ vector: 14, errorCode: 0, address: end });
  });

  test('through a pointer that is not canonical is a general protection fault, or one of the stack', () => {
    const m = bareMachine(twoLoads);
    expect(m.call(m.text, [0xdead_0000_0000_0100n])).toMatchObject({ vector: 13, errorCode: 0 });
    const s = bareMachine(bytes('48 89 fd 48 8b 45 00 c3'));
    expect(s.call(s.text, [0xdead_0000_0000_0100n])).toMatchObject({ vector: 12, errorCode: 0 });
  });

  test('of a slow page is completed by its owner', () => {
    const m = bareMachine(bytes('8b 07 89 46 04 c3'));
    const page = asAddr(DIRECT_MAP.start + 0x20_0000);
    const written: [number, number, bigint][] = [];
    m.memory.mapSlow(page, 4096, {
      read: (offset, size) => BigInt(offset * 16 + size),
      write: (offset, size, value) => written.push([offset, size, value]),
    });
    expect(m.call(m.text, [BigInt(page) + 8n, BigInt(page) + 32n])).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(0x84n);
    expect(written).toEqual([[36, 4, 0x84n]]);
    expect(m.cpu.retired).toBe(3);
  });
});

describe('control flow', () => {
  test('deep recursion unwinds the host and goes on', () => {
    // push %rbx; test %rdi,%rdi; je 1f; dec %rdi; call self; inc %rax; pop %rbx; ret; 1: xor %eax,%eax; pop; ret
    const m = bareMachine(bytes('53 48 85 ff 74 0d 48 ff cf e8 f2 ff ff ff 48 ff c0 5b c3 31 c0 5b c3'));
    expect(m.call(m.text, [3000])).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(3000n);
    expect(m.cpu.retired).toBe(3000 * 8 + 6);
  });

  test('recursion as deep as an 8 MiB stack allows returns, and one level more than there is faults', () => {
    // as above: 16 bytes of stack a level
    const code = bytes('53 48 85 ff 74 0d 48 ff cf e8 f2 ff ff ff 48 ff c0 5b c3 31 c0 5b c3');
    for (const [size, levels] of [
      [8 << 20, (8 << 20) / 16 - 2],
      [16 << 10, (16 << 10) / 16 - 2],
    ] as const) {
      const m = bareMachine(code);
      const stack = asAddr(VMALLOC.start + 0x100_0000);
      m.memory.map(stack, size, PROT_RW);
      const begin = (n: number) => {
        expect(m.call(m.text, [n], 1)).toEqual({ kind: 'fuel' });
        // From the first backward look at the fuel on, on the other stack.
        m.cpu.regs.rip = m.text;
        m.cpu.regs.setU64(RDI, BigInt(n));
        const top = asAddr(stack + size - 16);
        m.memory.writePtr(top, m.memory.readPtr(asAddr(m.stack - 8)));
        m.cpu.regs.rsp = top;
        return m.cpu.run(2 ** 30);
      };
      expect(begin(levels)).toEqual({ kind: 'native' });
      expect(m.cpu.regs.u64(RAX)).toBe(BigInt(levels));
      expect(begin(levels + 1)).toMatchObject({
        kind: 'exception',
        vector: 14,
        errorCode: 2,
        address: stack - 8,
      });
    }
  });

  test('recursion without end uses up its fuel, or the stack, never the host', () => {
    const m = bareMachine(bytes('48 83 c4 08 e8 f7 ff ff ff'));
    expect(m.call(m.text, [], 5_000_000)).toEqual({ kind: 'fuel' });
    const s = bareMachine(bytes('e8 fb ff ff ff'));
    expect(s.call(s.text)).toMatchObject({ kind: 'exception', vector: 14, errorCode: 2 });
  });

  test('a native that leaves is resumed behind its call', () => {
    const code = bytes('bb 05 00 00 00 e8 16 00 00 00 48 01 d8 c3');
    const m = bareMachine(Uint8Array.from([...code, ...new Array(64).fill(0xcc)]), {
      natives: [{ addr: asAddr(-0x40000000 + 0x20), run: () => false }],
    });
    expect(m.call(m.text)).toEqual({ kind: 'native' });
    expect(m.cpu.regs.rip).toBe(m.text + 0x20);
    expect(m.memory.readPtr(m.cpu.regs.rsp)).toBe(m.text + 10);
    m.cpu.regs.rip = asAddr(m.text + 10);
    m.cpu.regs.rsp = asAddr(m.cpu.regs.rsp + 8);
    m.cpu.regs.setU64(RAX, 37n);
    expect(m.cpu.run(100)).toEqual({ kind: 'native' });
    expect(m.cpu.regs.u64(RAX)).toBe(42n);
    expect(m.cpu.regs.u64(RBX)).toBe(5n);
  });

  test('calls through pointers reach functions and natives, and fault where there is nothing', () => {
    // sub $8,%rsp; call *%rdi; add $8,%rsp; ret ... at 0x20: mov $3,%eax; ret
    const code = new Uint8Array(64).fill(0xcc);
    code.set(bytes('48 83 ec 08 ff d7 48 83 c4 08 c3'));
    code.set(bytes('b8 03 00 00 00 c3'), 0x20);
    const native = asAddr(-0x40000000 + 0x30);
    const m = bareMachine(code, {
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
    for (let i = 0; i < 2; i++) {
      expect(m.call(m.text, [BigInt(m.text + 0x20)])).toBeUndefined();
      expect(m.cpu.regs.u64(RAX)).toBe(3n);
      expect(m.call(m.text, [BigInt(native)])).toBeUndefined();
      expect(m.cpu.regs.u64(RAX)).toBe(9n);
    }
    expect(m.call(m.text, [0])).toMatchObject({ vector: 14, errorCode: 0x10, address: 0 });
    expect(m.cpu.regs.rip).toBe(0);
    expect(m.memory.readPtr(m.cpu.regs.rsp)).toBe(m.text + 6);
    expect(m.call(m.text, [BigInt(m.heap)])).toMatchObject({ vector: 14, errorCode: 0x11, address: m.heap });
  });

  test('changed text runs changed', () => {
    const m = bareMachine(bytes('b8 01 00 00 00 c3'));
    expect(m.call(m.text)).toBeUndefined();
    m.memory.protect(m.text, 4096, PROT_RW);
    m.memory.writeU8(asAddr(m.text + 1), 2);
    m.memory.protect(m.text, 4096, PROT_RX);
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(2n);
  });

  test('text that changes below running code is seen when the native returns', () => {
    // sub $8,%rsp; call +0x40; mov $1,%eax; add $8,%rsp; ret
    const code = new Uint8Array(128).fill(0xcc);
    code.set(bytes('48 83 ec 08 e8 37 00 00 00 b8 01 00 00 00 48 83 c4 08 c3'));
    const m = bareMachine(code, {
      natives: [
        {
          addr: asAddr(-0x40000000 + 0x40),
          run: (machine) => {
            machine.memory.raw[(machine.text + 10) >>> 0] = 7;
            machine.cpu.invalidate(asAddr(machine.text + 10), 1);
            return true;
          },
        },
      ],
    });
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(7n);
  });
});

describe('string instructions', () => {
  test('leave the state of the last whole round when they fault', () => {
    // rep stosb; ret
    const m = bareMachine(bytes('f3 aa c3'));
    m.cpu.regs.setU64(RCX, 100n);
    const end = m.heap + 0x1_0000;
    expect(m.call(m.text, [BigInt(end - 10)])).toMatchObject({ vector: 14, errorCode: 2, address: end });
    expect(m.cpu.regs.u64(RCX)).toBe(90n);
    expect(m.cpu.regs.addr(RDI)).toBe(end);
    expect(m.cpu.regs.rip).toBe(m.text);
  });

  test('compare until they differ', () => {
    // repe cmpsb; sete %al; ret
    const m = bareMachine(bytes('f3 a6 0f 94 c0 c3'));
    m.memory.writeBytes(m.heap, Uint8Array.from([1, 2, 3, 4, 1, 2, 9, 4]));
    m.cpu.regs.setU64(RCX, 4n);
    expect(m.call(m.text, [BigInt(m.heap), BigInt(m.heap) + 4n])).toBeUndefined();
    expect(m.cpu.regs.u64(RCX)).toBe(1n);
    expect(m.cpu.regs.addr(RSI)).toBe(m.heap + 7);
  });
});

test('counts and results do not depend on slices', () => {
  // bubble of a loop with a call: 1: push %rdi; call 2f; pop %rdi; dec %rdi; jne 1b; ret; 2: add %rdi,%rax; ret
  const code = bytes('31 c0 57 e8 08 00 00 00 5f 48 ff cf 75 f4 c3 90 48 01 f8 c3');
  const runs = [1_000_000, 7, 1].map((slice) => {
    const m = bareMachine(code);
    let stop = m.call(m.text, [50], slice);
    for (let i = 0; stop?.kind === 'fuel' && i < 10_000; i++) {
      stop = m.cpu.run(slice);
      if (stop.kind === 'native') stop = undefined;
    }
    return [m.cpu.regs.u64(RAX), m.cpu.retired, m.cpu.regs.u64(SLOT_RFLAGS)];
  });
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]).toEqual(runs[0]);
});

test('what Ringside cannot translate is named', () => {
  const system: SystemInstructions = {
    execute: (ins) => {
      throw new UnsupportedError({ what: `instruction "${printInstruction(ins)}"` });
    },
  };
  const m = bareMachine(bytes('31 c0 0f a2 c3'), { system });
  const stop = m.call(m.text);
  expect(stop).toMatchObject({ kind: 'unsupported' });
  expect(m.cpu.regs.rip).toBe(m.text + 2);
  expect(String((stop as { error: Error }).error.message)).toContain('cpuid');
});
