import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addrToU64, asAddr, UnsupportedError } from '../../../bytes/index.ts';
import { DIRECT_MAP, GuestAccessFault, GuestMemory, PROT_RW } from '../../../memory/index.ts';
import { RCX, RegisterFile, RSI } from '../../../translate/index.ts';
import {
  type FormatServices,
  format,
  kvasprintf,
  RegisterArguments,
  siphash1u64,
  VaListArguments,
  ValueArguments,
  vscnprintf,
  vsnprintf,
  writeText,
} from '../index.ts';

const memory = new GuestMemory();
memory.map(DIRECT_MAP.start, 0x1_0000, PROT_RW);
const at = (offset: number) => asAddr(DIRECT_MAP.start + offset);

function services(changes: Partial<FormatServices> = {}): FormatServices & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    memory,
    types: { struct: () => ({ size: 16, offsetOf: (path) => (path === 'fmt' ? 0 : 8) }) },
    symbol: () => 'symbol+0x0/0x0',
    pointerKey: () => ({ k0: 1n, k1: 2n }),
    noHashPointers: false,
    flags: () => ({ gfp: [], vma: [], page: [], pageFields: [], pageFlagBits: 0 }),
    warnOnce: (_site, text) => warnings.push(text),
    warnings,
    ...changes,
  };
}

function text(fmt: string, values: (number | bigint)[], changes: Partial<FormatServices> = {}): string {
  return format(services(changes), fmt, new ValueArguments(values)).text;
}

describe('a pointer', () => {
  const pointer = addrToU64(DIRECT_MAP.start);

  test('is shown as 32 bits of a hash that depends on the key', () => {
    const one = text('%p', [pointer]);
    expect(one).toMatch(/^00000000[0-9a-f]{8}$/);
    expect(text('%p', [pointer])).toBe(one);
    expect(text('%p', [pointer], { pointerKey: () => ({ k0: 1n, k1: 3n }) })).not.toBe(one);
  });

  test('has a placeholder until the random numbers are ready', () => {
    expect(text('[%p][%20p]', [pointer, pointer], { pointerKey: () => undefined })).toBe(
      '[(____ptrval____)][(____ptrval____)]',
    );
  });

  test('is shown itself with no_hash_pointers', () => {
    expect(text('%p %pK', [pointer, pointer], { noHashPointers: true })).toBe(
      'ffff888040000000 ffff888040000000',
    );
  });

  test('is shown by %pK as kptr_restrict says', () => {
    const shown = (['show', 'hide', 'irq'] as const).map((verdict) =>
      text('%pK', [pointer], { restrictedPointer: () => verdict }),
    );
    expect(shown).toEqual(['ffff888040000000', '0000000000000000', '        pK-error']);
  });
});

test('SipHash-2-4 gives the value of its paper for eight bytes', () => {
  const key = { k0: 0x0706050403020100n, k1: 0x0f0e0d0c0b0a0908n };
  expect(siphash1u64(0x0706050403020100n, key)).toBe(0x93f5f5799a932462n);
});

describe('arguments', () => {
  test('come from the rest of the registers, then from above the return address', () => {
    const regs = new RegisterFile(memory);
    [RSI, 2, RCX, 8, 9].forEach((slot, i) => {
      regs.setU64(slot, BigInt(i + 1));
    });
    regs.rsp = at(0x1000);
    memory.writeU64(at(0x1000), 0xdeadn);
    for (const i of [6, 7, 8]) memory.writeU64(at(0x1000 + 8 * (i - 5)), BigInt(i));
    const args = new RegisterArguments(regs, memory, 1);
    expect(format(services(), '%d %ld %u %llx %d %d %ld %d', args).text).toBe('1 2 3 4 5 6 7 8');
  });

  test('of a va_list are counted only when committed', () => {
    const list = at(0x2000);
    memory.writeU32(list, 40);
    memory.writePtr(asAddr(list + 8), at(0x2100));
    memory.writePtr(asAddr(list + 16), at(0x2200));
    memory.writeU64(at(0x2200 + 40), 1n);
    memory.writeU64(at(0x2100), 2n);
    const args = new VaListArguments(memory, list);
    expect(format(services(), '%d %d', args).text).toBe('1 2');
    expect(memory.readU32(list)).toBe(40);
    args.commit();
    expect([memory.readU32(list), memory.readPtr(asAddr(list + 8))]).toEqual([48, at(0x2108)]);
  });
});

