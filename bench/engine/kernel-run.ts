/** What a run of a kernel gave, and its time in nanoseconds. */
export interface KernelResult {
  readonly result: bigint;
  readonly ns: number;
}

/** Runs a kernel once, translated. */
export type KernelRun = (size: number) => KernelResult;

/** Runs a kernel's native program some times; the fastest. */
export type ProgramRun = (emulator: readonly string[], size: number, times: number) => KernelResult;
