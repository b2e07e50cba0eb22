import { describe, expect, test } from 'vitest';
import { asAddr, type GuestAddr } from '../bytes/index.ts';
import { aliasOf, DIRECT_MAP, GuestMemory, PROT_RW, type SlowPage, VMALLOC } from '../memory/index.ts';
import { type BareMachine, bareMachine } from './bare-machine.ts';
import type { Stop } from './cpu.ts';
import { FPU_BYTES, FPU_ST, RCX, RDI, RSI, RSP, SLOT_RFLAGS } from './register-file.ts';

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.trim().split(/\s+/), (b) => Number.parseInt(b, 16));
}

const PAGE = 4096;
/** Four plain pages; and four of which the middle two are views of pages that live elsewhere, in the other order. */
const PLAIN = asAddr(VMALLOC.start + 0x100_0000);
const MIXED = asAddr(VMALLOC.start + 0x200_0000);
const OWNERS = asAddr(DIRECT_MAP.start + 0x30_0000);
const BYTES = 4 * PAGE;

/** What a device does that keeps bytes. */
class Device implements SlowPage {
  readonly bytes = new Uint8Array(2 * PAGE);
  readonly accesses: string[] = [];

  read(offset: number, size: 1 | 2 | 4 | 8): bigint {
    this.accesses.push(`read ${size} at ${offset}`);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[offset + i]!);
    return value;
  }

  write(offset: number, size: 1 | 2 | 4 | 8, value: bigint): void {
    this.accesses.push(`write ${size} at ${offset}`);
    for (let i = 0; i < size; i++) this.bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

interface Slow {
  map(machine: BareMachine): void;
  /** The bytes of the middle pages, to fill and to compare. */
  parts(machine: BareMachine): readonly [Uint8Array, Uint8Array];
}

const owner = (n: number): GuestAddr => asAddr(OWNERS + (1 - n) * 3 * PAGE);

const ALIAS = (): Slow => ({
  map: ({ memory }) => {
    for (const n of [0, 1]) {
      memory.map(owner(n), PAGE, PROT_RW);
      memory.mapSlow(asAddr(MIXED + PAGE + n * PAGE), PAGE, aliasOf(memory, owner(n)));
    }
  },
  parts: ({ memory }) => [
    memory.raw.subarray(owner(0) >>> 0, (owner(0) >>> 0) + PAGE),
    memory.raw.subarray(owner(1) >>> 0, (owner(1) >>> 0) + PAGE),
  ],
});

/** As between the kernel and a user's process: the pages live in another memory. */
const ABROAD = (): Slow => {
  const other = new GuestMemory();
  return {
    map: ({ memory }) => {
      for (const n of [0, 1]) {
        other.map(owner(n), PAGE, PROT_RW);
        memory.mapSlow(asAddr(MIXED + PAGE + n * PAGE), PAGE, aliasOf(other, owner(n)));
      }
    },
    parts: () => [
      other.raw.subarray(owner(0) >>> 0, (owner(0) >>> 0) + PAGE),
      other.raw.subarray(owner(1) >>> 0, (owner(1) >>> 0) + PAGE),
    ],
  };
};

/** A view of a view, the one page a view of a device, the other of plain memory. */
const VIEW_OF_VIEW = (): Slow => {
  const device = new Device();
  const other = new GuestMemory();
  const between = asAddr(VMALLOC.start + 0x400_0000);
  return {
    map: ({ memory }) => {
      other.map(owner(0), PAGE, PROT_RW);
      other.mapSlow(between, PAGE, aliasOf(other, owner(0)));
      other.mapSlow(asAddr(between + PAGE), 2 * PAGE, device);
      memory.mapSlow(asAddr(MIXED + PAGE), 2 * PAGE, aliasOf(other, between));
    },
    parts: () => [
      other.raw.subarray(owner(0) >>> 0, (owner(0) >>> 0) + PAGE),
      device.bytes.subarray(0, PAGE),
    ],
  };
};

const DEVICE = (): Slow => {
  const device = new Device();
  return {
    map: ({ memory }) => memory.mapSlow(asAddr(MIXED + PAGE), 2 * PAGE, device),
    parts: () => [device.bytes.subarray(0, PAGE), device.bytes.subarray(PAGE)],
  };
};

/** Instructions whose memory is at (%rdi), (%rsi) or the stack: name, code, operand bytes. */
const INSTRUCTIONS: readonly (readonly [name: string, code: string])[] = [
  ['mov (%rdi),%al', '8a 07'],
  ['mov (%rdi),%ax', '66 8b 07'],
  ['mov (%rdi),%eax', '8b 07'],
  ['mov (%rdi),%rax', '48 8b 07'],
  ['movzbl (%rdi),%ecx', '0f b6 0f'],
  ['movswq (%rdi),%rcx', '48 0f bf 0f'],
  ['movslq (%rdi),%rcx', '48 63 0f'],
  ['mov %al,(%rdi)', '88 07'],
  ['mov %ax,(%rdi)', '66 89 07'],
  ['mov %eax,(%rdi)', '89 07'],
  ['mov %rax,(%rdi)', '48 89 07'],
  ['movl $imm,(%rdi)', 'c7 07 78 56 34 12'],
  ['movnti %rax,(%rdi)', '48 0f c3 07'],
  ['add %rax,(%rdi)', '48 01 07'],
  ['adc (%rdi),%ebx', '13 1f'],
  ['subw $3,(%rdi)', '66 83 2f 03'],
  ['cmp %rax,(%rdi)', '48 39 07'],
  ['testb $1,(%rdi)', 'f6 07 01'],
  ['incl (%rdi)', 'ff 07'],
  ['negq (%rdi)', '48 f7 1f'],
  ['notb (%rdi)', 'f6 17'],
  ['shlq $5,(%rdi)', '48 c1 27 05'],
  ['rcrw %cl,(%rdi)', '66 d3 1f'],
  ['shld $7,%rax,(%rdi)', '48 0f a4 07 07'],
  ['bts $9,(%rdi)', '0f ba 2f 09'],
  ['btc %rax,(%rdi), its bit 15 bytes on', 'b8 7b 00 00 00 48 0f bb 07'],
  ['btr %rax,(%rdi), its bit 16 bytes before', '48 c7 c0 85 ff ff ff 48 0f b3 07'],
  ['lock btsq $3,(%rdi)', 'f0 48 0f ba 2f 03'],
  ['xchg %rax,(%rdi)', '48 87 07'],
  ['xchg %al,(%rdi)', '86 07'],
  ['lock xadd %rax,(%rdi)', 'f0 48 0f c1 07'],
  ['lock cmpxchg %ebx,(%rdi)', 'f0 0f b1 1f'],
  ['lock cmpxchg %ebx,(%rdi) that succeeds', '8b 07 f0 0f b1 1f'],
  ['lock cmpxchg8b (%rdi)', 'f0 0f c7 0f'],
  ['lock cmpxchg8b (%rdi) that succeeds', '8b 07 8b 57 04 f0 0f c7 0f'],
  ['lock incq (%rdi)', 'f0 48 ff 07'],
  ['setc (%rdi)', '0f 92 07'],
  ['cmovne (%rdi),%rax', '48 0f 45 07'],
  ['imul (%rdi),%rax', '48 0f af 07'],
  ['mulq (%rdi)', '48 f7 27'],
  ['divw (%rdi) of a small number', '31 d2 b8 05 00 00 00 66 83 0f 01 66 f7 37'],
  ['pushq (%rdi); popq 16(%rdi)', 'ff 37 8f 47 10'],
  ['movups (%rdi),%xmm1', '0f 10 0f'],
  ['movups %xmm1,(%rdi)', '0f 11 0f'],
  ['movdqu (%rdi),%xmm2; movdqu %xmm2,24(%rdi)', 'f3 0f 6f 17 f3 0f 7f 57 18'],
  ['movsd (%rdi),%xmm1', 'f2 0f 10 0f'],
  ['movss %xmm3,(%rdi)', 'f3 0f 11 1f'],
  ['movhps %xmm3,(%rdi)', '0f 17 1f'],
  ['movq (%rdi),%mm1; paddb (%rdi),%mm1', '0f 6f 0f 0f fc 0f'],
  ['movq %mm2,(%rdi)', '0f 7f 17'],
  ['movntq %mm2,(%rdi)', '0f e7 17'],
  ['lddqu (%rdi),%xmm4', 'f2 0f f0 27'],
  ['movsb', 'a4'],
  ['movsw', '66 a5'],
  ['movsq', '48 a5'],
  ['cmpsl', 'a7'],
  ['lodsq', '48 ad'],
  ['stosl', 'ab'],
  ['scasw', '66 af'],
  ['rep movsb', 'f3 a4'],
  ['rep movsq', 'f3 48 a5'],
  ['rep movsw, backwards', 'fd f3 66 a5 fc'],
  ['rep movsb, backwards', 'fd f3 a4 fc'],
  ['rep stosq', 'f3 48 ab'],
  ['rep stosl, backwards', 'fd f3 ab fc'],
  ['rep lodsw', 'f3 66 ad'],
  ['repe cmpsb', 'f3 a6'],
  ['repe cmpsb of the same bytes', '48 89 fe f3 a6'],
  ['repne scasb', 'f2 ae'],
  ['repe scasl, backwards', 'fd f3 af fc'],
  ['push %rax; pop %rcx', '50 59'],
  ['push %rax; push $5; pop %rcx', '50 6a 05 59'],
  ['pushf; pop %rcx', '9c 59'],
  ['push $flags; popf', '68 d5 0a 00 00 9d'],
  ['call, with its return', 'e8 02 00 00 00 eb 03 ff c0 c3'],
  ['enter $16,$0; mov %rax,-8(%rbp); leave', 'c8 10 00 00 48 89 45 f8 c9'],
  ['sub $24,%rsp; mov %rax,8(%rsp); mov 8(%rsp),%rcx', '48 83 ec 18 48 89 44 24 08 48 8b 4c 24 08'],
  ['two loads off one base', '48 8b 07 48 8b 4f 20'],
  ['two stores off one base', '48 89 07 48 89 5f 20'],
  ['a loop of loads and stores', 'b9 40 00 00 00 8a 44 0f ff 00 44 0f ff 48 ff c9 75 f3'],
];

const ALIGNED: readonly (readonly [name: string, code: string])[] = [
  ['movaps (%rdi),%xmm1', '0f 28 0f'],
  ['movdqa %xmm1,(%rdi)', '66 0f 7f 0f'],
  ['paddd (%rdi),%xmm1', '66 0f fe 0f'],
  ['mulpd (%rdi),%xmm1', '66 0f 59 0f'],
  ['movntdq %xmm1,(%rdi)', '66 0f e7 0f'],
  ['lock cmpxchg16b (%rdi)', 'f0 48 0f c7 0f'],
  ['lock cmpxchg16b (%rdi) that succeeds', '48 8b 07 48 8b 57 08 f0 48 0f c7 0f'],
];

/** In the first view, in the second, and across each edge: plain to view, view to view, view to plain. */
const OFFSETS = [
  0x1800, 0x1801, 0x2400, 0xffd, 0xff9, 0xff1, 0x1ffe, 0x1ffb, 0x1ff3, 0x2fff, 0x2ffa, 0x2ff5,
] as const;

function fill(target: Uint8Array): void {
  for (let i = 0, s = 7; i < target.length; i++) {
    s = (Math.imul(s, 1103515245) + 12345) | 0;
    target[i] = (s >>> 16) % 5 === 0 ? 0 : s >>> 16;
  }
}

describe.each([
  ['another view of memory', ALIAS],
  ['a device', DEVICE],
  ['memory of another address space', ABROAD],
  ['a view of a view', VIEW_OF_VIEW],
] as const)('%s', (_name, make) => {
  describe.each([
    ['checked', {}, 2 ** 20],
    ['stepped', { stepped: true }, 2 ** 20],
    ['in slices', {}, 1],
  ] as const)('%s', (_mode, options, slice) => {
    const slow = make();
    const all = [...INSTRUCTIONS, ...ALIGNED];
    const SPACING = 48;
    const text = new Uint8Array(all.length * SPACING).fill(0xcc);
    for (const [i, [, code]] of all.entries()) text.set(bytes(code), i * SPACING);
    const machine = bareMachine(text, options);
    const { memory, cpu } = machine;
    const { regs } = cpu;
    for (const start of [PLAIN, MIXED]) memory.map(start, BYTES, PROT_RW);
    slow.map(machine);
    const pristine = new Uint8Array(BYTES);
    fill(pristine);
    const middle = slow.parts(machine);
    const edge = (at: GuestAddr, page: number): Uint8Array =>
      memory.raw.subarray((at >>> 0) + page * PAGE, (at >>> 0) + (page + 1) * PAGE);

    /** Runs the code to its int3 with its memory in one of the areas; everything that it leaves. */
    const run = (index: number, area: GuestAddr, offset: number): string => {
      const pages =
        area === PLAIN
          ? [0, 1, 2, 3].map((page) => edge(area, page))
          : [edge(area, 0), middle[0], middle[1], edge(area, 3)];
      for (const [i, page] of pages.entries()) page.set(pristine.subarray(i * PAGE, (i + 1) * PAGE));
      for (let r = 0; r < 16; r++) regs.setU64(r, 0x8899_aabb_ccdd_eeffn - BigInt(r) * 0x0101_0103n);
      const at = area + offset;
      regs.setU64(RCX, 21n);
      regs.setAddr(RDI, at);
      regs.setAddr(RSI, at - 40);
      regs.setAddr(RSP, at + 8);
      regs.setU64(SLOT_RFLAGS, 0x203n);
      const fpu = new Uint8Array(regs.fpu.buffer, regs.fpu.byteOffset, FPU_BYTES);
      fill(fpu.subarray(FPU_ST));
      regs.rip = asAddr(machine.text + index * SPACING);
      let stop: Stop | undefined;
      for (let i = 0; stop === undefined && i < 1000; i++) {
        const now = cpu.run(slice);
        if (now.kind !== 'fuel') stop = now;
      }
      expect(stop).toMatchObject({ kind: 'exception', vector: 3 });
      const registers = Array.from({ length: 16 }, (_, r) => {
        const value = regs.addr(r);
        return value >= area && value < area + BYTES ? `+${value - area}` : regs.u64(r).toString(16);
      });
      const sum = pages.map((page) => Buffer.from(page).toString('latin1'));
      return `${registers.join(' ')} flags ${regs.u64(SLOT_RFLAGS).toString(16)} rip ${regs.rip} ${Buffer.from(fpu).toString('hex')} ${sum.join('')}`;
    };

    const compare = (index: number, offset: number): void => {
      const expected = run(index, PLAIN, offset);
      const found = run(index, MIXED, offset);
      // Not toBe: a difference would print pages of bytes.
      if (found === expected) return;
      const at = [...found].findIndex((c, i) => c !== expected[i]);
      const part = (s: string) => JSON.stringify(s.slice(Math.max(0, at - 20), at + 60));
      throw new Error(
        `${all[index]![0]} at ${offset.toString(16)}: ${part(found)}, in plain memory ${part(expected)}`,
      );
    };

    test('takes and gives the bytes that plain memory does, for every size, at every edge', () => {
      for (const index of INSTRUCTIONS.keys()) for (const offset of OFFSETS) compare(index, offset);
    });

    test('does so for operands that have to be aligned', () => {
      for (const i of ALIGNED.keys()) {
        for (const offset of [0x1800, 0x2010, 0xff0, 0x2ff0]) compare(INSTRUCTIONS.length + i, offset);
      }
    });
  });
});

test('what is written through one view is read through the others, and at home, by the next instruction', () => {
  // mov %eax,(%rdi); mov (%rsi),%ecx; inc %ecx; mov %ecx,(%rdx); mov (%rdi),%eax; add (%rsi),%eax; ret
  const m = bareMachine(bytes('89 07 8b 0e ff c1 89 0a 8b 07 03 06 c3'));
  const home = asAddr(DIRECT_MAP.start + 0x30_0000);
  const views = [asAddr(VMALLOC.start + 0x100_0000), asAddr(VMALLOC.start + 0x200_0000)] as const;
  m.memory.map(home, PAGE, PROT_RW);
  for (const view of views) m.memory.mapSlow(view, PAGE, aliasOf(m.memory, home));
  const orders = [
    [views[0], views[1], home],
    [home, views[0], views[1]],
    [views[1], home, views[0]],
    [views[0], views[0], views[0]],
  ];
  for (const [i, places] of orders.entries()) {
    const offset = [0, 13, 4092, 2][i]!;
    m.cpu.regs.setU64(0, 1000n);
    expect(
      m.call(
        m.text,
        places.map((place) => BigInt(place + offset)),
      ),
    ).toBeUndefined();
    expect(m.cpu.regs.u64(0)).toBe(2002n);
    expect(m.memory.readU32(asAddr(home + offset))).toBe(1001);
  }
});

test('each access reaches a device once, in its size', () => {
  const code = [
    ['88 07', 'write 1 at 8'],
    ['66 8b 07', 'read 2 at 8'],
    ['48 89 07', 'write 8 at 8'],
    ['01 07', 'read 4 at 8', 'write 4 at 8'],
    ['f0 0f c1 07', 'read 4 at 8', 'write 4 at 8'],
    ['8b 07 8b 47 04 89 47 0c', 'read 4 at 8', 'read 4 at 12', 'write 4 at 20'],
    ['6a 02 59 f3 ab', 'write 4 at 8', 'write 4 at 12'],
    ['0f 10 07', 'read 8 at 8', 'read 8 at 16'],
    ['ff 37 58', 'read 8 at 8'],
    ['48 85 07', 'read 8 at 8'],
  ] as const;
  const memory = new GuestMemory();
  const page = asAddr(VMALLOC.start + 0x100_0000);
  for (const options of [{}, { stepped: true }]) {
    for (const [hex, ...expected] of code) {
      const m = bareMachine(bytes(`${hex} c3`), { ...options, memory });
      const device = new Device();
      memory.unmap(page, PAGE);
      memory.mapSlow(page, PAGE, device);
      expect(m.call(m.text, [BigInt(page) + 8n]), hex).toBeUndefined();
      expect(device.accesses, hex).toEqual(expected);
    }
  }
});

test('code whose stack is in another view calls, returns and counts as on any stack', () => {
  // As in create-cpu.test.ts: recursion with a push in each level.
  const code = '53 48 85 ff 74 0d 48 ff cf e8 f2 ff ff ff 48 ff c0 5b c3 31 c0 5b c3';
  for (const slice of [2 ** 20, 5]) {
    const m = bareMachine(bytes(code));
    const home = asAddr(DIRECT_MAP.start + 0x30_0000);
    const view = asAddr(VMALLOC.start + 0x100_0000);
    m.memory.map(home, 4 * PAGE, PROT_RW);
    m.memory.mapSlow(view, 4 * PAGE, aliasOf(m.memory, home));
    expect(m.call(m.text, [0])).toBeUndefined();
    const before = m.cpu.retired;
    m.cpu.regs.setU64(RDI, 100n);
    m.memory.writePtr(asAddr(view + 4 * PAGE - 16), m.memory.readPtr(asAddr(m.stack - 8)));
    m.cpu.regs.rsp = asAddr(view + 4 * PAGE - 16);
    m.cpu.regs.rip = m.text;
    let stop = m.cpu.run(slice);
    while (stop.kind === 'fuel') stop = m.cpu.run(slice);
    expect(stop).toEqual({ kind: 'native' });
    expect(m.cpu.regs.u64(0)).toBe(100n);
    expect(m.cpu.retired - before).toBe(100 * 8 + 6);
    // The last level's return address, at home.
    expect(m.memory.readPtr(asAddr(home + 4 * PAGE - 16 - 16 * 100))).toBe(m.text + 14);
  }
});

describe('a page that lives in another address space', () => {
  const home = asAddr(DIRECT_MAP.start + 0x30_0000);
  const view = asAddr(VMALLOC.start + 0x100_0000);
  // lock add %rsi,(%rdi); mov (%rdi),%rax; ret
  const code = bytes('f0 48 01 37 48 8b 07 c3');

  test.each([{}, { stepped: true }, { hotAfter: 1 }])(
    'is the same for the code of both and for functions of ours, access by access: %o',
    (options) => {
      const user = bareMachine(code, options);
      const kernel = bareMachine(code, options);
      user.memory.map(home, 2 * PAGE, PROT_RW);
      kernel.memory.mapSlow(view, 2 * PAGE, aliasOf(user.memory, home));
      for (let i = 0; i < 40; i++) {
        // In the page, across its end, and at its last bytes.
        const offset = [0, PAGE - 3, 2 * PAGE - 8][i % 3]!;
        const before = kernel.memory.readU64(asAddr(view + offset));
        expect(before).toBe(user.memory.readU64(asAddr(home + offset)));
        const [by, at] = i % 2 === 0 ? ([user, home] as const) : ([kernel, view] as const);
        expect(by.call(by.text, [BigInt(at + offset), 0x0123_4567_89ab_cdefn])).toBeUndefined();
        const sum = BigInt.asUintN(64, before + 0x0123_4567_89ab_cdefn);
        expect(by.cpu.regs.u64(0)).toBe(sum);
        expect(kernel.memory.readU64(asAddr(view + offset))).toBe(sum);
        kernel.memory.writeU32(asAddr(view + offset + 1), i);
        expect(user.memory.readU32(asAddr(home + offset + 1))).toBe(i);
      }
      const image = Uint8Array.from({ length: PAGE + 9 }, (_, i) => i);
      kernel.memory.writeBytes(asAddr(view + 5), image);
      expect(user.memory.readBytes(asAddr(home + 5), image.length)).toEqual(image);
      user.memory.fill(asAddr(home + PAGE - 2), 0x5a, 4);
      expect(kernel.memory.readU32(asAddr(view + PAGE - 2))).toBe(0x5a5a5a5a);
    },
  );

  test('is not the memory with the same address', () => {
    const user = bareMachine(code);
    const kernel = bareMachine(code);
    user.memory.map(home, PAGE, PROT_RW);
    kernel.memory.map(home, PAGE, PROT_RW);
    kernel.memory.mapSlow(view, PAGE, aliasOf(user.memory, home));
    kernel.memory.writeU64(home, 7n);
    expect(kernel.call(kernel.text, [BigInt(view), 5])).toBeUndefined();
    expect([user.memory.readU64(home), kernel.memory.readU64(home)]).toEqual([5n, 7n]);
  });

  test('is text there whose translations are dropped when it is written through the view', () => {
    const user = bareMachine(bytes('b8 01 00 00 00 c3'));
    const kernel = bareMachine(bytes('89 37 c3'));
    kernel.memory.mapSlow(view, PAGE, aliasOf(user.memory, user.text));
    for (const value of [2, 3, 0x1234_5678]) {
      expect(user.call(user.text)).toBeUndefined();
      expect(kernel.call(kernel.text, [BigInt(view + 1), value])).toBeUndefined();
      expect(user.call(user.text)).toBeUndefined();
      expect(user.cpu.regs.u64(0)).toBe(BigInt(value));
    }
  });

  test('faults in each space as that space has it', () => {
    const user = bareMachine(code);
    const kernel = bareMachine(code);
    user.memory.map(home, PAGE, PROT_RW);
    kernel.memory.mapSlow(view, PAGE, aliasOf(user.memory, home));
    user.memory.protect(home, PAGE, { write: false, execute: false });
    expect(user.call(user.text, [BigInt(home), 5])).toMatchObject({ vector: 14, errorCode: 3 });
    expect(kernel.call(kernel.text, [BigInt(view), 5])).toBeUndefined();
    kernel.memory.unmap(view, PAGE);
    expect(kernel.call(kernel.text, [BigInt(view), 5])).toMatchObject({ vector: 14, errorCode: 2 });
    expect(user.memory.readU64(home)).toBe(5n);
  });
});
