import { ERRNO, KERN, TAINT } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import { nextArg, parameq, skipSpaces, textAt } from './next-arg.ts';
import type { ParamServices } from './services.ts';

/** Flags of `struct kernel_param` and its ops. Source: Linux 6.1 include/linux/moduleparam.h. */
const KERNEL_PARAM_FL_UNSAFE = 1;
const KERNEL_PARAM_FL_HWPARAM = 2;
const KERNEL_PARAM_OPS_FL_NOARG = 1;

/** A table of `struct kernel_param` and who takes what is not in it. */
export interface ParamTable {
  /** What log lines begin with: the module's name. */
  readonly doing: string;
  /** The first `struct kernel_param`. */
  readonly params: GuestAddr;
  readonly count: number;
  /** Parameters of other levels are passed over; modules take all. */
  readonly minLevel?: number;
  readonly maxLevel?: number;
  /** Asked for names that are not in the table; gives 0 or a negative errno. */
  readonly unknown?: (param: string, value: string | undefined) => number;
}

/** A negative errno, or what stood behind `--`. */
export type ParseArgsResult =
  | { readonly errno: number }
  | { readonly errno?: undefined; readonly afterDashes: string | undefined };

/** `param_check_unsafe`: whether the parameter may be set now. */
function mayBeSet(services: ParamServices, kp: GuestAddr): boolean {
  const { memory, types } = services;
  const layout = types.struct('kernel_param');
  const flags = memory.readU8(asAddr(kp + layout.offsetOf('flags')));
  if (flags & KERNEL_PARAM_FL_HWPARAM && services.lockedDown) return false;
  if (flags & KERNEL_PARAM_FL_UNSAFE) {
    const name = memory.readString(memory.readPtr(asAddr(kp + layout.offsetOf('name'))));
    services.printk(KERN.KERN_NOTICE, `Setting dangerous option ${name} - tainting kernel\n`);
    services.addTaint(TAINT.TAINT_USER);
  }
  return true;
}

function findParam(services: ParamServices, table: ParamTable, name: string): GuestAddr | undefined {
  const { memory, types } = services;
  const layout = types.struct('kernel_param');
  for (let i = 0; i < table.count; i++) {
    const kp = asAddr(table.params + i * layout.size);
    const known = memory.readString(memory.readPtr(asAddr(kp + layout.offsetOf('name'))));
    if (parameq(name, known)) return kp;
  }
  return undefined;
}

function* parseOne(
  services: ParamServices,
  table: ParamTable,
  name: string,
  value: string | undefined,
  valueAddr: GuestAddr,
): Routine<number> {
  const { memory, types } = services;
  const layout = types.struct('kernel_param');
  const kp = findParam(services, table, name);
  if (kp === undefined) return table.unknown?.(name, value) ?? -ERRNO.ENOENT;
  const level = (memory.readU8(asAddr(kp + layout.offsetOf('level'))) << 24) >> 24;
  if (level < (table.minLevel ?? -32768) || level > (table.maxLevel ?? 32767)) return 0;
  const opsLayout = types.struct('kernel_param_ops');
  const ops = memory.readPtr(asAddr(kp + layout.offsetOf('ops')));
  const opsFlags = memory.readU32(asAddr(ops + opsLayout.offsetOf('flags')));
  if (value === undefined && !(opsFlags & KERNEL_PARAM_OPS_FL_NOARG)) return -ERRNO.EINVAL;
  if (!mayBeSet(services, kp)) return -ERRNO.EPERM;
  const set = memory.readPtr(asAddr(ops + opsLayout.offsetOf('set')));
  return yield* services.callInt(set, valueAddr, kp);
}

function complaint(ret: number, name: string, value: string): string {
  if (ret === -ERRNO.ENOENT) return `Unknown parameter \`${name}'`;
  if (ret === -ERRNO.ENOSPC) return `\`${value}' too large for parameter \`${name}'`;
  return `\`${value}' invalid for parameter \`${name}'`;
}

/**
 * `parse_args`: sets the parameters that the string at `args` names. Every argument is tried, also after one has
 * failed; the last failure counts. The string is cut into pieces where it is, since setters keep pointers into it.
 *
 * Source: Linux 6.1 kernel/params.c.
 */
export function* parseArgs(
  services: ParamServices,
  args: GuestAddr,
  table: ParamTable,
): Routine<ParseArgsResult> {
  const { memory } = services;
  const text = memory.readCString(args);
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text);
  let errno: number | undefined;
  let at = skipSpaces(bytes, 0);
  while (bytes[at] !== 0) {
    const arg = nextArg(bytes, at);
    at = arg.next;
    for (const end of arg.ends) memory.writeU8(asAddr(args + end), 0);
    const name = textAt(bytes, arg.param);
    const value = arg.value === undefined ? undefined : textAt(bytes, arg.value);
    if (value === undefined && name === '--') {
      return errno === undefined ? { afterDashes: textAt(bytes, at) } : { errno };
    }
    const valueAddr = arg.value === undefined ? NULL : asAddr(args + arg.value);
    const ret = yield* parseOne(services, table, name, value, valueAddr);
    if (ret === 0) continue;
    // A setter may have cut the text it was given: an array's ends at its first comma.
    const left = valueAddr === NULL ? '' : memory.readString(valueAddr);
    services.printk(KERN.KERN_ERR, `${table.doing}: ${complaint(ret, name, left)}\n`);
    errno = ret;
  }
  return errno === undefined ? { afterDashes: undefined } : { errno };
}
