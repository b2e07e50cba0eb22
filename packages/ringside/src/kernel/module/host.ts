import type { GuestAddr } from '../../bytes/index.ts';
import type { KernelSpec } from '../../image/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { Routine } from '../sched/routine.ts';
import type { Module } from './module.ts';

/**
 * What the module loader needs of the kernel around it. `kernelModuleHost` makes one from a `Kernel`; tests make
 * one from a guest memory and nothing else.
 */
export interface ModuleHost {
  readonly spec: KernelSpec;
  readonly memory: GuestMemory;
  /** Facts of the simulated machine that decide what text is patched to. */
  readonly machine: MachineFacts;
  /** One message; `level` is the digit of KERN_ERR (3), KERN_WARNING (4), ... The text has no newline. */
  printk(level: number, text: string): void;
  /** A pointer as `%p` prints it: hashed. */
  hashedPointer(addr: GuestAddr): string;
  /** module_alloc: page-aligned, RW, zeroed, followed by a guard page; undefined when there is no room. */
  moduleAlloc(size: number): GuestAddr | undefined;
  /** module_memfree: unmaps. */
  moduleFree(addr: GuestAddr): void;
  kmalloc(size: number): GuestAddr;
  kfree(addr: GuestAddr): void;
  /** __alloc_reserved_percpu: a per-CPU offset, or undefined when the reserve is used up. */
  percpuReserve(size: number, align: number): number | undefined;
  percpuRelease(offset: number): void;
  readonly cpuBases: readonly GuestAddr[];
  /** A parameter of the kernel's command line, e.g. `module_blacklist`. */
  bootOption(name: string): string | undefined;
  /** `locksUnreliable`: LOCKDEP_NOW_UNRELIABLE, which ends lock debugging with a message, once. */
  addTaint(bit: number, locksUnreliable?: boolean): void;
  hasTaint(bit: number): boolean;
  /** Binds the address of an exported function, which relocations are about to use, to our implementation of it. */
  bindExport(name: string, addr: GuestAddr): void;

  /** Calls a guest function and gives its `int` result. */
  callInt(addr: GuestAddr, ...args: (number | bigint)[]): Routine<number>;
  /** Runs `body` as the body of the kernel function `name` while it calls `callee`, for backtraces. */
  frame<T>(name: string, callee: string, body: Routine<T>): Routine<T>;
  /** Sleeps until `condition` holds after a `moduleWake`; false when `timeoutNs` passed first. */
  waitForModules(condition: () => boolean, timeoutNs?: number): Routine<boolean>;
  /** wake_up_all(&module_wq). */
  moduleWake(): void;
  /** Lets the task end: `kthread_exit`. */
  kthreadExit(code: bigint): Routine<never>;

  /** parse_args() over a module's `__param` table; see `ParseArgs`. */
  readonly parseArgs: ParseArgs;
  /** module_destroy_params: frees what parameters have allocated. */
  destroyParams(params: GuestAddr, count: number): Routine<void>;
  /** WARN() in the kernel function `where` (`do_one_initcall+0x...`): banner with this text, taint, trace. */
  warn(where: string, text: string | undefined): void;
  dumpStack(): void;

  /** preempt_count() of the running CPU; also its setter. */
  preemptCount: number;
  /** irqs_disabled() of the running task; setting false is local_irq_enable(). */
  irqsDisabled: boolean;
  /** Puts work on the system work queue (the freeing of init memory). */
  scheduleWork(work: () => void): void;
  /** Waits for the asynchronous calls that init functions started: async_synchronize_full(). */
  asyncSynchronize(): Routine<void>;

  readonly events: ModuleEvents;
}

/** Why parameters were refused, or what stood after `--`. */
export type ParseArgsResult =
  | { readonly errno: number }
  | { readonly errno?: undefined; readonly afterDashes: string | undefined };

/**
 * `args` is the string in guest memory (a copy that may be written to), `params`/`count` the table of
 * `struct kernel_param`. `unknown` is asked for names that are not in it and gives 0 or a negative errno.
 */
export type ParseArgs = (
  moduleName: string,
  args: GuestAddr,
  params: GuestAddr,
  count: number,
  unknown: (param: string, value: string | undefined) => number,
) => Routine<ParseArgsResult>;

/** Other subsystems that take part in a module's life, in the order of the calls. */
export interface ModuleEvents {
  /** mod_sysfs_setup: a negative errno refuses the module. */
  sysfsSetup?(module: Module): number;
  sysfsTeardown?(module: Module): void;
  /** kobject_uevent(KOBJ_ADD), once init has run. */
  uevent?(module: Module): void;
  /** The module's memory is as it will be; neither its parameters nor init have run. */
  formed?(module: Module): void;
  /** The module is about to be freed: whoever keeps facts of its memory takes note. */
  freeing?(module: Module): void;
  /** Init memory is about to be freed. */
  freeingInit?(module: Module): void;
}

export interface MachineFacts {
  /** boot_cpu_has(): `feature` is `word * 32 + bit` as in cpufeatures.h, bugs included. */
  hasFeature(feature: number): boolean;
  /**
   * What a static call of the kernel leads to (`key` is `__SCK__might_resched`): a function's name, `''` for
   * nothing, or undefined when it is not known and the call's trampoline serves.
   */
  staticCallTarget?(key: string): string | undefined;
  /** num_possible_cpus() */
  readonly possibleCpus: number;
  /** Length of the x86-64 instruction at the start of `bytes`, or undefined when it is none. */
  instructionLength(bytes: Uint8Array): number | undefined;
}
