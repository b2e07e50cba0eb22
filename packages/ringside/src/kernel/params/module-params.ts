import { ERRNO } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { PAGE_SIZE } from '../../memory/index.ts';
import { RAX } from '../../translate/index.ts';
import type { Kernel } from '../kernel.ts';
import { call, type Routine } from '../sched/routine.ts';
import { parameq } from './next-arg.ts';

/** The `struct kernel_param` of a loaded module's parameter. */
export function findModuleParam(k: Kernel, moduleName: string, name: string): GuestAddr | undefined {
  const module = k.modules.find(moduleName);
  if (module === undefined) return undefined;
  const layout = k.spec.types.struct('kernel_param');
  const table = module.ptr('kp');
  for (let i = 0; i < module.u32('num_kp'); i++) {
    const param = asAddr(table + i * layout.size);
    const own = k.memory.readString(k.memory.readPtr(asAddr(param + layout.offsetOf('name'))));
    if (parameq(own, name)) return param;
  }
  return undefined;
}

/** What reading `/sys/module/MODULE/parameters/NAME` gives: the text, or a negative errno. */
export function* showModuleParam(k: Kernel, moduleName: string, name: string): Routine<string | number> {
  const param = findModuleParam(k, moduleName, name);
  if (param === undefined) return -ERRNO.ENOENT;
  const layout = k.spec.types.struct('kernel_param');
  if ((k.memory.readU16(asAddr(param + layout.offsetOf('perm'))) & 0o444) === 0) return -ERRNO.EACCES;
  const ops = k.memory.readPtr(asAddr(param + layout.offsetOf('ops')));
  const get = k.memory.readPtr(asAddr(ops + k.spec.types.struct('kernel_param_ops').offsetOf('get')));
  if (get === NULL) return -ERRNO.EPERM;
  const page = k.pages.alloc(0);
  if (page === undefined) return -ERRNO.ENOMEM;
  k.memory.raw.fill(0, page >>> 0, (page >>> 0) + PAGE_SIZE);
  yield* call(get, page, param);
  const length = k.cpu.regs.i32(RAX);
  const text =
    length < 0 ? length : String.fromCharCode(...k.memory.readBytes(page, Math.min(length, PAGE_SIZE)));
  k.pages.free(page);
  return text;
}
