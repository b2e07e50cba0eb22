// What a machine must offer so that conformance steps can be run on it. The shell, kmod's tools and their texts are the
// harness's (shell.ts): a target only makes system calls.

/** How a system call came back to its caller; negative values are errnos. */
export type CallEnd =
  | { readonly kind: 'returned'; readonly value: number }
  /** the calling task was killed by an oops: SIGKILL (make_task_dead), or SIGSEGV after a BUG or a protection fault */
  | { readonly kind: 'killed'; readonly signal: 'SIGKILL' | 'SIGSEGV' }
  /** it sleeps, and nothing that is left to happen will wake it within STEP_LIMIT_SECONDS */
  | { readonly kind: 'blocked' }
  /** the machine has panicked */
  | { readonly kind: 'panicked' };

export interface ModuleRow {
  readonly name: string;
  /** /sys/module/NAME/coresize */
  readonly coreSizeBytes: number;
  /** /sys/module/NAME/refcnt */
  readonly referenceCount: number;
  /** names in /sys/module/NAME/holders */
  readonly holders: readonly string[];
}

export interface Target {
  /** finit_module(2) as called by a process named "insmod". `parameters` as kmod passes them: the arguments, blanks between. */
  insmod(file: Uint8Array, parameters: string): Promise<CallEnd>;
  /** delete_module(2) with O_NONBLOCK, called by "rmmod". */
  rmmod(name: string): Promise<CallEnd>;
  /** The modules as /proc/modules lists them: the newest first. */
  modules(): Promise<readonly ModuleRow[]>;
  /** A file of the guest (/proc/modules, /proc/sys/kernel/tainted, /sys/module/...); a negative errno when it can't be read. */
  readFile(path: string): Promise<string | number>;
  /** @returns bytes written or a negative errno */
  writeFile(path: string, text: string): Promise<number>;
  /** Lets virtual time pass. */
  sleep(milliseconds: number): Promise<'slept' | 'panicked'>;
  /**
   * The log lines since the last call, as `dmesg -r` has them: `<6>[    3.269554] hello: Hello`. A record of several
   * lines gives several, each with the prefix; a line that its writer has not ended is not there yet.
   */
  newLogLines(): Promise<readonly string[]>;
  /** Frees what the machine holds; called once. */
  close(): Promise<void>;
}

export interface TargetOptions {
  /** the kernel command line's parameters for this case, for example `module_blacklist=hello` */
  readonly kernelParameters: string;
}

export const STEP_LIMIT_SECONDS = 30;
/** Each step is followed by a rest, so that work it has started shows with it. */
export const REST_MILLISECONDS = 50;
