import { ERRNO, SIGNAL } from '../abi/index.ts';
import { InputError, type RingsideError } from '../bytes/index.ts';
import {
  type Kernel,
  type LogRecord,
  moduleRefcount,
  moduleSyscalls,
  procModules,
  type Report,
  type Routine,
  showModuleParam,
  type Task,
  usersOf,
} from '../kernel/index.ts';

/** How a call into the kernel on a user's behalf (`insmod`, `rmmod`) ended. */
export type SyscallResult =
  /** It returned: 0, or a negative errno. */
  | { readonly kind: 'returned'; readonly value: number }
  /** An oops in it killed the process. */
  | { readonly kind: 'killed'; readonly signal: 'SIGKILL' | 'SIGSEGV' }
  /** It waits for something that will never happen; the process stays there. */
  | { readonly kind: 'blocked' }
  /** The machine stopped under it: a panic, or something Ringside does not support. */
  | { readonly kind: 'stopped' };

/** A loaded module, as `/sys/module/NAME` tells. */
export interface ModuleInfo {
  readonly name: string;
  readonly coreSizeBytes: number;
  readonly referenceCount: number;
  /** Names of the modules that use it. */
  readonly holders: readonly string[];
}

export interface InsmodOptions {
  /** The file's name, for messages of ours. */
  readonly name?: string;
  /** Parameters as on insmod's command line, separated by spaces. */
  readonly params?: string;
  readonly signal?: AbortSignal;
}

export interface AdvanceOptions {
  /** Virtual nanoseconds to let pass; without it until nothing is left to happen. */
  readonly forNs?: number;
  /** When no time is given: give up waiting after this many virtual nanoseconds. Default 10 s. */
  readonly atMostNs?: number;
  readonly signal?: AbortSignal;
}

/** Virtual time that the program around a system call takes, in nanoseconds: starting it, reading the file. */
const CALLER_NS = 2_000_000;
/** After a system call, what it has made runnable runs for at most this long before the call is reported. */
const SETTLE_NS = 10_000_000;
/** Host milliseconds the machine runs before the host gets its turn. */
const TURN_MS = 20;

/**
 * A running simulated machine. Its methods run it as far as they need; between them, and between slices inside
 * them, the host is free. One call at a time.
 */
export class Machine {
  /** The kernel inside, for tools that look closer. */
  readonly kernel: Kernel;
  #busy = false;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Log records so far. */
  get log(): readonly LogRecord[] {
    return [...this.kernel.printk.records()];
  }

  /** What Ringside saw beyond what the kernel said. */
  get reports(): readonly Report[] {
    return this.kernel.reports.all;
  }

  /** What Ringside lacks, when that ended something. */
  get missing(): readonly RingsideError[] {
    return this.kernel.missing;
  }

  get panicked(): boolean {
    return this.kernel.halted;
  }

  /** Virtual nanoseconds since boot. */
  get nowNs(): number {
    return this.kernel.clock.nowNs;
  }

