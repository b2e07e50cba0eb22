import { describe, expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { GuestMemory, PROT_RW, VMALLOC } from '../memory/index.ts';
import { type BareMachine, type BareMachineOptions, bareMachine } from './bare-machine.ts';
import { RAX, RDI } from './register-file.ts';

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.trim().split(/\s+/), (b) => Number.parseInt(b, 16));
}

/** Stacks as programs and as the kernel have them. */
const STACKS = [8 << 20, 16 << 10] as const;
const STACK = asAddr(VMALLOC.start + 0x100_0000);
const NATIVE = -0x40000000 + 0x80;

interface Recursion {
  readonly name: string;
  /** rax counts the levels; rdi is how many are left; rsi has the function's address. */
  readonly code: string;
  /** Bytes of stack that a level takes, and instructions that it makes. */
  readonly stack: number;
  readonly instructions: number;
  /** Instructions of the last level. */
  readonly last: number;
  readonly options?: BareMachineOptions;
}

const CASES: readonly Recursion[] = [
  {
    // push %rbx; test %rdi,%rdi; je 1f; dec %rdi; call self; inc %rax; pop %rbx; ret; 1: xor %eax,%eax; pop; ret
    name: 'direct calls',
    code: '53 48 85 ff 74 0d 48 ff cf e8 f2 ff ff ff 48 ff c0 5b c3 31 c0 5b c3',
    stack: 16,
    instructions: 8,
    last: 6,
  },
  {
    // The same with call *%rsi.
    name: 'calls through a register',
    code: '53 48 85 ff 74 0a 48 ff cf ff d6 48 ff c0 5b c3 31 c0 5b c3',
    stack: 16,
    instructions: 8,
    last: 6,
  },
  {
    // push %rsi; ...; call *(%rsp); inc %rax; pop %rsi; ret
    name: 'calls through memory',
    code: '56 48 85 ff 74 0b 48 ff cf ff 14 24 48 ff c0 5e c3 31 c0 5e c3',
    stack: 16,
    instructions: 8,
    last: 6,
  },
  {
    // Two functions that call each other, the second by a jump: 0: test %rdi,%rdi; je 1f; dec %rdi; push %rbx; call 0x20;
    // pop %rbx; inc %rax; ret; 1: xor %eax,%eax; ret ... 0x20: jmp 0
    name: 'calls of a function that jumps on',
    code: `48 85 ff 74 0f 48 ff cf 53 e8 12 00 00 00 5b 48 ff c0 c3 cc 31 c0 c3 ${'cc '.repeat(9)} eb de`,
    stack: 16,
    instructions: 9,
    last: 4,
  },
  {
    // Through a function of ours, which has the guest's function called with what is left.
    name: 'functions of ours that call back',
    code: '53 48 85 ff 74 0d 48 ff cf e8 72 00 00 00 48 ff c0 5b c3 31 c0 5b c3',
    stack: 16,
    instructions: 8,
    last: 6,
    options: { natives: [{ addr: NATIVE, run: () => false }] },
  },
];

/** Runs the recursion on a stack of so many bytes, as deep as `levels`. */
function run(m: BareMachine, size: number, levels: number, fuel: number) {
  expect(m.call(m.text, [0, BigInt(m.text)])).toBeUndefined();
  const top = asAddr(STACK + size - 16);
  m.memory.writePtr(top, m.memory.readPtr(asAddr(m.stack - 8)));
  m.cpu.regs.rsp = top;
  m.cpu.regs.rip = m.text;
  m.cpu.regs.setU64(RDI, BigInt(levels));
  for (;;) {
    const stop = m.cpu.run(fuel);
    if (stop.kind === 'fuel') continue;
    // Left in our function: what it was to call is called, and returns to where it was called from.
    if (stop.kind === 'native' && m.cpu.regs.rip === NATIVE) m.cpu.regs.rip = m.text;
    else return stop;
  }
}

describe.each(CASES)('recursion by $name', ({ code, stack, instructions, last, options }) => {
  const memory = new GuestMemory();
  describe.each([
    ['at first', { hotAfter: Number.POSITIVE_INFINITY }, 2 ** 30],
    ['hot', { hotAfter: 2 }, 2 ** 30],
    ['hot, in slices', { hotAfter: 2 }, 1000],
    ['without checks', { checked: false, hotAfter: 2 }, 2 ** 30],
  ] as const)('%s', (_mode, how, fuel) => {
    test.each(STACKS)('returns from as many levels as a stack of %i bytes has', (size) => {
      const m = bareMachine(bytes(code), { ...options, ...how, memory });
      memory.map(STACK, size, PROT_RW);
      const levels = size / stack - 2;
      for (let i = size > 2 ** 20 ? 2 : 0; i < 4; i++) {
        const before = m.cpu.retired;
        expect(run(m, size, levels, fuel)).toEqual({ kind: 'native' });
        expect(m.cpu.regs.u64(RAX)).toBe(BigInt(levels));
        // The first call of `run` makes the last level alone.
        expect(m.cpu.retired - before).toBe(levels * instructions + 2 * last);
      }
    });
  });

  test.each(STACKS)('faults below a stack of %i bytes, and leaves the host well', (size) => {
    const m = bareMachine(bytes(code), { ...options, hotAfter: 2, memory });
    memory.unmap(asAddr(STACK - 4096), 4096);
    memory.map(STACK, size, PROT_RW);
    for (let i = 0; i < 2; i++) {
      expect(run(m, size, size, 2 ** 30)).toMatchObject({ vector: 14, errorCode: 2, address: STACK - 8 });
      expect(run(m, size, 10, 2 ** 30)).toEqual({ kind: 'native' });
    }
  });
});
