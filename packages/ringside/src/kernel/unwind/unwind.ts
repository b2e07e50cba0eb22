import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import { FRAME_POINTER, NULL_CALL, ORC_REG, type OrcRule, UNWIND_HINT_TYPE } from './orc.ts';

/** Bytes in a return address and in every pushed register. */
const WORD = 8;
/** More frames than any stack holds; ends a trace that hostile ORC data would make endless. */
const FRAME_LIMIT = 4096;

/** The registers that an unwinding begins with. */
export interface UnwindStart {
  readonly ip: GuestAddr;
  readonly sp: GuestAddr;
  readonly bp: GuestAddr;
  /** Also known when the start is an exception; gcc's realigned stacks count from these. */
  readonly r10?: GuestAddr;
  readonly r13?: GuestAddr;
  readonly di?: GuestAddr;
  readonly dx?: GuestAddr;
}

/** One frame of a trace. */
export interface UnwoundFrame {
  /** The instruction that was interrupted, or the one behind the call. */
  readonly ip: GuestAddr;
  /** Stack pointer of this frame, as it will be after the return into it. */
  readonly sp: GuestAddr;
  /** Where on the stack `ip` was read; undefined for the frame that the unwinding began with. */
  readonly slot: GuestAddr | undefined;
  /** `ip` is where an exception or interrupt came, not a return address. */
  readonly signal: boolean;
  /** The `struct pt_regs` on the stack that a signal frame's registers come from. */
  readonly regs: GuestAddr | undefined;
  /** False once the way led through code without ORC data. */
  readonly reliable: boolean;
}

/** What the unwinder asks the machine. */
export interface UnwindHost {
  /** The ORC entry in force at an instruction; undefined for code without ORC data. */
  findOrc(ip: GuestAddr): OrcRule | undefined;
  /** A 64-bit word of the stack; undefined where none may be read. */
  readPtr(addr: GuestAddr): GuestAddr | undefined;
  /** Whether a function of ours begins here: when the start is there it has just been called. */
  isNative?(ip: GuestAddr): boolean;
  /** Whether this return address leads out of guest code: the trace ends before it. */
  isEnd?(ip: GuestAddr): boolean;
  /**
   * The registers of the `struct pt_regs` at `addr`; `partial` when only the part that the CPU pushes is there.
   * Undefined when they are those of user mode. A host whose code has no entry code leaves it out.
   */
  readRegs?(addr: GuestAddr, partial: boolean): UnwindStart | undefined;
}

/**
 * Walks from a frame to its callers. The first frame is the start itself, unless it is a function of ours. Ends
 * where the outermost frame is reached or nothing more can be known; never throws.
 * Source: arch/x86/kernel/unwind_orc.c, 6.1.
 */
export function* unwind(start: UnwindStart, host: UnwindHost): Generator<UnwoundFrame> {
  let { ip, sp, bp } = start;
  let registers: UnwindStart | undefined = start;
  let signal = true;
  let reliable = true;
  if (host.isNative?.(ip)) {
    const returnAddress = host.readPtr(sp);
    if (returnAddress === undefined || host.isEnd?.(returnAddress)) return;
    ip = returnAddress;
    const slot = sp;
    sp = asAddr(sp + WORD);
    registers = undefined;
    signal = false;
    yield { ip, sp, slot, signal, regs: undefined, reliable };
  } else {
    yield { ip, sp, slot: undefined, signal, regs: undefined, reliable };
  }
  for (let count = 0; count < FRAME_LIMIT; count += 1) {
    // A return address may stand behind its function when that ends in a call; the call itself is inside.
    let rule: OrcRule | undefined = ip === 0 ? NULL_CALL : host.findOrc(signal ? ip : asAddr(ip - 1));
    if (rule === undefined) {
      rule = FRAME_POINTER;
      reliable = false;
    }
    const previousSp = callerStack(rule, sp, bp, registers, host);
    if (previousSp === undefined) return;
    if (rule.type === UNWIND_HINT_TYPE.CALL) {
      const slot = asAddr(previousSp - WORD);
      const returnAddress = host.readPtr(slot);
      if (returnAddress === undefined || host.isEnd?.(returnAddress)) return;
      const callerBp = callerFramePointer(rule, previousSp, bp, registers, host);
      // The stack only shrinks towards the caller; anything else is broken data and could go round for ever.
      if (callerBp === undefined || previousSp <= sp) return;
      [ip, sp, bp, registers, signal] = [returnAddress, previousSp, callerBp, undefined, false];
      yield { ip, sp, slot, signal, regs: undefined, reliable };
      continue;
    }
    const partial: boolean = rule.type === UNWIND_HINT_TYPE.REGS_PARTIAL;
    if (!partial && rule.type !== UNWIND_HINT_TYPE.REGS) return;
    const found: UnwindStart | undefined = host.readRegs?.(previousSp, partial);
    if (found === undefined) return;
    const interruptedBp: GuestAddr | undefined = partial
      ? callerFramePointer(rule, previousSp, bp, registers, host)
      : found.bp;
    if (interruptedBp === undefined) return;
    [ip, sp, bp, signal] = [found.ip, found.sp, interruptedBp, true];
    registers = partial ? registers : found;
    yield { ip, sp, slot: undefined, signal, regs: previousSp, reliable };
  }
}