  /** Loads a module: `finit_module(2)` as insmod calls it, from a process of that name. */
  async insmod(file: Uint8Array, options: InsmodOptions = {}): Promise<SyscallResult> {
    return this.#syscall(
      'insmod',
      (task) => moduleSyscalls.finitModule(this.kernel, task, file, options.params ?? ''),
      options.signal,
    );
  }

  /** Unloads a module: `delete_module(2)` as rmmod calls it. */
  async rmmod(
    name: string,
    options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<SyscallResult> {
    return this.#syscall(
      'rmmod',
      (task) => moduleSyscalls.deleteModule(this.kernel, task, name, options.force === true),
      options.signal,
    );
  }

  /** `/proc/sys/kernel/tainted`. */
  get tainted(): number {
    return this.kernel.tainted;
  }

  /** The loaded modules, the newest first. */
  modules(): ModuleInfo[] {
    const { modules } = this.kernel;
    return [...modules.list()].map((module) => ({
      name: module.name,
      coreSizeBytes: module.layout('core').size,
      referenceCount: moduleRefcount(module),
      holders: [...usersOf(modules, module)].map((user) => user.name),
    }));
  }

  /** `/proc/modules`. */
  procModules(): string {
    return procModules(this.kernel.modules);
  }

  /** What `/sys/module/MODULE/parameters/NAME` reads as; a negative errno when it cannot be read. */
  async readParameter(module: string, name: string): Promise<string | number> {
    const { end, value } = await this.#process(
      'cat',
      () => showModuleParam(this.kernel, module, name),
      undefined,
    );
    return end === 'returned' ? value! : -ERRNO.EIO;
  }

  /** Lets virtual time pass; what is due happens. */
  async advance(options: AdvanceOptions = {}): Promise<void> {
    const { clock } = this.kernel;
    const end = clock.nowNs + (options.forNs ?? options.atMostNs ?? 10e9);
    await this.#exclusively(async () => {
      await this.#runUntil(() => clock.nowNs >= end, end, options.signal);
      if (options.forNs !== undefined && !this.kernel.halted) clock.skipTo(end);
    });
  }

  async #syscall(
    comm: string,
    body: (task: Task) => Routine<number>,
    signal?: AbortSignal,
  ): Promise<SyscallResult> {
    const { end, value } = await this.#process(comm, body, signal);
    return end === 'returned' ? { kind: 'returned', value: value! } : end;
  }

  /** Runs a routine as the system call of a new process; `end` says what became of it when it did not return. */
  async #process<T>(
    comm: string,
    body: (task: Task) => Routine<T>,
    signal: AbortSignal | undefined,
  ): Promise<{
    readonly end: 'returned' | Exclude<SyscallResult, { kind: 'returned' }>;
    readonly value?: T;
  }> {
    return this.#exclusively(async () => {
      const { kernel } = this;
      if (kernel.halted) return { end: { kind: 'stopped' } };
      const missing = kernel.missing.length;
      const task = kernel.fork.createProcess(comm);
      let result: { value: T } | undefined;
      function* run(): Routine<void> {
        kernel.clock.spend(CALLER_NS);
        result = { value: yield* body(task) };
      }
      kernel.sched.start(task, run(), moduleSyscalls.frames());
      await this.#runUntil(() => task.exitCode !== undefined, Number.POSITIVE_INFINITY, signal);
      // what the call has woken runs before the caller's next step
      const settled = kernel.clock.nowNs + SETTLE_NS;
      if (!kernel.halted) await this.#runUntil(() => false, kernel.clock.nowNs, signal, settled);
      const { rejected } = kernel;
      kernel.rejected = undefined;
      if (rejected !== undefined) throw rejected;
      if (result !== undefined) return { end: 'returned', value: result.value };
      if (kernel.halted || kernel.missing.length > missing) return { end: { kind: 'stopped' } };
      if (task.exitCode === undefined) return { end: { kind: 'blocked' } };
      return { end: { kind: 'killed', signal: task.exitCode === SIGNAL.SIGKILL ? 'SIGKILL' : 'SIGSEGV' } };
    });
  }

  /** Runs until `done`, or nothing can happen before `endNs` of virtual time; in any case until `lastNs`. */
  async #runUntil(
    done: () => boolean,
    endNs: number,
    signal: AbortSignal | undefined,
    lastNs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { sched, clock } = this.kernel;
    let turnEnd = Date.now() + TURN_MS;
    while (!done() && !this.kernel.halted && clock.nowNs < lastNs) {
      signal?.throwIfAborted();
      if (sched.run(done) === 'idle' && !done()) {
        const next = clock.nextEventNs;
        if (next === undefined || next > endNs) return;
        clock.skipTo(next);
      }
      if (Date.now() >= turnEnd) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        turnEnd = Date.now() + TURN_MS;
      }
    }
  }

  async #exclusively<T>(body: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new InputError('This machine is busy: await one call before the next.');
    this.#busy = true;
    try {
      return await body();
    } finally {
      this.#busy = false;
    }
  }
}
