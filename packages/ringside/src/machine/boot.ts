import { InputError } from '../bytes/index.ts';
import type { KernelSpec } from '../image/index.ts';
import { type Crash, Kernel, type LogRecord, type Report } from '../kernel/index.ts';
import { createCpu } from '../translate/index.ts';
import { Machine } from './machine.ts';

export interface BootOptions {
  /** The kernel to be. */
  readonly spec: KernelSpec;
  /** Everything random in the machine comes from it: the same seed gives the same run. Default 1. */
  readonly seed?: number | bigint;
  /** Kernel command line, e.g. `module_blacklist=foo panic_on_oops=1`. */
  readonly commandLine?: string;
  /** RAM in MiB, 16 to 1024. Default 256. */
  readonly memoryMb?: number;
  /** Check every memory access of guest code. Default true. */
  readonly checked?: boolean;
  /**
   * Compare all upper bits of each address too, not only the sign: a pointer damaged in bits 32 to 62 faults, as on the real machine, instead of
   * reaching what its lower half names. Code takes about a tenth longer. Default false.
   */
  readonly exact?: boolean;
  /**
   * Panic after the first report of a memory error, as a kernel with KASAN and `panic_on_warn`: what was reported is not
   * made. Default false: the guest goes on as on the real kernel.
   */
  readonly panicOnReport?: boolean;
  /**
   * Find uses of uninitialised memory, as a kernel with KMSAN: every instruction is then made on its own and followed,
   * about a hundred thousand a second. Results, times and counts stay the same. Default false.
   */
  readonly uninitialised?: boolean;
  /** Bytes of freed slab objects that wait before their place is given to others. Default 1 MiB. */
  readonly quarantineBytes?: number;
  /** Called with each log record as it is complete. */
  readonly onLog?: (record: LogRecord) => void;
  /** Called with each finding of Ringside's own. */
  readonly onReport?: (report: Report) => void;
  /** Called with each oops, warning and panic, after its text; `explainCrash` says what it was about. */
  readonly onCrash?: (crash: Crash) => void;
}

/** `key=value key2 ...` as the kernel splits its command line; a lone key has the value `''`. */
export function parseCommandLine(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const word of text.match(/(?:[^\s"]|"[^"]*")+/g) ?? []) {
    const equals = word.indexOf('=');
    const key = equals < 0 ? word : word.slice(0, equals);
    options.set(key, equals < 0 ? '' : word.slice(equals + 1).replaceAll('"', ''));
  }
  return options;
}

/**
 * Boots a simulated machine.
 *
 * ```ts
 * const machine = await boot({ spec, onLog: (record) => console.log(record.text) });
 * const result = await machine.insmod(bytes, { params: 'name=Bob' });
 * ```
 */
export async function boot(options: BootOptions): Promise<Machine> {
  const memoryMb = options.memoryMb ?? 256;
  if (!(memoryMb >= 16 && memoryMb <= 1024)) {
    throw new InputError(`Cannot boot with ${memoryMb} MiB of memory: 16 to 1024 are possible.`);
  }
  const kernel = new Kernel({
    spec: options.spec,
    createCpu,
    seed: BigInt(options.seed ?? 1),
    commandLine: parseCommandLine(options.commandLine ?? ''),
    ramBytes: Math.floor(memoryMb / 4) * 4 * 2 ** 20,
    quarantineBytes: options.quarantineBytes ?? 1 << 20,
    checked: options.checked ?? true,
    exact: options.exact ?? false,
    panicOnReport: options.panicOnReport ?? false,
    uninitialised: options.uninitialised ?? false,
  });
  if (options.onLog !== undefined) kernel.printk.subscribe(options.onLog);
  kernel.reports.onReport = options.onReport;
  kernel.onCrash = options.onCrash;
  return new Machine(kernel);
}
