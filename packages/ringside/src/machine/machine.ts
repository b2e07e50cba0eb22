import { InputError, type RingsideError } from '../bytes/index.ts';
import {
  type Kernel,
  type LogRecord,
  moduleSyscalls,
  procModules,
  type Report,
  type Task,
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

  /** `/proc/modules`. */
  procModules(): string {
    return procModules(this.kernel.modules);
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
    body: (task: Task) => ReturnType<typeof moduleSyscalls.finitModule>,
    signal?: AbortSignal,
  ): Promise<SyscallResult> {
    return this.#exclusively(async () => {
      const { kernel } = this;
      if (kernel.halted) return { kind: 'stopped' };
      const task = kernel.fork.createProcess(comm);
      let value: number | undefined;
      kernel.sched.start(task, wrap(body(task)), moduleSyscalls.frames());
      function* wrap(routine: ReturnType<typeof body>): ReturnType<typeof body> {
        value = yield* routine;
        return value;
      }
      await this.#runUntil(() => task.exitCode !== undefined, Number.POSITIVE_INFINITY, signal);
      if (value !== undefined) return { kind: 'returned', value };
      if (kernel.halted || kernel.missing.length > 0) return { kind: 'stopped' };
      if (task.exitCode === undefined) return { kind: 'blocked' };
      return { kind: 'killed', signal: task.exitCode === 9 ? 'SIGKILL' : 'SIGSEGV' };
    });
  }

  /** Runs until `done`, or nothing can happen before `endNs` of virtual time. */
  async #runUntil(done: () => boolean, endNs: number, signal: AbortSignal | undefined): Promise<void> {
    const { sched, clock } = this.kernel;
    let turnEnd = Date.now() + TURN_MS;
    while (!done() && !this.kernel.halted) {
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
