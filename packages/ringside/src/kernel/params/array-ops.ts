import { ERRNO, KERN } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import type { Routine } from '../sched/routine.ts';
import type { ParamServices } from './services.ts';

/** A `struct kparam_array`, read. */
interface ParamArray {
  readonly max: number;
  readonly elementSize: number;
  /** Where the number of elements is kept, or NULL. */
  readonly num: GuestAddr;
  readonly ops: GuestAddr;
  readonly elements: GuestAddr;
}

function readArray({ memory, types }: ParamServices, array: GuestAddr): ParamArray {
  const layout = types.struct('kparam_array');
  return {
    max: memory.readU32(asAddr(array + layout.offsetOf('max'))),
    elementSize: memory.readU32(asAddr(array + layout.offsetOf('elemsize'))),
    num: memory.readPtr(asAddr(array + layout.offsetOf('num'))),
    ops: memory.readPtr(asAddr(array + layout.offsetOf('ops'))),
    elements: memory.readPtr(asAddr(array + layout.offsetOf('elem'))),
  };
}

function op({ memory, types }: ParamServices, ops: GuestAddr, name: 'set' | 'get' | 'free'): GuestAddr {
  return memory.readPtr(asAddr(ops + types.struct('kernel_param_ops').offsetOf(name)));
}

/**
 * A copy of a parameter that stands for one element. The real one is on the kernel's stack.
 * Preconditions: the caller frees it.
 */
function elementParam(services: ParamServices, kp: GuestAddr): GuestAddr {
  const { memory, types } = services;
  const { size } = types.struct('kernel_param');
  const copy = services.kmalloc(size);
  if (copy !== NULL) memory.writeBytes(copy, memory.readBytes(kp, size));
  return copy;
}

/** `param_array_ops.set`: a list with commas, each part given to the element type's own setter. */
export function* setArray(services: ParamServices, val: GuestAddr, kp: GuestAddr): Routine<number> {
  const { memory, types } = services;
  const layout = types.struct('kernel_param');
  const array = readArray(services, memory.readPtr(asAddr(kp + layout.offsetOf('arg'))));
  const name = memory.readString(memory.readPtr(asAddr(kp + layout.offsetOf('name'))));
  const element = elementParam(services, kp);
  if (element === NULL) return -ERRNO.ENOMEM;
  const arg = asAddr(element + layout.offsetOf('arg'));
  const setCount = (count: number): void => {
    if (array.num !== NULL) memory.writeU32(array.num, count);
  };
  let count = 0;
  let at = val as number;
  let result = 0;
  setCount(0);
  for (let more = true; more && result === 0; ) {
    if (count === array.max) {
      services.printk(KERN.KERN_ERR, `${name}: can only take ${array.max | 0} arguments\n`);
      result = -ERRNO.EINVAL;
      break;
    }
    const text = memory.readString(asAddr(at));
    const comma = text.indexOf(',');
    more = comma >= 0;
    const length = more ? comma : text.length;
    memory.writeU8(asAddr(at + length), 0);
    memory.writePtr(arg, asAddr(array.elements + count * array.elementSize));
    result = yield* services.callInt(op(services, array.ops, 'set'), at, element);
    if (result !== 0) break;
    at += length + 1;
    setCount(++count);
  }
  services.kfree(element);
  return result;
}

function elementCount({ memory }: ParamServices, array: ParamArray): number {
  return array.num === NULL ? array.max : memory.readU32(array.num);
}

/** `param_array_ops.get`: the elements' texts, joined with commas. */
export function* getArray(services: ParamServices, buffer: GuestAddr, kp: GuestAddr): Routine<number> {
  const { memory, types } = services;
  const layout = types.struct('kernel_param');
  const array = readArray(services, memory.readPtr(asAddr(kp + layout.offsetOf('arg'))));
  const element = elementParam(services, kp);
  if (element === NULL) return -ERRNO.ENOMEM;
  let used = 0;
  for (let i = 0; i < elementCount(services, array); i++) {
    if (i > 0) memory.writeU8(asAddr(buffer + used - 1), 0x2c);
    memory.writePtr(asAddr(element + layout.offsetOf('arg')), asAddr(array.elements + i * array.elementSize));
    const length = yield* services.callInt(op(services, array.ops, 'get'), buffer + used, element);
    if (length < 0) {
      services.kfree(element);
      return length;
    }
    used += length;
  }
  services.kfree(element);
  memory.writeU8(asAddr(buffer + used), 0);
  return used;
}

/** `param_array_ops.free`: `arg` is the `struct kparam_array`. */
export function* freeArray(services: ParamServices, arg: GuestAddr): Routine<void> {
  const array = readArray(services, arg);
  const free = op(services, array.ops, 'free');
  if (free === NULL) return;
  for (let i = 0; i < elementCount(services, array); i++) {
    yield* services.callInt(free, array.elements + i * array.elementSize);
  }
}

/** `destroy_params`: lets every parameter of a table free what it has allocated. */
export function* destroyParams(services: ParamServices, params: GuestAddr, count: number): Routine<void> {
  const { memory, types } = services;
  const layout = types.struct('kernel_param');
  for (let i = 0; i < count; i++) {
    const kp = params + i * layout.size;
    const free = op(services, memory.readPtr(asAddr(kp + layout.offsetOf('ops'))), 'free');
    if (free !== NULL) yield* services.callInt(free, memory.readPtr(asAddr(kp + layout.offsetOf('arg'))));
  }
}
