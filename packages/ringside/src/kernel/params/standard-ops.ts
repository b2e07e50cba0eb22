import { ERRNO, KERN } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { PAGE_SIZE } from '../../memory/index.ts';
import { type KstrtoType, kstrto, kstrtobool, pointerError, writeText } from '../lib/index.ts';
import type { ParamServices } from './services.ts';

const CHARP_MAX = 1024;
/** `struct kmalloced_param`: a list head before the string. */
const KMALLOCED_HEAD = 16;

/** The integer parameter types: how text is read, how many bytes are stored, how the value is shown. */
export const INTEGER_PARAMS = {
  byte: { parse: 'u8', sizeBytes: 1 },
  short: { parse: 's16', sizeBytes: 2 },
  ushort: { parse: 'u16', sizeBytes: 2 },
  int: { parse: 'int', sizeBytes: 4 },
  uint: { parse: 'uint', sizeBytes: 4 },
  long: { parse: 'l', sizeBytes: 8 },
  ulong: { parse: 'ul', sizeBytes: 8 },
  ullong: { parse: 'ull', sizeBytes: 8 },
  hexint: { parse: 'uint', sizeBytes: 4 },
} as const satisfies Record<string, { parse: KstrtoType; sizeBytes: 1 | 2 | 4 | 8 }>;

export type IntegerParam = keyof typeof INTEGER_PARAMS;

/**
 * The functions of the standard parameter types: setters take the text's address (NULL without a value) and the
 * `struct kernel_param`, and give 0 or a negative errno; getters write into a page and give the length.
 * Source: Linux 6.1 kernel/params.c.
 */
export class StandardParams {
  readonly #services: ParamServices;
  /** Strings that were copied for `charp` parameters, by the string's address: their blocks. */
  readonly #strings = new Map<GuestAddr, GuestAddr>();

  constructor(services: ParamServices) {
    this.#services = services;
  }

