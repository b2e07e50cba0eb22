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

/** Runs made before the text changes, so that code is hot, with its callees in place. */
const WARM = 20;

describe.each([
  ['code translated at first', { hotAfter: Number.POSITIVE_INFINITY }],
  ['hot code', { hotAfter: 2 }],
  ['hot code without checks', { hotAfter: 2, checked: false }],
  ['stepped code', { stepped: true }],
] as const)('text that is patched from outside, in %s', (_name, options) => {
  /** Patches as a kernel does: through a writable view, then telling the engine. */
  const patch = (m: BareMachine, at: number, hex: string): void => {
    m.memory.writeProtect = false;
    m.memory.writeBytes(asAddr(m.text + at), bytes(hex));
    m.memory.writeProtect = true;
  };
  const result = (m: BareMachine, ...args: number[]): bigint => {
    const before = m.cpu.retired;
    expect(m.call(m.text, args)).toBeUndefined();
    counts.push(m.cpu.retired - before);
    return m.cpu.regs.u64(RAX);
  };
  let counts: number[] = [];
  const warm = (m: BareMachine, expected: bigint, ...args: number[]): void => {
    counts = [];
    for (let i = 0; i < WARM; i++) expect(result(m, ...args)).toBe(expected);
    expect(new Set(counts).size).toBe(1);
  };

  test('a jump label in a leaf that its caller calls in a loop', () => {
    // xor %eax,%eax; 2: call 0x40; dec %rdi; jne 2b; ret; 0x40: NOP5; inc %eax; ret; 0x50: add $100,%eax; ret
    const m = bareMachine(
      code(
        [0, '31 c0 e8 39 00 00 00 48 ff cf 75 f6 c3'],
        [0x40, '0f 1f 44 00 00 ff c0 c3'],
        [0x50, '83 c0 64 c3'],
      ),
      options,
    );
    warm(m, 10n, 10);
    for (let i = 0; i < 3; i++) {
      patch(m, 0x40, 'e9 0b 00 00 00');
      expect(result(m, 10)).toBe(1000n);
      patch(m, 0x40, '0f 1f 44 00 00');
      expect(result(m, 10)).toBe(10n);
    }
  });

  test('a static call, between functions that may be in place', () => {
    // sub $8,%rsp; call 0x40; add $1,%eax; add $8,%rsp; ret
    const m = bareMachine(
      code(
        [0, '48 83 ec 08 e8 37 00 00 00 83 c0 01 48 83 c4 08 c3'],
        [0x40, 'b8 05 00 00 00 c3'],
        [0x50, 'b8 07 00 00 00 c3'],
      ),
      options,
    );
    warm(m, 6n);
    patch(m, 4, 'e8 47 00 00 00');
    expect(result(m)).toBe(8n);
    warm(m, 8n);
    // What is no longer called may change without any effect, what is called has one.
    patch(m, 0x41, '09');
    expect(result(m)).toBe(8n);
    patch(m, 0x51, '09');
    expect(result(m)).toBe(10n);
    // A call becomes a no-op: the result of the function that was called is gone.
    patch(m, 4, '0f 1f 44 00 00');
    m.cpu.regs.setU64(RAX, 70n);
    expect(result(m)).toBe(71n);
  });

  test('a probe in the middle of a leaf, several calls deep, and its removal', () => {
    // Each: call the next; ret. The last: mov $3,%eax; inc %eax; ret
    const m = bareMachine(
      code(
        [0, 'e8 1b 00 00 00 ff c0 c3'],
        [0x20, 'e8 1b 00 00 00 ff c0 c3'],
        [0x40, 'e8 1b 00 00 00 ff c0 c3'],
        [0x60, 'b8 03 00 00 00 ff c0 c3'],
      ),
      options,
    );
    warm(m, 7n);
    for (let i = 0; i < 3; i++) {
      patch(m, 0x65, 'cc');
      expect(m.call(m.text)).toMatchObject({ kind: 'exception', vector: 3 });
      expect(m.cpu.regs.rip).toBe(TEXT + 0x66);
      // The frames are there as if nothing had been put in place.
      const frames = [0, 1, 2].map((k) => m.memory.readPtr(asAddr(m.cpu.regs.rsp + 8 * k)));
      expect(frames).toEqual([TEXT + 0x45, TEXT + 0x25, TEXT + 5]);
      // As a kprobe does: the instruction is made elsewhere, then it goes on.
      m.cpu.regs.setU64(RAX, 4n);
      m.cpu.regs.rip = asAddr(TEXT + 0x67);
      expect(m.cpu.run(1000)).toEqual({ kind: 'native' });
      expect(m.cpu.regs.u64(RAX)).toBe(7n);
      patch(m, 0x65, 'ff');
      expect(result(m)).toBe(7n);
    }
  });

  test('a jump over five bytes of three instructions, to a copy of them', () => {
    // 0: inc %eax (2); inc %eax (2); inc %eax (2); ret. Over the first two and half of the third.
    const m = bareMachine(
      code([0, '31 c0 ff c0 ff c0 ff c0 83 c0 10 c3'], [0x80, 'ff c0 ff c0 ff c0 83 c0 40 e9 7a ff ff ff']),
      options,
    );
    warm(m, 19n);
    patch(m, 2, 'e9 79 00 00 00');
    expect(result(m)).toBe(19n + 0x40n);
    patch(m, 2, 'ff c0 ff c0 ff');
    expect(result(m)).toBe(19n);
  });

  test('text that becomes longer, in a page of its own, by one byte at a time', () => {
    // inc %eax over and over, then ret, which moves on.
    const m = bareMachine(new Uint8Array(2 * 4096).fill(0x90), options);
    patch(m, 0, '31 c0');
    for (let i = 0; i < 40; i++) {
      patch(m, 2 + 2 * i, 'ff c0 c3');
      expect(result(m)).toBe(BigInt(i + 1));
    }
  });
});

