import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EX_TYPE } from '../../abi/index.ts';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { PROT_RO, PROT_RW, VMALLOC } from '../../memory/index.ts';
import { RAX, RCX, RDI, RDX, RSI } from '../../translate/index.ts';
import { inTask, smallMachine } from '../kernel.fixture.ts';
import { call } from '../sched/routine.ts';

const file = readFileSync(new URL('../../../../../modules/hello/hello.ko', import.meta.url));
const PAGE = 4096;
/** Two pages, the first for everything and the second one missing; and one that is read-only. */
const GOOD = asAddr(VMALLOC.start + 0x1f00_0000);
const READ_ONLY = asAddr(GOOD + 0x10_000);
const NEXT = GOOD + PAGE;
const EFAULT = -14;

function bytes(hex: string): number[] {
  return hex.split(' ').map((byte) => Number.parseInt(byte, 16));
}

interface Code {
  /** Calls the code and gives what the registers hold behind it. */
  run(...args: (number | bigint)[]): Promise<Record<'rax' | 'rcx' | 'rdx' | 'rsi' | 'rdi', bigint>>;
  readonly memory: Awaited<ReturnType<typeof smallMachine>>['machine']['kernel']['memory'];
  oopses(): number;
}

/**
 * A machine with a module that has this code in its text, and an entry in its exception table: the instruction at `at` has the
 * fixup at `fixup`, offsets in the code.
 */
async function codeOf(hex: string, at: number, fixup: number, data: number, checked = true): Promise<Code> {
  const { machine } = await smallMachine({ checked });
  const { kernel } = machine;
  const { memory } = kernel;
  expect(await machine.insmod(file)).toEqual({ kind: 'returned', value: 0 });
  const module = [...kernel.modules.list()][0]!;
  // Behind the module's own text, in the same page.
  const start = asAddr(module.layout('core').base + 0x800);
  const table = asAddr(start + 0x200);
  memory.raw.set(bytes(hex), start >>> 0);
  const put = (offset: number, value: number): void => {
    memory.view.setInt32((table >>> 0) + offset, value, true);
  };
  put(0, start + at - table);
  put(4, start + fixup - (table + 4));
  put(8, data);
  kernel.cpu.invalidate(start, PAGE / 4);
  module.setPtr('extable', table);
  module.setU32('num_exentries', 1);
  memory.map(GOOD, PAGE, PROT_RW);
  memory.map(READ_ONLY, PAGE, PROT_RO);
  return {
    memory,
    oopses: () => kernel.oopsCount,
    run: async (...args) => {
      let seen: bigint[] = [];
      await inTask(machine, function* () {
        yield* call(start as GuestAddr, ...args);
        seen = [RAX, RCX, RDX, RSI, RDI].map((r) => kernel.cpu.regs.u64(r));
      });
      expect(seen, 'the code returns').toHaveLength(5);
      const [rax, rcx, rdx, rsi, rdi] = seen as [bigint, bigint, bigint, bigint, bigint];
      return { rax, rcx, rdx, rsi, rdi };
    },
  };
}

const unsigned = (value: number): bigint => BigInt.asUintN(64, BigInt(value));
const BAD = 0xdead_0000_0000_0100n;
const { EX_TYPE_DEFAULT, EX_TYPE_FAULT, EX_TYPE_UACCESS, EX_TYPE_UCOPY_LEN8, EX_TYPE_EFAULT_REG } = EX_TYPE;

test('a division with a fixup goes on there when it is by zero, also where nothing is checked', async () => {
  for (const checked of [true, false]) {
    // mov $7,%eax; xor %edx,%edx; div %rdi; ret; fixup: mov $-14,%rax; ret
    const hex = 'b8 07 00 00 00 31 d2 48 f7 f7 c3 48 c7 c0 f2 ff ff ff c3';
    const code = await codeOf(hex, 7, 11, EX_TYPE_DEFAULT, checked);
    expect(await code.run(2)).toMatchObject({ rax: 3n, rdx: 1n });
    expect(await code.run(0)).toMatchObject({ rax: unsigned(EFAULT), rdx: 0n });
    expect(code.oopses()).toBe(0);
  }
});

