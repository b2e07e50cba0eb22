import { type GuestAddr, NULL } from '../../bytes/index.ts';
import { type ExportTable, type FunctionExport, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import {
  KSTRTO_TYPES,
  type KstrtoType,
  kstrto,
  kstrtobool,
  simpleStrtoll,
  simpleStrtoull,
} from './kstrtox.ts';
import { RegisterArguments, VaListArguments, type VariableArguments } from './vsprintf/arguments.ts';
import { kvasprintf, vscnprintf, vsnprintf, vsprintf } from './vsprintf/vsnprintf.ts';
import { vsscanf } from './vsscanf.ts';

const variadic = (k: Kernel, fixed: number): VariableArguments =>
  new RegisterArguments(k.cpu.regs, k.memory, fixed);
/** Runs `body` with the `va_list` in argument `i`; the caller's list has moved on after, as after a real call. */
function withList<T>(k: Kernel, i: number, body: (args: VariableArguments) => T): T {
  const args = new VaListArguments(k.memory, k.args.addr(i));
  const result = body(args);
  args.commit();
  return result;
}

const allocate =
  (k: Kernel) =>
  (size: number): GuestAddr =>
    k.kmalloc.alloc(size);

/** `kstrtoTYPE(s, base, res)`: stores the value, or gives the errno. */
function kstrtoExport(name: string, type: KstrtoType, ctype: string): FunctionExport {
  return fn(`int ${name}(const char *s, unsigned int base, ${ctype} *res)`, (k) => {
    const result = kstrto(type, k.memory.readString(k.args.addr(0)), k.args.u32(1));
    if (!result.ok) return result.errno;
    const at = k.args.addr(2);
    const { bits } = KSTRTO_TYPES[type];
    if (bits === 8) k.memory.writeU8(at, Number(BigInt.asUintN(8, result.value)));
    else if (bits === 16) k.memory.writeU16(at, Number(BigInt.asUintN(16, result.value)));
    else if (bits === 32) k.memory.writeU32(at, Number(BigInt.asUintN(32, result.value)));
    else k.memory.writeU64(at, BigInt.asUintN(64, result.value));
    return 0;
  });
}

function simple(
  k: Kernel,
  parse: (text: string, base: number) => { readonly value: bigint; readonly end: number },
): bigint {
  const text = k.args.addr(0);
  const result = parse(k.memory.readString(text), k.args.u32(2));
  const end = k.args.addr(1);
  if (end !== NULL) k.memory.writePtr(end, (text + result.end) as GuestAddr);
  return result.value;
}

/** lib/vsprintf.c, lib/kasprintf.c, lib/kstrtox.c */
export const formatExports: ExportTable = {
  snprintf: fn('int snprintf(char *buf, size_t size, const char *fmt, ...)', (k) =>
    vsnprintf(k.format, k.args.addr(0), k.args.size(1), k.args.addr(2), variadic(k, 3)),
  ),
  scnprintf: fn('int scnprintf(char *buf, size_t size, const char *fmt, ...)', (k) =>
    vscnprintf(k.format, k.args.addr(0), k.args.size(1), k.args.addr(2), variadic(k, 3)),
  ),
  sprintf: fn('int sprintf(char *buf, const char *fmt, ...)', (k) =>
    vsprintf(k.format, k.args.addr(0), k.args.addr(1), variadic(k, 2)),
  ),
  vsnprintf: fn('int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)', (k) =>
    withList(k, 3, (args) => vsnprintf(k.format, k.args.addr(0), k.args.size(1), k.args.addr(2), args)),
  ),
  vscnprintf: fn('int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)', (k) =>
    withList(k, 3, (args) => vscnprintf(k.format, k.args.addr(0), k.args.size(1), k.args.addr(2), args)),
  ),
  vsprintf: fn('int vsprintf(char *buf, const char *fmt, va_list args)', (k) =>
    withList(k, 2, (args) => vsprintf(k.format, k.args.addr(0), k.args.addr(1), args)),
  ),
  kasprintf: fn('char *kasprintf(gfp_t gfp, const char *fmt, ...)', (k) =>
    kvasprintf(k.format, allocate(k), k.args.addr(1), variadic(k, 2)),
  ),
  kvasprintf: fn('char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap)', (k) =>
    withList(k, 2, (args) => kvasprintf(k.format, allocate(k), k.args.addr(1), args)),
  ),
  sscanf: fn('int sscanf(const char *buf, const char *fmt, ...)', (k) =>
    vsscanf(
      k.memory,
      k.memory.readString(k.args.addr(0)),
      k.memory.readString(k.args.addr(1)),
      variadic(k, 2),
    ),
  ),
  vsscanf: fn('int vsscanf(const char *buf, const char *fmt, va_list args)', (k) =>
    withList(k, 2, (args) =>
      vsscanf(k.memory, k.memory.readString(k.args.addr(0)), k.memory.readString(k.args.addr(1)), args),
    ),
  ),
  kstrtoll: kstrtoExport('kstrtoll', 'll', 'long long'),
  kstrtoull: kstrtoExport('kstrtoull', 'ull', 'unsigned long long'),
  kstrtoint: kstrtoExport('kstrtoint', 'int', 'int'),
  kstrtouint: kstrtoExport('kstrtouint', 'uint', 'unsigned int'),
  kstrtos16: kstrtoExport('kstrtos16', 's16', 's16'),
  kstrtou16: kstrtoExport('kstrtou16', 'u16', 'u16'),
  kstrtos8: kstrtoExport('kstrtos8', 's8', 's8'),
  kstrtou8: kstrtoExport('kstrtou8', 'u8', 'u8'),
  kstrtobool: fn('int kstrtobool(const char *s, bool *res)', (k) => {
    const s = k.args.addr(0);
    const result = s === NULL ? ({ ok: false, errno: -22 } as const) : kstrtobool(k.memory.readString(s));
    if (!result.ok) return result.errno;
    k.memory.writeU8(k.args.addr(1), result.value ? 1 : 0);
    return 0;
  }),
  simple_strtoull: fn(
    'unsigned long long simple_strtoull(const char *cp, char **endp, unsigned int base)',
    (k) => simple(k, simpleStrtoull),
  ),
  simple_strtoul: fn('unsigned long simple_strtoul(const char *cp, char **endp, unsigned int base)', (k) =>
    simple(k, simpleStrtoull),
  ),
  simple_strtoll: fn('long long simple_strtoll(const char *cp, char **endp, unsigned int base)', (k) =>
    simple(k, simpleStrtoll),
  ),
  simple_strtol: fn('long simple_strtol(const char *cp, char **endp, unsigned int base)', (k) =>
    simple(k, simpleStrtoll),
  ),
};
