import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addrFromU64, asAddr, type GuestAddr } from '../../../bytes/index.ts';
import { DIRECT_MAP, GuestMemory, PROT_RW } from '../../../memory/index.ts';
import {
  type FlagFacts,
  type FormatServices,
  flagTables,
  hexDumpLine,
  type KstrtoType,
  kstrto,
  kstrtobool,
  simpleStrtoll,
  simpleStrtoull,
  stringEscape,
  stringGetSize,
  stringUnescape,
  ValueArguments,
  vsnprintf,
  vsscanf,
  writeText,
} from '../index.ts';

/** Answers of the real kernel, recorded by modules/printf. */
interface Recording {
  readonly layouts: Record<string, { size: number; fields: Record<string, number> }>;
  readonly enums: Record<string, number>;
  readonly symbols: Record<string, { S: string; s: string; B: string }>;
  readonly dumpBytes: number[];
  readonly formats: { fmt: string; size: number; args: Argument[]; ret: number; out: string }[];
  readonly scans: { text: string; fmt: string; outputs: number; ret: number; out: string }[];
  readonly numbers: { type: string; text: string; base: number; ret: number; out: string }[];
  readonly sizes: { size: Integer; blk: Integer; units: 0 | 1; len: number; out: string }[];
  readonly escapes: { src: string; flags: number; only: string; size: number; ret: number; out: string }[];
  readonly unescapes: { src: string; flags: number; size: number; ret: number; out: string }[];
  readonly dumps: {
    len: number;
    row: number;
    group: number;
    ascii: number;
    size: number;
    ret: number;
    out: string;
  }[];
}
type Integer = number | { u64: string };
type Argument =
  | Integer
  | { str: string }
  | { bytes: number[] }
  | { symbol: string; offset: number }
  | { va: { fmt: string; args: Argument[] } }
  | { struct: string; fields: Record<string, Argument | 'self' | { text: string }> };

const recording: Recording = JSON.parse(
  readFileSync(new URL('../fixtures/printf.json', import.meta.url), 'latin1'),
);
const memory = new GuestMemory();
memory.map(DIRECT_MAP.start, 0x10_0000, PROT_RW);

function integer(value: Integer): bigint {
  return typeof value === 'number' ? BigInt(value) : BigInt(value.u64);
}

/** Puts an argument's object into guest memory, at the next free address. */
class Arena {
  #next: number = DIRECT_MAP.start;

  alloc(size: number): GuestAddr {
    const addr = asAddr(this.#next);
    this.#next += (size + 15) & ~7;
    memory.fill(addr, 0, size);
    return addr;
  }

  text(text: string): GuestAddr {
    const addr = this.alloc(text.length + 1);
    writeText(memory, addr, text);
    return addr;
  }

  value(arg: Argument): number | bigint {
    if (typeof arg === 'number') return arg;
    if ('u64' in arg) return BigInt(arg.u64);
    if ('str' in arg) return this.text(arg.str);
    if ('symbol' in arg) return symbolAddress(arg.symbol, arg.offset);
    if ('bytes' in arg) {
      const addr = this.alloc(arg.bytes.length);
      memory.writeBytes(addr, Uint8Array.from(arg.bytes));
      return addr;
    }
    if ('va' in arg) return this.#vaFormat(arg.va.fmt, arg.va.args);
    const layout = recording.layouts[arg.struct]!;
    const addr = this.alloc(layout.size);
    for (const [path, field] of Object.entries(arg.fields)) {
      const at = asAddr(addr + layout.fields[path]!);
      if (field === 'self') memory.writePtr(at, addr);
      else if (typeof field === 'object' && 'text' in field) writeText(memory, at, field.text);
      else this.#writeField(at, arg.struct, path, field);
    }
    return addr;
  }

  #writeField(at: GuestAddr, struct: string, path: string, field: Argument): void {
    const value = this.value(field);
    if (struct === 'rtc_time') memory.writeU32(at, Number(value));
    else if (path === 'bd_partno') memory.writeU8(at, Number(value));
    else if (typeof value === 'bigint') memory.writeU64(at, value);
    else memory.writePtr(at, asAddr(value));
  }

  /** A `va_format` whose first two arguments are in registers and the rest on the stack. */
  #vaFormat(fmt: string, args: Argument[]): GuestAddr {
    const values = args.map((arg) => this.value(arg));
    const saved = this.alloc(48);
    const stack = this.alloc(8 * values.length + 8);
    values.forEach((value, i) => {
      const at = asAddr(i < 2 ? saved + 32 + 8 * i : stack + 8 * (i - 2));
      if (typeof value === 'bigint') memory.writeU64(at, value);
      else memory.writePtr(at, asAddr(value));
    });
    const list = this.alloc(24);
    memory.writeU32(list, 32);
    memory.writeU32(asAddr(list + 4), 48);
    memory.writePtr(asAddr(list + 8), stack);
    memory.writePtr(asAddr(list + 16), saved);
    const { va_format: layout } = recording.layouts;
    const { fmt: fmtOffset, va: vaOffset } = layout!.fields;
    const addr = this.alloc(layout!.size);
    memory.writePtr(asAddr(addr + fmtOffset!), this.text(fmt));
    memory.writePtr(asAddr(addr + vaOffset!), list);
    return addr;
  }
}

function symbolAddress(name: string, offset: number): bigint {
  const wanted = `${name}+0x${offset.toString(16)}/`;
  const found = Object.entries(recording.symbols).find(([, { S }]) => S.startsWith(wanted));
  if (found === undefined) throw new Error(`symbol ${wanted} is not recorded`);
  return BigInt(`0x${found[0]}`);
}