describe('an instruction with a fixup', () => {
  test('goes on there when its load fails, with all registers as they were', async () => {
    // mov %rdi,%rax; mov (%rdi),%rax; ret; fixup: mov %rax,%rdx; mov $-14,%rax; ret
    const code = await codeOf('48 89 f8 48 8b 07 c3 48 89 c2 48 c7 c0 f2 ff ff ff c3', 3, 7, EX_TYPE_UACCESS);
    code.memory.writeU64(GOOD, 77n);
    expect((await code.run(GOOD)).rax).toBe(77n);
    for (const bad of [0n, 0x7fff_0000_1000n, unsigned(NEXT), unsigned(NEXT - 3), BAD]) {
      expect(await code.run(bad)).toMatchObject({ rax: unsigned(EFAULT), rdx: bad, rdi: bad });
    }
    expect((await code.run(GOOD)).rax).toBe(77n);
    expect(code.oopses()).toBe(0);
  });

  test('goes on there when its store fails, and has stored nothing', async () => {
    // xor %eax,%eax; mov %rsi,(%rdi); ret; fixup: ret
    const code = await codeOf('31 c0 48 89 37 c3 c3', 2, 6, EX_TYPE_EFAULT_REG);
    expect((await code.run(GOOD, 5)).rax).toBe(0n);
    expect(code.memory.readU64(GOOD)).toBe(5n);
    code.memory.writeU64(asAddr(NEXT - 8), 0x1111n);
    for (const bad of [0n, unsigned(READ_ONLY), unsigned(NEXT - 3), unsigned(NEXT), BAD]) {
      expect((await code.run(bad, -1)).rax).toBe(unsigned(EFAULT));
    }
    expect(code.memory.readU64(asAddr(NEXT - 8))).toBe(0x1111n);
    expect(code.memory.readU64(READ_ONLY)).toBe(0n);
  });

  test('is told the vector, where the entry asks for it', async () => {
    // lock cmpxchg %rsi,(%rdi); mov $0,%eax; ret; fixup: ret
    const code = await codeOf('f0 48 0f b1 37 b8 00 00 00 00 c3 c3', 0, 11, EX_TYPE_FAULT);
    expect((await code.run(GOOD, 5)).rax).toBe(0n);
    expect((await code.run(READ_ONLY, 5)).rax).toBe(14n);
    expect((await code.run(BAD, 5)).rax).toBe(13n);
  });

  test('has registers cleared, where the entry asks for it', async () => {
    // mov $1,%eax; mov $2,%edx; mov (%rdi),%rcx; ret; fixup: ret
    const hex = 'b8 01 00 00 00 ba 02 00 00 00 48 8b 0f c3 c3';
    for (const [flags, rax, rdx] of [
      [EX_TYPE.EX_FLAG_CLEAR_AX, 0n, 2n],
      [EX_TYPE.EX_FLAG_CLEAR_DX, 1n, 0n],
      [EX_TYPE.EX_FLAG_CLEAR_AX_DX, 0n, 0n],
    ] as const) {
      const code = await codeOf(hex, 10, 14, EX_TYPE_UACCESS | flags);
      expect(await code.run(0)).toMatchObject({ rax, rdx });
      expect(await code.run(GOOD)).toMatchObject({ rax: 1n, rdx: 2n });
    }
  });

  test.each([
    // Forwards to where the destination ends: mov %rdx,%rcx; rep movsb; xor %eax,%eax; ret; fixup: mov %rcx,%rax; ret
    ['rep movsb', '48 89 d1 f3 a4 31 c0 c3 48 89 c8 c3', 1, EX_TYPE_UACCESS, 1],
    ['rep movsq', '48 89 d1 f3 48 a5 31 c0 c3 48 89 c8 c3', 8, EX_TYPE_UACCESS, 1],
    [
      'rep movsq, its rest in bytes',
      '48 89 d1 f3 48 a5 31 c0 c3 48 89 c8 c3',
      8,
      EX_TYPE_UCOPY_LEN8 | (8 << 8),
      8,
    ],
  ])('keeps the rounds that a %s has made', async (_name, hex, size, data, unit) => {
    const code = await codeOf(hex, 3, hex.split(' ').length - 4, data);
    const from = asAddr(GOOD + 64);
    // What %r8 holds besides.
    const rest = unit > 1 ? 3 : 0;
    const source = Uint8Array.from({ length: 40 * size }, (_, i) => i + 1);
    for (const [to, done] of [
      [NEXT - 24 * size, 24],
      // The word across the end is not stored at all.
      [NEXT - 24 * size - (size >> 1), 24],
      [NEXT, 0],
    ] as const) {
      code.memory.fill(GOOD, 0, PAGE);
      code.memory.writeBytes(from, source);
      const found = await code.run(to, from, 40, 0, rest);
      expect(found.rax).toBe(BigInt((40 - done) * unit + rest));
      expect(found.rdi).toBe(unsigned(to + done * size));
      expect(found.rsi).toBe(unsigned(from + done * size));
      const stored = code.memory.readBytes(asAddr(Math.min(to, NEXT - 1)), NEXT - Math.min(to, NEXT - 1));
      expect([...stored.subarray(0, done * size)]).toEqual([...source.subarray(0, done * size)]);
      expect([...stored.subarray(done * size)].filter((byte) => byte !== 0)).toEqual([]);
    }
    // The same where the source ends.
    const found = await code.run(GOOD, NEXT - 5 * size, 40, 0, rest);
    expect(found).toMatchObject({
      rax: BigInt(35 * unit + rest),
      rdi: unsigned(GOOD + 5 * size),
      rsi: unsigned(NEXT),
    });
    expect((await code.run(GOOD, from, 4)).rax).toBe(0n);
  });

  test('keeps the rounds that a rep stosw has made backwards', async () => {
    // std; mov %rdx,%rcx; mov %esi,%eax; rep stosw; cld; ret; fixup: cld; mov %rcx,%rax; ret
    const code = await codeOf('fd 48 89 d1 89 f0 f3 66 ab fc c3 fc 48 89 c8 c3', 6, 11, EX_TYPE_UACCESS);
    const found = await code.run(GOOD + 10, 0x1234, 20);
    expect(found).toMatchObject({ rax: 14n, rdi: unsigned(GOOD - 2) });
    expect(code.memory.readU16(GOOD)).toBe(0x1234);
    expect(code.memory.readU16(asAddr(GOOD + 10))).toBe(0x1234);
    expect(code.memory.readU16(asAddr(GOOD + 12))).toBe(0);
  });

  test('in a loop goes on in the loop, also as hot code', async () => {
    // xor %eax,%eax; mov $5000,%ecx; 1: mov (%rdi),%rdx; 2: dec %ecx; jne 1b; ret; fixup: inc %eax; jmp 2b
    const code = await codeOf(
      '31 c0 b9 88 13 00 00 48 8b 17 ff c9 75 f9 c3 ff c0 eb f7',
      7,
      15,
      EX_TYPE_UACCESS,
    );
    expect(await code.run(0)).toMatchObject({ rax: 5000n, rcx: 0n });
    expect(await code.run(GOOD)).toMatchObject({ rax: 0n, rcx: 0n });
    expect(await code.run(BAD)).toMatchObject({ rax: 5000n, rcx: 0n });
    expect(code.oopses()).toBe(0);
  });
});
