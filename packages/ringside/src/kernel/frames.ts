import { asAddr, type GuestAddr } from '../bytes/index.ts';
import type { Kernel } from './kernel.ts';
import type { Routine } from './sched/routine.ts';

/** A frame of a function of ours, as a backtrace shows it. */
export interface HostFrame {
  /** The kernel function that ours stands for. */
  readonly name: string;
  /** What it has called: a function's name, or `*` for a call through a pointer; finds the return address. */
  callee: string;
}

/**
 * Runs `body` as the body of the kernel function `name`: while it is suspended in a call, a backtrace shows that
 * frame. `callee` is the function it calls in the real kernel (`*`: through a pointer), from which the image's
 * facts give the return address.
 */
export function* frame<T>(k: Kernel, name: string, callee: string, body: Routine<T>): Routine<T> {
  const { frames } = k.sched.hostActivation();
  frames.push({ name, callee });
  const result = yield* body;
  frames.pop();
  return result;
}

/** The return address that a frame of ours would have on the real kernel's stack. */
export function returnAddress(k: Kernel, frame: HostFrame): GuestAddr | undefined {
  // the compiler may have put the call into the function's cold part
  const names = [frame.name, `${frame.name}.cold`];
  const name =
    names.find((part) => k.spec.calls.returnOffset(part, frame.callee) !== undefined) ?? frame.name;
  const symbol = k.spec.symbols.lookup(name);
  if (symbol === undefined) return undefined;
  const offset = k.spec.calls.returnOffset(name, frame.callee);
  // without the fact: one byte in, so that the address before it is still the function's
  return asAddr(symbol.address + (offset ?? 1));
}