  #field(kp: GuestAddr, name: 'name' | 'arg'): GuestAddr {
    const { memory, types } = this.#services;
    return memory.readPtr(asAddr(kp + types.struct('kernel_param').offsetOf(name)));
  }

  #name(kp: GuestAddr): string {
    return this.#services.memory.readString(this.#field(kp, 'name'));
  }

  #put(buffer: GuestAddr, text: string): number {
    const shown = text.slice(0, PAGE_SIZE - 1);
    writeText(this.#services.memory, buffer, shown);
    return shown.length;
  }

  #store(addr: GuestAddr, sizeBytes: 1 | 2 | 4 | 8, value: bigint): void {
    const { memory } = this.#services;
    const low = Number(BigInt.asUintN(32, value));
    if (sizeBytes === 1) memory.writeU8(addr, low & 0xff);
    else if (sizeBytes === 2) memory.writeU16(addr, low & 0xffff);
    else if (sizeBytes === 4) memory.writeU32(addr, low);
    else memory.writeU64(addr, BigInt.asUintN(64, value));
  }

  /** `param_set_byte` ... `param_set_hexint`. */
  setInteger(type: IntegerParam, val: GuestAddr, kp: GuestAddr): number {
    const { parse, sizeBytes } = INTEGER_PARAMS[type];
    const parsed = kstrto(parse, this.#services.memory.readString(val), 0);
    if (!parsed.ok) return parsed.errno;
    this.#store(this.#field(kp, 'arg'), sizeBytes, parsed.value);
    return 0;
  }

  /** `param_get_byte` ... `param_get_hexint`. */
  getInteger(type: IntegerParam, buffer: GuestAddr, kp: GuestAddr): number {
    const { memory } = this.#services;
    const arg = this.#field(kp, 'arg');
    switch (type) {
      case 'byte':
        return this.#put(buffer, `${memory.readU8(arg)}\n`);
      case 'short':
        return this.#put(buffer, `${(memory.readU16(arg) << 16) >> 16}\n`);
      case 'ushort':
        return this.#put(buffer, `${memory.readU16(arg)}\n`);
      case 'int':
        return this.#put(buffer, `${memory.readI32(arg)}\n`);
      case 'uint':
        return this.#put(buffer, `${memory.readU32(arg)}\n`);
      case 'long':
        return this.#put(buffer, `${memory.readI64(arg)}\n`);
      case 'ulong':
      case 'ullong':
        return this.#put(buffer, `${memory.readU64(arg)}\n`);
      case 'hexint':
        return this.#put(buffer, `0x${memory.readU32(arg).toString(16).padStart(6, '0')}\n`);
    }
  }

  /** `param_set_uint_minmax`. */
  setUintMinmax(val: GuestAddr, kp: GuestAddr, min: number, max: number): number {
    if (val === NULL) return -ERRNO.EINVAL;
    const parsed = kstrto('uint', this.#services.memory.readString(val), 0);
    if (!parsed.ok) return parsed.errno;
    if (parsed.value < BigInt(min) || parsed.value > BigInt(max)) return -ERRNO.EINVAL;
    this.#store(this.#field(kp, 'arg'), 4, parsed.value);
    return 0;
  }

  /** `param_set_charp`: keeps a copy of the text, and frees the copy before. */
  setCharp(val: GuestAddr, kp: GuestAddr): number {
    const services = this.#services;
    const text = services.memory.readCString(val, CHARP_MAX + 1);
    if (text.length > CHARP_MAX) {
      services.printk(KERN.KERN_ERR, `${this.#name(kp)}: string parameter too long\n`);
      return -ERRNO.ENOSPC;
    }
    const block = services.kmalloc(KMALLOCED_HEAD + text.length + 1);
    if (block === NULL) return -ERRNO.ENOMEM;
    const copy = asAddr(block + KMALLOCED_HEAD);
    services.memory.writeBytes(copy, text);
    services.memory.writeU8(asAddr(copy + text.length), 0);
    this.#strings.set(copy, block);
    const arg = this.#field(kp, 'arg');
    this.freeCharp(arg);
    services.memory.writePtr(arg, copy);
    return 0;
  }

  /** `param_get_charp`. */
  getCharp(buffer: GuestAddr, kp: GuestAddr): number {
    const { memory } = this.#services;
    const text = memory.readPtr(this.#field(kp, 'arg'));
    return this.#put(buffer, `${pointerError(text) ?? memory.readString(text, PAGE_SIZE)}\n`);
  }

  /** `param_free_charp`: `arg` is where the pointer is kept. Does nothing to strings that are the module's own. */
  freeCharp(arg: GuestAddr): void {
    const text = this.#services.memory.readPtr(arg);
    const block = this.#strings.get(text);
    if (block === undefined) return;
    this.#strings.delete(text);
    this.#services.kfree(block);
  }

  #bool(val: GuestAddr): boolean | number {
    const parsed = kstrtobool(val === NULL ? '1' : this.#services.memory.readString(val, 3));
    return parsed.ok ? parsed.value : parsed.errno;
  }

  /** `param_set_bool`: without a value the switch is on. */
  setBool(val: GuestAddr, kp: GuestAddr): number {
    const value = this.#bool(val);
    if (typeof value === 'number') return value;
    this.#services.memory.writeU8(this.#field(kp, 'arg'), value ? 1 : 0);
    return 0;
  }

  /** `param_get_bool`. */
  getBool(buffer: GuestAddr, kp: GuestAddr): number {
    return this.#put(buffer, this.#services.memory.readU8(this.#field(kp, 'arg')) ? 'Y\n' : 'N\n');
  }

  /** `param_set_bool_enable_only`: what is on stays on. */
  setBoolEnableOnly(val: GuestAddr, kp: GuestAddr): number {
    const value = this.#bool(val);
    if (typeof value === 'number') return value;
    if (!value) return this.#services.memory.readU8(this.#field(kp, 'arg')) ? -ERRNO.EROFS : 0;
    return this.setBool(val, kp);
  }

  /** `param_set_invbool`. */
  setInvbool(val: GuestAddr, kp: GuestAddr): number {
    const value = this.#bool(val);
    if (typeof value === 'number') return value;
    this.#services.memory.writeU8(this.#field(kp, 'arg'), value ? 0 : 1);
    return 0;
  }

  /** `param_get_invbool`. */
  getInvbool(buffer: GuestAddr, kp: GuestAddr): number {
    return this.#put(buffer, this.#services.memory.readU8(this.#field(kp, 'arg')) ? 'N\n' : 'Y\n');
  }

  /** `param_set_bint`: a switch that is kept in an `int`. */
  setBint(val: GuestAddr, kp: GuestAddr): number {
    const value = this.#bool(val);
    if (typeof value === 'number') return value;
    this.#services.memory.writeU32(this.#field(kp, 'arg'), value ? 1 : 0);
    return 0;
  }

  /** `param_set_copystring`: into a buffer of the module's own. */
  setCopystring(val: GuestAddr, kp: GuestAddr): number {
    const { memory, types } = this.#services;
    const string = this.#field(kp, 'arg');
    const layout = types.struct('kparam_string');
    const maxlen = memory.readU32(asAddr(string + layout.offsetOf('maxlen')));
    const text = memory.readCString(val, maxlen);
    if (text.length === maxlen) {
      const limit = (maxlen - 1) >>> 0;
      this.#services.printk(KERN.KERN_ERR, `${this.#name(kp)}: string doesn't fit in ${limit} chars.\n`);
      return -ERRNO.ENOSPC;
    }
    const to = memory.readPtr(asAddr(string + layout.offsetOf('string')));
    memory.writeBytes(to, text);
    memory.writeU8(asAddr(to + text.length), 0);
    return 0;
  }

  /** `param_get_string`. */
  getString(buffer: GuestAddr, kp: GuestAddr): number {
    const { memory, types } = this.#services;
    const string = this.#field(kp, 'arg');
    const text = memory.readPtr(asAddr(string + types.struct('kparam_string').offsetOf('string')));
    return this.#put(buffer, `${pointerError(text) ?? memory.readString(text, PAGE_SIZE)}\n`);
  }
}
