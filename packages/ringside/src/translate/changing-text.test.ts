import { describe, expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { aliasOf, MODULES, PROT_RX, VMALLOC } from '../memory/index.ts';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import { RAX } from './register-file.ts';

const PROT_WX = { write: true, execute: true };

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.trim().split(/\s+/), (b) => Number.parseInt(b, 16));
}

/** `at(0x20, '...')`: bytes at offsets, the rest `int3`. */
function code(...parts: readonly (readonly [number, string])[]): Uint8Array {
  const all = new Uint8Array(256).fill(0xcc);
  for (const [at, hex] of parts) all.set(bytes(hex), at);
  return all;
}

const TEXT = MODULES.start;

describe('text that is patched through guest memory while it runs', () => {
  /** sub $8,%rsp; call 0x80 (a function of ours); SITE (5 bytes); add $8,%rsp; ret; ... 0x40: mov $9,%eax; jmp back */
  const caller = (site: string): Uint8Array =>
    code(
      [0, `48 83 ec 08 e8 77 00 00 00 ${site} 48 83 c4 08 c3`],
      [0x40, 'b8 09 00 00 00 e9 c4 ff ff ff'],
      [0x50, 'b8 05 00 00 00 c3'],
      [0x60, 'b8 06 00 00 00 c3'],
    );
  const patched = (site: string, patch: string): BareMachine =>
    bareMachine(caller(site), {
      natives: [
        {
          addr: TEXT + 0x80,
          run: ({ memory, cpu }) => {
            cpu.regs.setU64(RAX, 1n);
            memory.writeProtect = false;
            memory.writeBytes(asAddr(TEXT + 9), bytes(patch));
            memory.writeProtect = true;
            return true;
          },
        },
      ],
    });

  test('a jump label that is switched on jumps', () => {
    const m = patched('0f 1f 44 00 00', 'e9 32 00 00 00');
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(9n);
  });

  test('a jump label that is switched off falls through', () => {
    const m = patched('e9 32 00 00 00', '0f 1f 44 00 00');
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(1n);
  });

  test('a static call that is changed calls the other function', () => {
    const m = patched('e8 42 00 00 00', 'e8 52 00 00 00');
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(6n);
  });

  test('an alternative replaces the code before it is reached', () => {
    const m = patched('b8 02 00 00 00', 'b8 03 00 00 00');
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(3n);
  });

  test('a probe (int3) raises the exception behind itself, and goes away again', () => {
    const m = patched('0f 1f 44 00 00', 'cc 1f 44 00 00');
    expect(m.call(m.text)).toMatchObject({ kind: 'exception', vector: 3 });
    expect(m.cpu.regs.rip).toBe(TEXT + 10);
  });
});

describe('code that writes code', () => {
  // 0: movb $7,0x21(%rip) -> 0x31-... ; then call 0x30; ret. The byte written is the immediate of 0x30's mov.
  const writer = code([0, 'c6 05 2a 00 00 00 07 e8 24 00 00 00 c3'], [0x30, 'b8 01 00 00 00 c3']);

  test('in pages that are writable and executable runs what it has written', () => {
    const m = bareMachine(writer);
    m.memory.protect(m.text, 4096, PROT_WX);
    m.memory.raw[(m.text + 0x31) >>> 0] = 1;
    expect(m.call(asAddr(m.text + 0x30))).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(1n);
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(7n);
    expect(m.cpu.retired).toBe(2 + 5);
  });

  test('faults in text that is not writable', () => {
    const m = bareMachine(writer);
    expect(m.call(m.text)).toMatchObject({ vector: 14, errorCode: 3, address: m.text + 0x31 });
  });

  test('with CR0.WP off writes read-only text, as root kits do', () => {
    // mov %cr0,%rdx; and $~WP,%rdx; mov %rdx,%cr0; movb ...; or WP; mov %rdx,%cr0; call 0x30; ret
    const m = bareMachine(
      code(
        [
          0,
          '0f 20 c2 48 81 e2 ff ff fe ff 0f 22 c2 c6 05 1d 00 00 00 07 48 81 ca 00 00 01 00 0f 22 c2 e8 0d 00 00 00 c3',
        ],
        [0x30, 'b8 01 00 00 00 c3'],
      ),
    );
    expect(m.call(asAddr(m.text + 0x30))).toBeUndefined();
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(7n);
    expect(m.memory.writeProtect).toBe(true);
  });

  test('changes the very next instruction', () => {
    // movb $7,1(%rip): the immediate of the mov behind it; mov $1,%eax; ret
    const m = bareMachine(bytes('c6 05 01 00 00 00 07 b8 01 00 00 00 c3'));
    m.memory.protect(m.text, 4096, PROT_WX);
    expect(m.call(m.text)).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(7n);
  });

  test('changes the loop that it is in', () => {
    // xor %eax,%eax; 1: add $1,%eax; movb $0x10,-7(%rip): the immediate above; dec %rdi; jne 1b; ret
    const m = bareMachine(bytes('31 c0 83 c0 01 c6 05 f8 ff ff ff 10 48 ff cf 75 f1 c3'));
    m.memory.protect(m.text, 4096, PROT_WX);
    expect(m.call(m.text, [3])).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(0x21n);
  });

  test('copies a function and runs the copy, and another one copied over it', () => {
    // rep movsb; jmp *%r8: RDI, RSI, RCX from the caller
    const m = bareMachine(
      code([0, 'f3 a4 41 ff e0'], [0x40, 'b8 01 00 00 00 c3'], [0x50, 'b8 02 00 00 00 c3']),
    );
    const page = asAddr(VMALLOC.start + 0x40_0000);
    m.memory.map(page, 4096, PROT_WX);
    for (const [from, value] of [
      [0x40, 1n],
      [0x50, 2n],
      [0x40, 1n],
    ] as const) {
      expect(m.call(m.text, [BigInt(page), BigInt(m.text + from), 0, 6, BigInt(page)])).toBeUndefined();
      expect(m.cpu.regs.u64(RAX)).toBe(value);
    }
  });

  test('through another view of the page runs what it has written', () => {
    // movb $7,(%rdi); call 0x30; ret
    const m = bareMachine(code([0, 'c6 07 07 e8 28 00 00 00 c3'], [0x30, 'b8 01 00 00 00 c3']));
    const view = asAddr(VMALLOC.start + 0x40_0000);
    m.memory.mapSlow(view, 4096, aliasOf(m.memory, m.text));
    expect(m.call(asAddr(m.text + 0x30))).toBeUndefined();
    expect(m.call(m.text, [BigInt(view) + 0x31n])).toBeUndefined();
    expect(m.cpu.regs.u64(RAX)).toBe(7n);
    expect(m.memory.readU8(asAddr(view + 0x31))).toBe(7);
  });

  test('is not slower elsewhere: pages that are writable alone stay fast, and so do those made so again', () => {
    const m = bareMachine(code([0, 'c6 07 07 c3']));
    const page = asAddr(VMALLOC.start + 0x40_0000);
    m.memory.map(page, 4096, PROT_WX);
    expect(m.call(m.text, [BigInt(page)])).toBeUndefined();
    const { modules } = m.cpu.translation;
    m.memory.protect(page, 4096, { write: true, execute: false });
    expect(m.call(m.text, [BigInt(page)])).toBeUndefined();
    m.memory.protect(m.text, 4096, PROT_RX);
    expect(m.cpu.translation.modules).toBe(modules);
  });
});
