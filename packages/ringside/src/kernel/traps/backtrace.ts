import { addrFromU64, type GuestAddr } from '../../bytes/index.ts';
import { RBP, type RegisterState, RSP, SLOT_RIP } from '../../translate/index.ts';
import { returnAddress } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import type { Activation } from '../sched/activation.ts';
import { type UnwoundFrame, unwind } from '../unwind/index.ts';

/** One line of a call trace, or a change of stack. */
export type TraceEntry =
  | { readonly kind: 'frame'; readonly ip: GuestAddr; readonly reliable: boolean }
  | { readonly kind: 'mark'; readonly text: '<TASK>' | '</TASK>' | '<IRQ>' | '</IRQ>' };

/**
 * The current task's call trace, innermost first: guest frames unwound with ORC, frames of functions of ours with
 * the return addresses that the real ones have.
 */
export function backtrace(k: Kernel): TraceEntry[] {
  const entries: TraceEntry[] = [];
  const { activations } = k.sched.current;
  let inIrq = k.sched.context !== 'task';
  entries.push({ kind: 'mark', text: inIrq ? '<IRQ>' : '<TASK>' });
  for (let i = activations.length - 1; i >= 0; i--) {
    const activation = activations[i]!;
    for (const entry of frames(k, activation)) entries.push(entry);
    if (inIrq && activation.kind === 'host' && activation.end === 'resume') {
      inIrq = false;
      // the outermost frame of an interrupt, the entry code, is on the stack of the task
      const entry = entries.pop()!;
      entries.push({ kind: 'mark', text: '</IRQ>' }, { kind: 'mark', text: '<TASK>' }, entry);
    }
  }
  entries.push({ kind: 'mark', text: '</TASK>' });
  return entries;
}

function* frames(k: Kernel, activation: Activation): Generator<TraceEntry> {
  if (activation.kind === 'host') {
    for (const frame of activation.frames.toReversed()) {
      const ip = returnAddress(k, frame);
      if (ip !== undefined) yield { kind: 'frame', ip, reliable: true };
    }
    return;
  }
  const state: RegisterState = activation.state ?? k.cpu.regs.save();
  for (const frame of guestFrames(k, state)) yield { kind: 'frame', ip: frame.ip, reliable: frame.reliable };
}

/**
 * Frames of guest code from a register state. When RIP is a function of ours, it has just been called: its frame
 * is named by whoever asks, the unwinding starts at its caller.
 */
function* guestFrames(k: Kernel, state: RegisterState): Generator<UnwoundFrame> {
  const ip = addrFromU64(state[SLOT_RIP]!);
  const start = { ip, sp: addrFromU64(state[RSP]!), bp: addrFromU64(state[RBP]!) };
  for (const frame of unwind(start, {
    findOrc: (at) => k.text.findOrc(at),
    readPtr: (at) => (k.memory.canRead(at, 8) ? k.memory.readPtr(at) : undefined),
    isNative: (at) => k.natives.nameAt(at) !== undefined,
    isEnd: (at) => at === k.natives.returnAddress,
  })) {
    yield frame;
  }
}
