import type { GuestAddr, UnsupportedError } from '../bytes/index.ts';
import type { GuestMemory } from '../memory/index.ts';
import type { Instruction } from '../x86/index.ts';
import type { CpuWatchHit, Watchpoint } from './debug-points.ts';
import type { CpuFeature } from './features.ts';
import type { RegisterFile } from './register-file.ts';
import type { SystemInstructions } from './system-instructions.ts';
import type { ThunkResolver } from './thunks.ts';

export { CPU_FEATURES, type CpuFeature } from './features.ts';

/** x86 exceptions that guest code can raise. Source: SDM vol. 3, table 6-1. */
export const VECTOR = {
  DE: 0,
  DB: 1,
  BP: 3,
  OF: 4,
  UD: 6,
  DF: 8,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  XM: 19,
} as const;

/**
 * An exception, precise: when it is reported, the register file holds RIP and all registers as they were before
 * the instruction (for `int3` and `into`, RIP after it), exactly as the CPU would push them.
 */
export interface CpuException {
  readonly kind: 'exception';
  readonly vector: number;
  /** The error code the CPU pushes; 0 where it pushes none. For #PF: SDM vol. 3, 4.7. */
  readonly errorCode: number;
  /** For #PF the faulting linear address (CR2); for #GP on a memory access the non-canonical address. */
  readonly address?: GuestAddr;
  readonly accessSize?: number;
}

/** An access to poisoned memory, before it is made. `Cpu.stepUnchecked` makes it and goes on. */
export interface CpuPoison {
  readonly kind: 'poison';
  readonly address: GuestAddr;
  readonly accessSize: number;
  readonly access: 'read' | 'write';
}

/** Why `Cpu.run` came back. The register file always holds the exact state to continue from. */
export type Stop =
  /** A native function asked to leave (it returned `false`); RIP is the native's address, the return address is on the guest's stack. */
  | { readonly kind: 'native' }
  /** The instruction budget is used up, at a switch point (loop header or function entry). */
  | { readonly kind: 'fuel' }
  | CpuException
  | CpuPoison
  /** RIP stands on a breakpoint, also when `run` began there; `Cpu.step` passes it. */
  | { readonly kind: 'breakpoint' }
  | CpuWatchHit
  /** RIP stands on an instruction that Ringside cannot translate. */
  | { readonly kind: 'unsupported'; readonly error: UnsupportedError };

/** The functions of ours that guest code can call: everything the engine knows of the kernel. */
export interface Natives {
  /** The index of the function of ours at this address, or -1. Asked at translation and at indirect calls. */
  indexAt(addr: GuestAddr): number;
  /**
   * Runs it: arguments are in the register file, [RSP] holds the return address. `true`: done, RAX is set, the
   * engine pops the return address. `false`: every frame unwinds and `run` returns `{ kind: 'native' }`.
   */
  invoke(index: number): boolean;
  /** Fuel that each call takes, in guest instructions; default 0. It does not count as retired. */
  readonly fuelPerCall?: number;
}

/** Looks at every instruction that is made. */
export interface InstructionFollower {
  /** Called when nothing forbids the instruction, before it is made, with the registers before it; of a `rep`, for each round. */
  follow(ins: Instruction): void;
}

export interface CpuOptions {
  readonly memory: GuestMemory;
  readonly natives: Natives;
  /** Check sign, shadow and permission of every access (default), or trust the guest (for measuring). */
  readonly checked?: boolean;
  /**
   * Checks compare all of an address's upper 32 bits with those of the region that its lower half is in; default: the sign alone. So also
   * a pointer that is right but for bits 32 to 62 faults, as on the processor.
   */
  readonly exact?: boolean;
  /**
   * Makes every instruction on its own, checked: slow, with the same results, counts and stops as translated whole.
   * For comparing, and for tools that look at every instruction.
   */
  readonly stepped?: boolean;
  /** Makes who follows every instruction; then the processor is `stepped`. */
  readonly follower?: (regs: RegisterFile) => InstructionFollower;
  /**
   * How often a function is entered, or goes round in its loops, before it is translated again with more effort (its callees in
   * place, small loops copied). Results, counts and stops are the same. Default 1000; `Infinity`: never.
   */
  readonly hotAfter?: number;
  /** How many bytes of WebAssembly to keep (default 64 MiB): beyond that, the oldest code that is not hot is dropped. */
  readonly codeBytes?: number;
  /** The bounds of the function around an address (kallsyms, a module's symbol table). Without it, functions end where control flow does. */
  readonly functionAt?: (addr: GuestAddr) => { readonly start: GuestAddr; readonly size: number } | undefined;
  /** The image's thunks, by address. */
  readonly thunkAt?: ThunkResolver;
  /** What the processor has beyond baseline x86-64: instructions of other features raise #UD. Default: all that Ringside has. */
  readonly features?: ReadonlySet<CpuFeature>;
  /** Instructions that reach beyond registers and memory (`cpuid`, `rdmsr`, `in`, ...); default: `BareSystem`. */
  readonly system?: SystemInstructions;
}

/**
 * One simulated processor's engine: it runs guest code from the state in `regs`, whatever task that state belongs
 * to. Switching tasks is saving and loading the register file.
 */
export interface Cpu {
  readonly regs: RegisterFile;
  /** Guest instructions retired so far; the same for the same run however the code was translated. */
  readonly retired: number;
  /** Takes fuel for work that a function of ours does, in guest instructions; they do not count as retired. */
  spend(fuel: number): void;
  /** Runs until something stops it. `fuel`: how many guest instructions may retire (1 to 2^30) before the next switch point stops. */
  run(fuel: number): Stop;
  /**
   * Makes exactly one instruction, checked; all rounds of a `rep` are one. When RIP stands on a function of ours, the step is
   * that function, which counts no instruction. Undefined: made, nothing to report. Breakpoints are passed.
   */
  step(): Stop | undefined;
  /** Makes exactly one instruction, without the shadow check (page permissions and address form still hold). */
  stepUnchecked(): Stop | undefined;
  /** Stops before the instruction at the address (or the function of ours there); until removed. */
  addBreakpoint(addr: GuestAddr): void;
  removeBreakpoint(addr: GuestAddr): void;
  /** Stops behind each instruction, or function of ours, that makes such an access; until removed. */
  addWatchpoint(watchpoint: Watchpoint): void;
  removeWatchpoint(watchpoint: Watchpoint): void;
  /** Drops the translations of this text; called when bytes or permissions of executable pages change. */
  invalidate(addr: GuestAddr, size: number): void;
  /** Translates functions ahead of their first call, all in one WebAssembly module. */
  translate(addrs: readonly GuestAddr[]): void;
  /** The function at the address as text: guest instructions, intermediate form, WebAssembly. */
  listing(addr: GuestAddr, tier?: 'quick' | 'hot'): string;
  /** How much has been translated. */
  readonly translation: {
    readonly instructions: number;
    readonly functions: number;
    readonly modules: number;
    readonly bytes: number;
    /** Functions translated again because they are hot. */
    readonly hot: number;
    /** Bytes of WebAssembly that can still be called, see `CpuOptions.codeBytes`. */
    readonly keptBytes: number;
    /** Numbers given to exits so far; those of dropped code are given again. */
    readonly exits: number;
  };
}