describe('warnings of the format itself', () => {
  test('name the conversion that is not supported', () => {
    const s = services();
    expect(format(s, 'a%nb', new ValueArguments([])).text).toBe('a');
    expect(s.warnings).toEqual(['Please remove unsupported %n in format string\n']);
  });

  test('tell of a width and a precision that do not fit', () => {
    const s = services();
    const { length } = format(s, '%*d', new ValueArguments([9_000_000, 1]), 10);
    expect(length).toBe(2 ** 23 - 1);
    expect(format(s, '%.*d', new ValueArguments([40_000, 1]), 10).length).toBe(2 ** 15 - 1);
    expect(s.warnings).toEqual(['field width 9000000 too large', 'precision 40000 too large']);
  });
});

test('a size above INT_MAX is refused', () => {
  writeText(memory, at(0x3000), 'text');
  const s = services();
  expect(vsnprintf(s, at(0x3100), 2 ** 31, at(0x3000), new ValueArguments([]))).toBe(0);
  expect(s.warnings).toHaveLength(1);
});

test('vscnprintf returns what was stored and kvasprintf stores all', () => {
  writeText(memory, at(0x3000), 'hello %s');
  writeText(memory, at(0x3080), 'world');
  const args = () => new ValueArguments([at(0x3080)]);
  expect(vscnprintf(services(), at(0x3100), 8, at(0x3000), args())).toBe(7);
  expect(memory.readString(at(0x3100))).toBe('hello w');
  expect(vscnprintf(services(), at(0x3100), 0, at(0x3000), args())).toBe(0);
  const sizes: number[] = [];
  const alloc = (size: number) => {
    sizes.push(size);
    return at(0x3200);
  };
  expect(memory.readString(kvasprintf(services(), alloc, at(0x3000), args()))).toBe('hello world');
  expect(sizes).toEqual([12]);
});

test('a va_format that contains itself ends in an error with a name', () => {
  const loop = at(0x4000);
  writeText(memory, at(0x4100), '%pV');
  memory.writePtr(loop, at(0x4100));
  memory.writePtr(asAddr(loop + 8), at(0x4200));
  memory.writeU32(at(0x4200), 0);
  memory.writePtr(asAddr(at(0x4200) + 16), at(0x4300));
  memory.writePtr(at(0x4300), loop);
  expect(() => text('%pV', [loop])).toThrow(UnsupportedError);
});

test('a string that is not mapped faults like the read it is', () => {
  expect(() => text('%s', [0xffff_8880_5000_0000n])).toThrow(GuestAccessFault);
});

test('no format ends in anything but text, a fault or an error with a name', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.constantFrom(
      '%',
      '*',
      '.',
      '-',
      '0',
      '5',
      'l',
      'h',
      'd',
      's',
      'x',
      'c',
      'p',
      'S',
      'I',
      '4',
      'h',
      'b',
      'V',
      't',
      'R',
    ),
  );
  const value = fc.oneof(
    fc.integer(),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constant(at(0x3000) as number),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(value, { maxLength: 8 }), (parts, values) => {
      const fmt = parts.join('').replace(/[^\0-\xff]/g, '?');
      try {
        const { text: out, length } = format(services(), fmt, new ValueArguments(values), 100);
        expect(out.length).toBe(Math.min(length, 100));
      } catch (error) {
        if (!(error instanceof GuestAccessFault || error instanceof UnsupportedError)) throw error;
      }
    }),
    { seed: 1, numRuns: 3000 },
  );
});
