import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { strerror } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { DIRECT_MAP, GuestMemory, PROT_RW } from '../../memory/index.ts';
import { writeText } from '../lib/index.ts';
import type { Routine } from '../sched/routine.ts';
import {
  destroyParams,
  dyndbgParam,
  getArray,
  INTEGER_PARAMS,
  type IntegerParam,
  type ParamServices,
  parseArgs,
  StandardParams,
  setArray,
} from './index.ts';

/** What the real kernel said to each argument string, and the parameters' values after; see modules/printf. */
interface Recorded {
  readonly module: string;
  readonly args: string;
  /** insmod's error text, which is that of the errno. */
  readonly error: string | null;
  readonly log: string[];
  readonly values: Record<string, string>;
}

function load(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'latin1'));
}
const { params: recorded } = load('./fixtures/params.json') as { params: Recorded[] };
const { layouts } = load('../lib/fixtures/printf.json') as {
  layouts: Record<string, { size: number; fields: Record<string, number> }>;
};

function layoutOf(name: string): { size: number; fields: Record<string, number> } {
  return layouts[name]!;
}

/** insmod words some errno its own way. */
const ERRNO_TEXT: Readonly<Record<number, string>> = { [-22]: 'Invalid parameters' };

type Declared =
  | {
      readonly type: IntegerParam | 'bool' | 'invbool' | 'bint' | 'charp';
      readonly initial: number | string;
      readonly unsafe?: true;
    }
  | { readonly type: 'string'; readonly size: number; readonly initial: string }
  | { readonly type: 'level' }
  | {
      readonly type: 'array';
      readonly of: 'int' | 'bool' | 'charp';
      readonly max: number;
      readonly counted: boolean;
      readonly initial: readonly (number | string)[];
    };

/** The parameters of the modules in modules/params. */
const MODULES: Readonly<Record<string, Readonly<Record<string, Declared>>>> = {
  params: {
    a_byte: { type: 'byte', initial: 1 },
    a_short: { type: 'short', initial: -2 },
    a_ushort: { type: 'ushort', initial: 3 },
    an_int: { type: 'int', initial: -4 },
    a_uint: { type: 'uint', initial: 5 },
    a_long: { type: 'long', initial: -6 },
    a_ulong: { type: 'ulong', initial: 7 },
    a_llong: { type: 'long', initial: -8 },
    a_ullong: { type: 'ullong', initial: 8 },
    a_hexint: { type: 'hexint', initial: 9 },
    a_charp: { type: 'charp', initial: 'ten' },
    a_bool: { type: 'bool', initial: 0 },
    an_invbool: { type: 'invbool', initial: 0 },
    a_bint: { type: 'bint', initial: 0 },
  },
  'params-array': {
    numbers: { type: 'array', of: 'int', max: 4, counted: true, initial: [10, 20, 30, 40] },
    switches: { type: 'array', of: 'bool', max: 3, counted: false, initial: [0, 0, 0] },
    name: { type: 'array', of: 'charp', max: 2, counted: true, initial: ['first', 'second'] },
    text: { type: 'string', size: 8, initial: 'short' },
  },
  'params-named': {
    buffer_size: { type: 'uint', initial: 64 },
    dangerous: { type: 'bool', initial: 0, unsafe: true },
    must: { type: 'int', initial: -1 },
  },
  'params-level': { level: { type: 'level' } },
};

function declaredBy(module: string): Readonly<Record<string, Declared>> {
  return MODULES[module]!;
}

/** A guest with nothing but memory and a parameter table; functions are numbers that `callInt` knows. */
class Guest {
  readonly memory = new GuestMemory();
  readonly log: string[] = [];
  readonly taints: number[] = [];
  readonly freed: GuestAddr[] = [];
  readonly services: ParamServices;
  readonly standard: StandardParams;
  readonly #functions: ((a: GuestAddr, b: GuestAddr) => number | Routine<number>)[] = [];
  #next: number = DIRECT_MAP.start;

  constructor() {
    this.memory.map(DIRECT_MAP.start, 0x4_0000, PROT_RW);
    this.services = {
      memory: this.memory,
      types: {
        struct: (name) => ({
          size: layouts[name]!.size,
          offsetOf: (path) => layouts[name]!.fields[path]!,
        }),
      },
      printk: (level, text) => this.log.push(`<${level.slice(1)}>${text.slice(0, -1)}`),
      kmalloc: (size) => this.alloc(size),
      kfree: (addr) => this.freed.push(addr),
      addTaint: (bit) => this.taints.push(bit),
      callInt: (addr, a, b) => this.#call(addr, a, b),
    };
    this.standard = new StandardParams(this.services);
  }

