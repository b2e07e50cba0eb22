import { addrFromU64, asAddr, type GuestAddr } from '../../bytes/index.ts';
import { RBP, type RegisterState, RSP, SLOT_RIP } from '../../translate/index.ts';
import { returnAddress } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import type { Activation, GuestActivation } from '../sched/activation.ts';
import { type UnwoundFrame, unwind } from '../unwind/index.ts';

/** Where in `native_safe_halt` an idle CPU is. `Deviation:` the offset is not read from the image; no spec has its code. */
const HALT_END = 0xb;

/** One line of a call trace, or a change of stack. */
export type TraceEntry =
  | { readonly kind: 'frame'; readonly ip: GuestAddr; readonly reliable: boolean }
  | { readonly kind: 'mark'; readonly text: '<TASK>' | '</TASK>' | '<IRQ>' | '</IRQ>' }
  /** Where an interrupt came upon code: its registers, and where that is. */
  | { readonly kind: 'interrupted'; readonly ip: GuestAddr; readonly state: RegisterState | undefined };

/**
 * The current task's call trace, innermost first: guest frames unwound with ORC, frames of functions of ours with
 * the return addresses that the real ones have.
 */
export function backtrace(k: Kernel): TraceEntry[] {
  const entries: TraceEntry[] = [];
  const { activations } = k.sched.current;
  let inIrq = k.sched.context !== 'task';
  entries.push({ kind: 'mark', text: inIrq ? '<IRQ>' : '<TASK>' });
  // below a frame that could not be unwound, everything is only a guess to the real kernel
  let lost = false;
  let interrupted = false;
  for (let i = activations.length - 1; i >= 0; i--) {
    const activation = activations[i]!;
    for (const entry of frames(k, activation)) {
      if (interrupted && entry.kind === 'frame') {
        // the first frame below an interrupt is where it came, not a return address
        const state = activation.kind === 'guest' ? activation.state : undefined;
        entries.push({ kind: 'interrupted', ip: entry.ip, state });
        interrupted = false;
        continue;
      }
      lost ||= entry.kind === 'frame' && !entry.reliable;
      entries.push(lost && entry.kind === 'frame' ? { ...entry, reliable: false } : entry);
    }
    lost ||= activation.kind === 'guest' && !reachesCaller(k, activation);
    if (inIrq && activation.kind === 'host' && activation.end === 'resume') {
      inIrq = false;
      // the outermost frame of an interrupt, the entry code, is on the stack of the task
      const entry = entries.pop()!;
      entries.push({ kind: 'mark', text: '</IRQ>' }, { kind: 'mark', text: '<TASK>' }, entry);
      interrupted = true;
    }
  }
  if (k.sched.current === k.sched.idle) entries.push(...idleFrames(k, interrupted));
  entries.push({ kind: 'mark', text: '</TASK>' });
  return entries;
}

/** What the idle task does when nothing else runs, outermost first; the halt is where interrupts come. */
const IDLE_FRAMES = [
  ['secondary_startup_64_no_verify', 'start_kernel'],
  ['start_kernel', 'arch_call_rest_init'],
  ['arch_call_rest_init', 'rest_init'],
  ['rest_init', 'cpu_startup_entry'],
  ['cpu_startup_entry', 'do_idle'],
  ['do_idle', 'default_idle_call'],
  ['default_idle_call', 'arch_cpu_idle'],
  // the idle function of QEMU's default CPU, an AMD K8
  ['amd_e400_idle', 'native_safe_halt'],
] as const;

function* idleFrames(k: Kernel, interrupted: boolean): Generator<TraceEntry> {
  const halt = k.spec.symbols.lookup('native_safe_halt');
  // behind the `hlt`, the last instruction but the return
  if (interrupted && halt !== undefined) {
    yield { kind: 'interrupted', ip: asAddr(halt.address + HALT_END), state: undefined };
  }
  for (const [name, callee] of IDLE_FRAMES.toReversed()) {
    const ip = returnAddress(k, { name, callee });
    if (ip !== undefined) yield { kind: 'frame', ip, reliable: true };
  }
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
  let sp = addrFromU64(state[RSP]!);
  for (const frame of guestFrames(k, state)) {
    if (!frame.reliable) break;
    ({ sp } = frame);
    yield { kind: 'frame', ip: frame.ip, reliable: true };
  }
  if (reachesCaller(k, activation)) return;
  for (const ip of textOnStack(k, sp)) yield { kind: 'frame', ip, reliable: false };
}

/**
 * Addresses of module code on the stack from `sp` up to the function of ours that called the guest: what the kernel
 * shows with a question mark where it cannot unwind, as after a call of code that is gone.
 */
function* textOnStack(k: Kernel, sp: GuestAddr): Generator<GuestAddr> {
  for (let at = sp; k.memory.canRead(at, 8); at = asAddr(at + 8)) {
    const word = k.memory.readPtr(at);
    if (word === k.natives.returnAddress) return;
    if (k.modules.textAddressOf(word) !== undefined) yield word;
  }
}

/** Whether the unwinding of guest code arrives at the function of ours that called it. */
function reachesCaller(k: Kernel, activation: GuestActivation): boolean {
  let reached = false;
  const isEnd = (at: GuestAddr): boolean => {
    reached ||= at === k.natives.returnAddress;
    return reached;
  };
  for (const frame of guestFrames(k, activation.state ?? k.cpu.regs.save(), isEnd))
    if (!frame.reliable) return false;
  return reached;
}

/**
 * Frames of guest code from a register state. When RIP is a function of ours, it has just been called: its frame
 * is named by whoever asks, the unwinding starts at its caller.
 */
function* guestFrames(
  k: Kernel,
  state: RegisterState,
  isEnd = (at: GuestAddr): boolean => at === k.natives.returnAddress,
): Generator<UnwoundFrame> {
  const ip = addrFromU64(state[SLOT_RIP]!);
  const start = { ip, sp: addrFromU64(state[RSP]!), bp: addrFromU64(state[RBP]!) };
  for (const frame of unwind(start, {
    findOrc: (at) => k.text.findOrc(at),
    readPtr: (at) => (k.memory.canRead(at, 8) ? k.memory.readPtr(at) : undefined),
    isNative: (at) => k.natives.nameAt(at) !== undefined,
    isEnd,
  })) {
    yield frame;
  }
}
