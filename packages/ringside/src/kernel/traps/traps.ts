import { BUGFLAG } from '../../abi/index.ts';
import { asAddr, FormatError, type GuestAddr, UnsupportedError } from '../../bytes/index.ts';
import { GuestAccessFault } from '../../memory/index.ts';
import { type CpuException, type CpuPoison, type Stop, VECTOR } from '../../translate/index.ts';
import type { Kernel } from '../kernel.ts';
import type { ModuleBug } from '../module/index.ts';
import type { HostActivation } from '../sched/activation.ts';
import { applyFixup } from './extable.ts';
import { die, panic, warn } from './oops.ts';

/** A function of ours could not go on. */
export interface NativeFailure {
  /** The kernel function it stands for. */
  readonly native: string;
  readonly error: GuestAccessFault | UnsupportedError;
}

/** #PF error code bits. Source: SDM vol. 3, 4.7. */
const PF_PROTECTION = 1;
const PF_WRITE = 2;
const PF_INSTRUCTION = 0x10;
/** `ud2`. */
const UD2 = [0x0f, 0x0b] as const;

/** What happens when the CPU, or a function of ours on the guest's behalf, meets an exception in kernel mode. */
export class Traps {
  readonly #k: Kernel;
  #failure: NativeFailure | undefined;

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** An exception of guest code. */
  exception(stop: CpuException): void {
    const k = this.#k;
    const { rip } = k.cpu.regs;
    if (stop.vector === VECTOR.UD && this.#isUd2(rip)) {
      const bug = k.modules.findBug(rip);
      if (bug !== undefined && (bug.flags & BUGFLAG.BUGFLAG_WARNING) !== 0) {
        this.#warn(bug);
        k.cpu.regs.rip = asAddr(rip + UD2.length);
        return;
      }
      die(k, stop, bug);
      return;
    }
    const fixup = k.modules.searchExtables(rip);
    if (fixup !== undefined) {
      try {
        applyFixup(k, fixup, stop);
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        k.unsupported(error);
      }
      return;
    }
    k.reports.exception(stop);
    // the report may have ended the machine
    if (!k.halted) die(k, stop, undefined);
  }

  /** An access to memory that is mapped but not for use: reported, then made, as the real kernel would. What came of it. */
  poison(stop: CpuPoison): Stop | undefined {
    const missing = this.#k.missingVariable(stop.address);
    if (missing !== undefined) {
      this.#k.unsupported(missing);
      return undefined;
    }
    this.#k.reports.poison(stop.address, stop.accessSize, stop.access);
    return this.#k.halted ? undefined : this.#k.cpu.stepUnchecked();
  }

  /**
   * A fault outside of guest code and of functions that it called: in what switches between them, or while another
   * fault was being handled. The real kernel faults there too. When not even that can be told, the machine stops.
   */
  brokenGuest(error: GuestAccessFault): void {
    try {
      die(this.#k, asException(error), undefined);
    } catch (second) {
      if (!(second instanceof GuestAccessFault)) throw second;
      panic(this.#k, 'Fatal exception');
    }
  }

  /** Called inside a function of ours that guest code called, before its frames unwind. */
  failed(failure: NativeFailure): void {
    this.#failure = failure;
  }

  /** Guest frames have unwound because a function of ours asked for it: it failed, or it waits. */
  nativeStopped(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    this.#fail(failure);
  }

  /** Resumes a routine of ours; undefined when it failed and its task is gone. */
  guard<T>(activation: HostActivation, resume: () => T): T | undefined {
    try {
      return resume();
    } catch (error) {
      if (error instanceof FormatError) {
        this.#k.reject(error);
        return undefined;
      }
      if (!(error instanceof GuestAccessFault || error instanceof UnsupportedError)) throw error;
      this.#fail({ native: activation.frames.at(-1)?.name ?? 'unknown', error });
      return undefined;
    }
  }

  #fail(failure: NativeFailure): void {
    const k = this.#k;
    if (failure.error instanceof UnsupportedError) {
      k.unsupported(failure.error);
      return;
    }
    const site = k.spec.symbols.lookup(failure.native);
    if (site !== undefined) k.cpu.regs.rip = site.address;
    const { addr, size, access } = failure.error;
    k.reports.fault(addr, size, access);
    if (k.halted) return;
    die(k, asException(failure.error), undefined);
  }

  /** A warning that is given once marks its entry, in guest memory as the kernel does. */
  #warn(bug: ModuleBug): void {
    const { memory, spec } = this.#k;
    if (bug.flags & BUGFLAG.BUGFLAG_ONCE) {
      if (bug.flags & BUGFLAG.BUGFLAG_DONE) return;
      memory.writeU16(
        asAddr(bug.entry + spec.types.struct('bug_entry').offsetOf('flags')),
        bug.flags | BUGFLAG.BUGFLAG_DONE,
      );
    }
    warn(this.#k, bug);
  }

  #isUd2(rip: GuestAddr): boolean {
    const { memory } = this.#k;
    return memory.canRead(rip, 2) && UD2.every((byte, i) => memory.view.getUint8((rip >>> 0) + i) === byte);
  }
}

/** The exception the CPU would raise for an access of a function of ours. */
function asException(fault: GuestAccessFault): CpuException {
  if (fault.reason === 'non-canonical') {
    return {
      kind: 'exception',
      vector: VECTOR.GP,
      errorCode: 0,
      address: fault.addr,
      accessSize: fault.size,
    };
  }
  const errorCode =
    (fault.reason === 'protection' ? PF_PROTECTION : 0) |
    (fault.access === 'write' ? PF_WRITE : 0) |
    (fault.access === 'execute' ? PF_INSTRUCTION : 0);
  return { kind: 'exception', vector: VECTOR.PF, errorCode, address: fault.addr, accessSize: fault.size };
}
