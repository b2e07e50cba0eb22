import { ERRNO } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { type ExportTable, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import { bin2hex, hex2bin, hexDumpLine, hexToBin } from './hexdump.ts';
import { stringEscape, stringUnescape } from './string-escape.ts';
import { STRING_UNITS_2, STRING_UNITS_10, stringGetSize } from './string-helpers.ts';
import { RegisterArguments } from './vsprintf/arguments.ts';

/** The seventh argument of a call, which is on the stack. */
const seventh = (k: Kernel): bigint => new RegisterArguments(k.cpu.regs, k.memory, 6).u64();

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Stores as much of `text` as `size` bytes hold with a NUL, as `snprintf` does. */
function put(k: Kernel, at: GuestAddr, size: number, text: string): void {
  if (size === 0) return;
  const bytes = latin1(text.slice(0, size - 1));
  k.memory.writeBytes(at, bytes);
  k.memory.writeU8(asAddr(at + bytes.length), 0);
}

/** lib/hexdump.c, lib/string_helpers.c */
export const textExports: ExportTable = {
  hex_to_bin: fn('int hex_to_bin(unsigned char ch)', (k) => hexToBin(k.args.u32(0) & 0xff)),
  hex2bin: fn('int hex2bin(u8 *dst, const char *src, size_t count)', (k) => {
    const [dst, count] = [k.args.addr(0), k.args.size(2)];
    const bytes = hex2bin(k.memory.readBytes(k.args.addr(1), 2 * count), count);
    if (bytes === undefined) return -ERRNO.EINVAL;
    k.memory.writeBytes(dst, bytes);
    return 0;
  }),
  bin2hex: fn('char *bin2hex(char *dst, const void *src, size_t count)', (k) => {
    const text = bin2hex(k.memory.readBytes(k.args.addr(1), k.args.size(2)));
    k.memory.writeBytes(k.args.addr(0), latin1(text));
    return k.args.addr(0) + text.length;
  }),
  hex_dump_to_buffer: fn(
    'int hex_dump_to_buffer(const void *buf, size_t len, int rowsize, int groupsize, char *linebuf, size_t linebuflen, bool ascii)',
    (k) => {
      const row = k.args.i32(2) === 32 ? 32 : 16;
      const bytes = k.memory.readBytes(k.args.addr(0), Math.min(k.args.size(1), row));
      const size = k.args.size(5);
      const line = hexDumpLine(bytes, row, k.args.i32(3), size, (seventh(k) & 0xffn) !== 0n);
      if (line.text !== undefined) put(k, k.args.addr(4), size, line.text);
      return line.length;
    },
  ),
  string_get_size: fn(
    'void string_get_size(u64 size, u64 blk_size, const enum string_size_units units, char *buf, int len)',
    (k) => {
      const units = k.args.u32(2) === STRING_UNITS_10 ? STRING_UNITS_10 : STRING_UNITS_2;
      put(k, k.args.addr(3), Math.max(0, k.args.i32(4)), stringGetSize(k.args.u64(0), k.args.u64(1), units));
    },
  ),
  string_escape_mem: fn(
    'int string_escape_mem(const char *src, size_t isz, char *dst, size_t osz, unsigned int flags, const char *only)',
    (k) => {
      const only = k.args.addr(5) === NULL ? '' : k.memory.readString(k.args.addr(5));
      const text = stringEscape(k.memory.readBytes(k.args.addr(0), k.args.size(1)), k.args.u32(4), only);
      k.memory.writeBytes(k.args.addr(2), latin1(text.slice(0, k.args.size(3))));
      return text.length;
    },
  ),
  string_unescape: fn('int string_unescape(char *src, char *dst, size_t size, unsigned int flags)', (k) => {
    const text = stringUnescape(k.memory.readString(k.args.addr(0)), k.args.size(2), k.args.u32(3));
    const dst = k.args.addr(1);
    k.memory.writeBytes(dst, latin1(text));
    k.memory.writeU8(asAddr(dst + text.length), 0);
    return text.length;
  }),
};