/** The stack pointer before this frame was pushed (DWARF's canonical frame address). */
function callerStack(
  rule: OrcRule,
  sp: GuestAddr,
  bp: GuestAddr,
  registers: UnwindStart | undefined,
  host: UnwindHost,
): GuestAddr | undefined {
  switch (rule.spReg) {
    case ORC_REG.SP:
      return asAddr(sp + rule.spOffset);
    case ORC_REG.BP:
      return asAddr(bp + rule.spOffset);
    case ORC_REG.SP_INDIRECT: {
      const value = host.readPtr(sp);
      return value === undefined ? undefined : asAddr(value + rule.spOffset);
    }
    case ORC_REG.BP_INDIRECT:
      return host.readPtr(asAddr(bp + rule.spOffset));
    case ORC_REG.R10:
      return registers?.r10;
    case ORC_REG.R13:
      return registers?.r13;
    case ORC_REG.DI:
      return registers?.di;
    case ORC_REG.DX:
      return registers?.dx;
    default:
      return undefined;
  }
}

function callerFramePointer(
  rule: OrcRule,
  previousSp: GuestAddr,
  bp: GuestAddr,
  registers: UnwindStart | undefined,
  host: UnwindHost,
): GuestAddr | undefined {
  switch (rule.bpReg) {
    case ORC_REG.UNDEFINED:
      return registers?.bp ?? bp;
    case ORC_REG.PREV_SP:
      return host.readPtr(asAddr(previousSp + rule.bpOffset));
    case ORC_REG.BP:
      return host.readPtr(asAddr(bp + rule.bpOffset));
    default:
      return undefined;
  }
}

/** What a stack scan needs besides. */
export interface StackScanHost extends UnwindHost {
  /** Whether the address lies in the text of the kernel or of a module. */
  isText(addr: GuestAddr): boolean;
}

/**
 * The lines of a call trace: every text address on the stack from the start's stack pointer up to `stackEnd`.
 * Those that the unwinder does not confirm are clues only (`reliable: false`, printed with a question mark).
 * Source: arch/x86/kernel/dumpstack.c, 6.1.
 */
export function* scanStack(
  start: UnwindStart,
  stackEnd: GuestAddr,
  host: StackScanHost,
): Generator<{ readonly ip: GuestAddr; readonly reliable: boolean }> {
  const frames = unwind(start, host);
  const next = (): GuestAddr | undefined => {
    const result = frames.next();
    return result.done ? undefined : (result.value.slot ?? next());
  };
  let expected = next();
  for (let at = Math.ceil(start.sp / WORD) * WORD; at < stackEnd; at += WORD) {
    const ip = host.readPtr(asAddr(at));
    if (ip === undefined || !host.isText(ip)) continue;
    const reliable = at === expected;
    yield { ip, reliable };
    if (reliable) expected = next();
  }
}