const CONFIG: Record<string, string> = {
  CONFIG_HAVE_ARCH_USERFAULTFD_MINOR: 'y',
  CONFIG_MEM_SOFT_DIRTY: 'y',
  CONFIG_NODES_SHIFT: '10',
  CONFIG_LRU_GEN: 'y',
  CONFIG_NUMA_BALANCING: 'y',
  CONFIG_NR_CPUS: '8192',
};
const facts: FlagFacts = {
  findEnumValue: (name) => recording.enums[name],
  config: (name) => CONFIG[name],
};
const warnings: string[] = [];
const services: FormatServices = {
  memory,
  types: {
    struct: (name) => {
      const layout = recording.layouts[name];
      if (layout === undefined) throw new Error(`layout of ${name} is not recorded`);
      return { size: layout.size, offsetOf: (path) => layout.fields[path]! };
    },
  },
  symbol: (addr, style) => {
    const hex = BigInt.asUintN(64, BigInt(addr)).toString(16).padStart(16, '0');
    const recorded = recording.symbols[hex];
    if (recorded === undefined) throw new Error(`symbol at ${hex} is not recorded`);
    return style.backtrace ? recorded.B : style.offset ? recorded.S : recorded.s;
  },
  pointerKey: () => ({ k0: 1n, k1: 2n }),
  noHashPointers: false,
  flags: () => flagTables(facts),
  warnOnce: (_site, text) => warnings.push(text),
};

function label(text: string): string {
  return JSON.stringify(text).slice(0, 100);
}

describe('the real kernel and ours agree on', () => {
  test.each(recording.formats.map((c, i) => [i, label(c.fmt), c] as const))(
    'format %i %s',
    (_i, _label, c) => {
      const arena = new Arena();
      const out = arena.alloc(1024);
      memory.fill(out, 0xaa, 1024);
      const args = new ValueArguments(c.args.map((arg) => arena.value(arg)));
      const ret = vsnprintf(services, out, c.size, arena.text(c.fmt), args);
      const kept = memory.readBytes(out, Math.min(c.size, ret + 1));
      expect({ ret, out: String.fromCharCode(...kept) }).toEqual({ ret: c.ret, out: c.out });
      expect(memory.readU8(asAddr(out + kept.length))).toBe(0xaa);
    },
  );

  test.each(recording.scans.map((c, i) => [i, label(c.text), label(c.fmt), c] as const))(
    'scan %i of %s as %s',
    (_i, _text, _fmt, c) => {
      const arena = new Arena();
      const outputs = arena.alloc(128);
      memory.fill(outputs, 0xaa, 128);
      const args = new ValueArguments(Array.from({ length: 8 }, (_, i) => outputs + 16 * i));
      const ret = vsscanf(memory, c.text, c.fmt, args);
      const stored = String.fromCharCode(...memory.readBytes(outputs, 16 * c.outputs));
      expect({ ret, out: stored }).toEqual({ ret: c.ret, out: c.out });
    },
  );

  test.each(recording.numbers.map((c, i) => [i, c.type, label(c.text), c] as const))(
    'number %i, %s of %s',
    (_i, _type, _text, c) => {
      let value = 0n;
      let ret = 0;
      if (c.type.startsWith('simple_')) {
        const parse =
          c.type.endsWith('strtol') || c.type.endsWith('strtoll') ? simpleStrtoll : simpleStrtoull;
        const parsed = parse(c.text, c.base);
        value = parsed.value;
        ret = parsed.end;
      } else if (c.type === 'bool') {
        const parsed = kstrtobool(c.text);
        if (parsed.ok) value = parsed.value ? 1n : 0n;
        else ret = parsed.errno;
      } else {
        const parsed = kstrto(c.type as KstrtoType, c.text, c.base);
        if (parsed.ok) value = parsed.value;
        else ret = parsed.errno;
      }
      const recorded = [...c.out].reduceRight((v, byte) => (v << 8n) | BigInt(byte.charCodeAt(0)), 0n);
      expect({ ret, value: BigInt.asUintN(64, value) }).toEqual({ ret: c.ret, value: recorded });
    },
  );

  test.each(recording.sizes.map((c, i) => [i, c] as const))('size %i', (_i, c) => {
    const text = stringGetSize(integer(c.size), integer(c.blk), c.units);
    expect(text.slice(0, c.len - 1)).toBe(c.out);
  });

  test.each(recording.escapes.map((c, i) => [i, c] as const))('escape %i', (_i, c) => {
    const bytes = Uint8Array.from(c.src, (char) => char.charCodeAt(0));
    const text = stringEscape(bytes, c.flags, c.only);
    expect({ ret: text.length, out: text.slice(0, c.size) }).toEqual({ ret: c.ret, out: c.out });
  });

  test.each(recording.unescapes.map((c, i) => [i, c] as const))('unescape %i', (_i, c) => {
    const text = stringUnescape(c.src, c.size, c.flags);
    expect({ ret: text.length, out: `${text}\0` }).toEqual({ ret: c.ret, out: c.out });
  });

  test.each(recording.dumps.map((c, i) => [i, c] as const))('dump %i', (_i, c) => {
    const bytes = Uint8Array.from(recording.dumpBytes.slice(0, c.len));
    const { text, length } = hexDumpLine(bytes, c.row, c.group, c.size, c.ascii !== 0);
    expect({ ret: length, out: text === undefined ? '' : `${text}\0` }).toEqual({ ret: c.ret, out: c.out });
  });
});

test('an address is the same number in the recording and here', () => {
  expect(addrFromU64(0xffff_8880_4000_0000n)).toBe(DIRECT_MAP.start);
});