describe.each([
  ['at first', { hotAfter: Number.POSITIVE_INFINITY }],
  ['hot', { hotAfter: 2 }],
  ['stepped', { stepped: true }],
  ['in slices', { hotAfter: 2 }],
] as const)('code that changes code around itself (%s)', (mode, options) => {
  const writable = (text: Uint8Array): BareMachine => {
    const m = bareMachine(text, options);
    m.memory.protect(m.text, 4096, PROT_WX);
    return m;
  };
  const runs = (m: BareMachine, at: number, ...args: (number | bigint)[]): bigint => {
    const fuel = mode === 'in slices' ? 1 : 2 ** 20;
    let stop = m.call(asAddr(m.text + at), args, fuel);
    while (stop?.kind === 'fuel') {
      stop = m.cpu.run(fuel);
      if (stop.kind === 'native') stop = undefined;
    }
    expect(stop).toBeUndefined();
    return m.cpu.regs.u64(RAX);
  };

  test('a leaf changes what its caller does next', () => {
    // 0: call 0x40; mov $1,%eax; ret. 0x40: mov %dil,imm of the mov above; ret
    const m = writable(code([0, 'e8 3b 00 00 00 b8 01 00 00 00 c3'], [0x40, '40 88 3d bf ff ff ff c3']));
    for (const value of [1, 1, 1, 1, 5, 6, 7, 7, 8]) expect(runs(m, 0, value)).toBe(BigInt(value));
  });

  test('a leaf changes itself, for the next call, in its caller that loops', () => {
    // 0: xor %eax,%eax; 2: call 0x40; dec %rdi; jne 2b; ret. 0x40: add $1,%eax; incb 0x42 (its own immediate); ret
    const m = writable(
      code([0, '31 c0 e8 39 00 00 00 48 ff cf 75 f6 c3'], [0x40, '83 c0 01 fe 05 f9 ff ff ff c3']),
    );
    m.memory.protect(m.text, 4096, PROT_WX);
    expect(runs(m, 0, 4)).toBe(1n + 2n + 3n + 4n);
    expect(runs(m, 0, 4)).toBe(5n + 6n + 7n + 8n);
    expect(runs(m, 0, 30)).toBe(BigInt((9 + 38) * 15));
  });

  test('a caller changes the leaf that it calls, and calls it, in a loop', () => {
    // 0: xor %eax,%eax; 2: mov %dil,imm of 0x40; call 0x40; add %ecx,%eax; dec %rdi; jne 2b; ret. 0x40: mov $9,%ecx; ret
    const m = writable(
      code(
        [0, '31 c0 40 88 3d 38 00 00 00 e8 32 00 00 00 01 c8 48 ff cf 75 ed c3'],
        [0x40, 'b9 09 00 00 00 c3'],
      ),
    );
    for (const n of [3, 3, 3, 3, 60]) expect(runs(m, 0, n)).toBe(BigInt((n * (n + 1)) / 2));
  });

  test('a leaf three calls deep takes its own callers away', () => {
    // 0, 0x20, 0x40: call the next; add; ret. 0x60 overwrites the add of 0x20 (ff c0) by two bytes of %di; ret
    const m = writable(
      code(
        [0, '31 c0 e8 19 00 00 00 ff c0 c3'],
        [0x20, 'e8 1b 00 00 00 ff c0 c3'],
        [0x40, 'e8 1b 00 00 00 ff c0 c3'],
        [0x60, '66 89 3d be ff ff ff c3'],
      ),
    );
    for (let i = 0; i < 6; i++) expect(runs(m, 0, 0xc0ff)).toBe(3n);
    // dec %eax; nop
    expect(runs(m, 0, 0xc8ff)).toBe(1n);
    expect(runs(m, 0, 0x9090)).toBe(2n);
    expect(runs(m, 0, 0xc0ff)).toBe(3n);
  });

  test('rep stosb writes the text behind itself', () => {
    // mov $8,%ecx; mov $0x90,%al; lea behind(%rip),%rdi; rep stosb; behind: four times ud2; mov $6,%eax; ret
    const m = writable(
      bytes('b9 08 00 00 00 b0 90 48 8d 3d 02 00 00 00 f3 aa 0f 0b 0f 0b 0f 0b 0f 0b b8 06 00 00 00 c3'),
    );
    for (let i = 0; i < 4; i++) {
      expect(runs(m, 0)).toBe(6n);
      m.memory.raw.set(bytes('0f 0b 0f 0b 0f 0b 0f 0b'), (m.text + 16) >>> 0);
      m.cpu.invalidate(asAddr(m.text + 16), 8);
    }
  });

  test('a push writes text, where the stack is text', () => {
    // mov %rsp,%rbx; lea 0x48(%rip)->0x50,%rsp; push %rdi (over 0x48); mov %rbx,%rsp; jmp 0x48
    const m = writable(
      code([0, '48 89 e3 48 8d 25 46 00 00 00 57 48 89 dc eb 38'], [0x48, 'b8 01 00 00 00 c3 90 90']),
    );
    const to = (n: number): bigint => 0x9090_c300_0000_00b8n | (BigInt(n) << 8n);
    for (const n of [1, 1, 1, 2, 3, 3, 200]) expect(runs(m, 0, to(n))).toBe(BigInt(n));
  });
});