  *#call(addr: GuestAddr, a: number | bigint = 0, b: number | bigint = 0): Routine<number> {
    const result = this.#functions[addr - 1]!(asAddr(Number(a)), asAddr(Number(b)));
    return typeof result === 'number' ? result : yield* result;
  }

  alloc(size: number): GuestAddr {
    const addr = asAddr(this.#next);
    this.#next += (size + 7) & ~7;
    return addr;
  }

  text(text: string): GuestAddr {
    const addr = this.alloc(text.length + 1);
    writeText(this.memory, addr, text);
    return addr;
  }

  #field(struct: string, base: GuestAddr, field: string): GuestAddr {
    return asAddr(base + layouts[struct]!.fields[field]!);
  }

  #function(run: (a: GuestAddr, b: GuestAddr) => number | Routine<number>): GuestAddr {
    return asAddr(this.#functions.push(run));
  }

  #ops(type: Declared['type']): GuestAddr {
    const { standard: s, services } = this;
    const ops = this.alloc(layoutOf('kernel_param_ops').size);
    const put = (set: (val: GuestAddr, kp: GuestAddr) => number | Routine<number>, get: typeof set): void => {
      this.memory.writePtr(this.#field('kernel_param_ops', ops, 'set'), this.#function(set));
      this.memory.writePtr(this.#field('kernel_param_ops', ops, 'get'), this.#function(get));
    };
    const noArgument = type === 'bool' || type === 'bint' ? 1 : 0;
    this.memory.writeU32(this.#field('kernel_param_ops', ops, 'flags'), noArgument);
    if (type === 'bool')
      put(
        (v, kp) => s.setBool(v, kp),
        (b, kp) => s.getBool(b, kp),
      );
    else if (type === 'invbool')
      put(
        (v, kp) => s.setInvbool(v, kp),
        (b, kp) => s.getInvbool(b, kp),
      );
    else if (type === 'bint')
      put(
        (v, kp) => s.setBint(v, kp),
        (b, kp) => s.getInteger('int', b, kp),
      );
    else if (type === 'string')
      put(
        (v, kp) => s.setCopystring(v, kp),
        (b, kp) => s.getString(b, kp),
      );
    else if (type === 'level')
      put(
        (v, kp) => s.setUintMinmax(v, kp, 1, 5),
        (b, kp) => s.getInteger('uint', b, kp),
      );
    else if (type === 'array')
      put(
        (v, kp) => setArray(services, v, kp),
        (b, kp) => getArray(services, b, kp),
      );
    else if (type === 'charp') {
      put(
        (v, kp) => s.setCharp(v, kp),
        (b, kp) => s.getCharp(b, kp),
      );
      const free = this.#function((arg) => {
        s.freeCharp(arg);
        return 0;
      });
      this.memory.writePtr(this.#field('kernel_param_ops', ops, 'free'), free);
    } else
      put(
        (v, kp) => s.setInteger(type, v, kp),
        (b, kp) => s.getInteger(type, b, kp),
      );
    return ops;
  }

  /** Puts a value where a variable of this type is. */
  #init(addr: GuestAddr, type: Declared['type'], value: number | string): void {
    if (typeof value === 'string') this.memory.writePtr(addr, this.text(value));
    else if (type === 'bool' || type === 'invbool') this.memory.writeU8(addr, value);
    else {
      const size = type in INTEGER_PARAMS ? INTEGER_PARAMS[type as IntegerParam].sizeBytes : 4;
      for (let i = 0; i < size; i++)
        this.memory.writeU8(asAddr(addr + i), Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
    }
  }

  #variable(declared: Declared): GuestAddr {
    const arg = this.alloc(32);
    if (declared.type === 'level') this.#init(arg, 'uint', 2);
    else if (declared.type === 'string') {
      const buffer = this.alloc(declared.size);
      writeText(this.memory, buffer, declared.initial);
      this.memory.writeU32(this.#field('kparam_string', arg, 'maxlen'), declared.size);
      this.memory.writePtr(this.#field('kparam_string', arg, 'string'), buffer);
    } else if (declared.type === 'array') {
      const size = { int: 4, bool: 1, charp: 8 }[declared.of];
      const elements = this.alloc(size * declared.max);
      for (const [i, value] of declared.initial.entries()) {
        this.#init(asAddr(elements + i * size), declared.of, value);
      }
      const array = this.alloc(layoutOf('kparam_array').size);
      this.memory.writeU32(this.#field('kparam_array', array, 'max'), declared.max);
      this.memory.writeU32(this.#field('kparam_array', array, 'elemsize'), size);
      this.memory.writePtr(
        this.#field('kparam_array', array, 'num'),
        declared.counted ? this.alloc(4) : NULL,
      );
      this.memory.writePtr(this.#field('kparam_array', array, 'ops'), this.#ops(declared.of));
      this.memory.writePtr(this.#field('kparam_array', array, 'elem'), elements);
      return array;
    } else this.#init(arg, declared.type, declared.initial);
    return arg;
  }

  table(declared: Readonly<Record<string, Declared>>): GuestAddr {
    const { size } = layoutOf('kernel_param');
    const entries = Object.entries(declared);
    const table = this.alloc(size * entries.length);
    entries.forEach(([name, entry], i) => {
      const kp = asAddr(table + i * size);
      this.memory.writePtr(this.#field('kernel_param', kp, 'name'), this.text(name));
      this.memory.writePtr(this.#field('kernel_param', kp, 'ops'), this.#ops(entry.type));
      this.memory.writeU8(this.#field('kernel_param', kp, 'flags'), 'unsafe' in entry ? 1 : 0);
      this.memory.writeU8(this.#field('kernel_param', kp, 'level'), 0xff);
      this.memory.writePtr(this.#field('kernel_param', kp, 'arg'), this.#variable(entry));
    });
    return table;
  }

  value(table: GuestAddr, index: number): string {
    const kp = asAddr(table + index * layoutOf('kernel_param').size);
    const ops = this.memory.readPtr(this.#field('kernel_param', kp, 'ops'));
    const page = this.alloc(4096);
    const length = run(
      this.services.callInt(this.memory.readPtr(this.#field('kernel_param_ops', ops, 'get')), page, kp),
    );
    const text = this.memory.readString(page);
    expect(length).toBe(text.length);
    return text.replace(/\n+$/, '');
  }
}

/** Runs a routine that never waits. */
function run<T>(routine: Routine<T>): T {
  const step = routine.next();
  if (step.done) return step.value;
  throw new Error('the routine waits');
}

/** Only what parse_args itself says: errors, warnings, notices. */
function complaints(log: readonly string[]): string[] {
  return log.filter((line) => /^<[345]>/.test(line));
}

function parse(guest: Guest, module: string, args: string, table: GuestAddr, count: number): string | null {
  const doing = module.replaceAll('-', '_');
  const result = run(
    parseArgs(guest.services, guest.text(args), {
      doing,
      params: table,
      count,
      unknown: (param) => {
        const { isDyndbg, name } = dyndbgParam(param);
        if (param !== 'async_probe' && !isDyndbg) {
          guest.log.push(`<4>${doing}: unknown parameter '${name}' ignored`);
        }
        return 0;
      },
    }),
  );
  if (result.errno !== undefined) return ERRNO_TEXT[result.errno] ?? strerror(result.errno);
  if (result.afterDashes !== undefined) {
    guest.log.push(`<4>${doing}: parameters '${result.afterDashes}' after \`--' ignored`);
  }
  return null;
}

describe('the real kernel and ours agree on', () => {
  const cases = recorded.filter(({ module }) => MODULES[module] !== undefined);
  test('enough cases', () => expect(cases.length).toBeGreaterThan(90));

  test.each(cases.map((c) => [c.module, c.args, c] as const))('%s %j', (module, args, c) => {
    const guest = new Guest();
    const declared = declaredBy(module);
    const names = Object.keys(declared);
    const table = guest.table(declared);
    expect(parse(guest, module, args, table, names.length)).toBe(c.error);
    expect(complaints(guest.log)).toEqual(complaints(c.log));
    if (c.error !== null) return;
    const values = Object.fromEntries(names.map((name, i) => [name, guest.value(table, i)]));
    expect(values).toEqual(c.values);
  });
});

test('a dangerous option taints the kernel once for each time it is set', () => {
  const guest = new Guest();
  const table = guest.table(declaredBy('params-named'));
  parse(guest, 'params-named', 'dangerous dangerous=n must=1', table, 3);
  expect(guest.taints).toEqual([6, 6]);
});

test('the copy of a string is freed when the parameter is set again and when the module goes', () => {
  const guest = new Guest();
  const table = guest.table({ text: { type: 'charp', initial: 'own' } });
  parse(guest, 'm', 'text=one text=two', table, 1);
  expect(guest.freed).toHaveLength(1);
  run(destroyParams(guest.services, table, 1));
  expect(guest.freed).toHaveLength(2);
});

test('a string longer than 1024 characters is refused', () => {
  const guest = new Guest();
  const table = guest.table({ text: { type: 'charp', initial: 'own' } });
  expect(parse(guest, 'm', `text=${'x'.repeat(1024)}`, table, 1)).toBe(null);
  expect(parse(guest, 'm', `text=${'x'.repeat(1025)}`, table, 1)).toBe('No space left on device');
  expect(guest.log[0]).toBe('<3>text: string parameter too long');
});

test('what is on stays on for bool_enable_only', () => {
  const guest = new Guest();
  const table = guest.table({ on: { type: 'bool', initial: 0 } });
  const set = (text: string): number => guest.standard.setBoolEnableOnly(guest.text(text), table);
  expect([set('n'), set('x'), set('y'), set('n'), set('1')]).toEqual([0, -22, 0, -30, 0]);
});
