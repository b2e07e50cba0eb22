import { LOGLEVEL } from '../../abi/index.ts';
import { hex64 } from '../../bytes/index.ts';
import { data, type ExportTable, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import {
  DUMP_PREFIX_ADDRESS,
  DUMP_PREFIX_OFFSET,
  format,
  hexDumpLines,
  RegisterArguments,
  VaListArguments,
  type VariableArguments,
} from '../lib/index.ts';
import { LOG_LINE_MAX } from './printk.ts';
import { printkTimedRatelimit, ratelimit } from './ratelimit.ts';

/** printk keeps this much of a text. */
const LIMIT = LOG_LINE_MAX;
/** Virtual time that a character takes: a line without a console costs the real kernel a microsecond or two. */
const NS_PER_CHARACTER = 20;

function print(k: Kernel, fmt: number, args: VariableArguments, level?: number): number {
  const { text, length } = format(k.format, k.memory.readString(k.args.addr(fmt)), args, LIMIT);
  k.natives.spend(text.length * NS_PER_CHARACTER);
  return k.printk.emit(text, level === undefined ? { length } : { length, level });
}

function vprintk(k: Kernel): number {
  const args = new VaListArguments(k.memory, k.args.addr(1));
  const result = print(k, 0, args);
  args.commit();
  return result;
}

/** kernel/printk/printk.c, lib/ratelimit.c, lib/hexdump.c */
export const printkExports: ExportTable = {
  _printk: fn('int _printk(const char *fmt, ...)', (k) =>
    print(k, 0, new RegisterArguments(k.cpu.regs, k.memory, 1)),
  ),
  _printk_deferred: fn('int _printk_deferred(const char *fmt, ...)', (k) =>
    print(k, 0, new RegisterArguments(k.cpu.regs, k.memory, 1), LOGLEVEL.LOGLEVEL_SCHED),
  ),
  vprintk: fn('int vprintk(const char *fmt, va_list args)', vprintk),
  vprintk_default: fn('int vprintk_default(const char *fmt, va_list args)', vprintk),
  ___ratelimit: fn('int ___ratelimit(struct ratelimit_state *rs, const char *func)', (k) =>
    ratelimit(k.ratelimit, k.args.addr(0), k.memory.readString(k.args.addr(1))),
  ),
  __printk_ratelimit: fn('int __printk_ratelimit(const char *func)', (k) =>
    ratelimit(k.ratelimit, k.printkRatelimitState, k.memory.readString(k.args.addr(0))),
  ),
  printk_timed_ratelimit: fn(
    'bool printk_timed_ratelimit(unsigned long *caller_jiffies, unsigned int interval_msecs)',
    (k) => {
      return printkTimedRatelimit(k.ratelimit, k.args.addr(0), k.args.u32(1), k.jiffies.hz);
    },
  ),
  print_hex_dump: fn(
    'void print_hex_dump(const char *level, const char *prefix_str, int prefix_type, int rowsize, int groupsize, const void *buf, size_t len, bool ascii)',
    (k) => {
      const level = k.memory.readString(k.args.addr(0));
      const prefix = k.memory.readString(k.args.addr(1));
      const type = k.args.i32(2);
      const buf = k.args.addr(5);
      const stack = new RegisterArguments(k.cpu.regs, k.memory, 6);
      const bytes = k.memory.readBytes(buf, Number(stack.u64()));
      const place = (offset: number): string => {
        if (type === DUMP_PREFIX_ADDRESS) return `${prefix}${hex64(buf + offset)}: `;
        return type === DUMP_PREFIX_OFFSET ? `${prefix}${offset.toString(16).padStart(8, '0')}: ` : prefix;
      };
      const ascii = (stack.i32() & 0xff) !== 0;
      for (const line of hexDumpLines(bytes, k.args.i32(3), k.args.i32(4), ascii, place))
        k.printk.emit(level + line);
    },
  ),
  console_printk: data('int console_printk[4]', (k, addr) =>
    k.memory.writeU32(addr, k.printk.consoleLoglevel),
  ),
};
