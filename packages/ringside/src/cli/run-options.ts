import { InputError } from '../bytes/index.ts';
import { parseDurationNs } from './duration.ts';
import { type ModuleArgument, splitModuleArguments } from './module-arguments.ts';
import { formatOptions, type OptionDefinition, parseOptions } from './options.ts';

const OPTIONS: readonly OptionDefinition[] = [
  {
    name: 'for',
    value: 'TIME',
    help: 'let exactly this much virtual time pass before unloading\n(default: until nothing is left to happen, at most 10s)',
  },
  {
    name: 'linger',
    value: 'TIME',
    help: 'let this much virtual time pass after each unloading, so that what a module\nleft behind comes to light (default 0)',
  },
  { name: 'timeout', value: 'TIME', help: 'give up after this much real time, with exit status 124' },
  {
    name: 'kernel',
    value: 'KERNEL',
    help: 'run on this kernel: a name from "ringside kernel list", or a file',
  },
  { name: 'seed', value: 'N', help: 'seed of everything random in the machine (default 1)' },
  { name: 'cmdline', value: 'TEXT', help: 'kernel command line, e.g. "panic_on_oops=1"' },
  {
    name: 'panic-on-report',
    help: 'panic after a report of a memory error, before what was reported is done',
  },
  {
    name: 'exact',
    help: 'check all bits of every address: also pointers with damaged upper bits fault\n(default: sign and lower half; slower)',
  },
  {
    name: 'uninitialised',
    help: 'find uses of uninitialised memory, as a kernel with KMSAN (much slower)',
  },
  { name: 'keep', help: 'do not unload the modules at the end' },
  { name: 'json', help: 'one JSON object a line (docs/json.md)' },
  { name: 'explain', help: 'explain faults and memory errors (default on a terminal)' },
  { name: 'color', help: 'colour as dmesg does (default on a terminal); --no-color: never' },
  { name: 'help', short: 'h', help: 'this text' },
];

export const RUN_HELP = `Usage: ringside run [OPTION]... MODULE [NAME=VALUE]... [MODULE [NAME=VALUE]...]...

Boots a simulated kernel, loads the modules in the order given, each with the parameters
that follow it, prints the kernel's log, lets virtual time pass, unloads in reverse.
Modules are the unmodified files: .ko, .ko.xz, .ko.zst, .ko.gz.

Options:
${formatOptions(OPTIONS)}
TIME is 60s, 250ms, 2m, 1h or a number of seconds.

Examples:
  ringside run hello.ko name=Bob count=3
  ringside run exporter.ko importer.ko          the importer needs the exporter
  ringside run timer.ko --for 60s               a minute of virtual time, at once
  ringside run a.ko b.ko --linger 30s           does a still call into b when b is gone?
  ringside run driver.ko --kernel ./vmlinuz     on another kernel
  ringside run hello.ko --json | jq .text

Exit status: 0 clean; 1 refused or bad input; 2 the kernel oopsed, warned, panicked or
hung, or a memory error was found; 3 not supported yet; 124 time-out; 130 Ctrl-C.
`;

export interface RunOptions {
  readonly modules: readonly ModuleArgument[];
  readonly forNs: number | undefined;
  /** Virtual time after each unloading. */
  readonly lingerNs: number;
  readonly timeoutMs: number | undefined;
  readonly kernel: string | undefined;
  readonly seed: bigint;
  readonly commandLine: string;
  readonly panicOnReport: boolean;
  readonly exact: boolean;
  readonly uninitialised: boolean;
  readonly keep: boolean;
  readonly json: boolean;
  readonly explain: boolean | undefined;
  readonly colour: boolean | undefined;
}

/** `'help'` when that is what was asked for. Throws `InputError`. */
export function parseRunOptions(args: readonly string[]): RunOptions | 'help' {
  const options = parseOptions('run', args, OPTIONS);
  if (options.flag('help') === true) return 'help';
  const forTime = options.value('for');
  const linger = options.value('linger');
  const timeout = options.value('timeout');
  return {
    modules: splitModuleArguments(options.positionals),
    forNs: forTime === undefined ? undefined : parseDurationNs(forTime, '--for'),
    lingerNs: linger === undefined ? 0 : parseDurationNs(linger, '--linger'),
    timeoutMs: timeout === undefined ? undefined : parseDurationNs(timeout, '--timeout') / 1e6,
    kernel: options.value('kernel'),
    seed: parseSeed(options.value('seed') ?? '1'),
    commandLine: options.value('cmdline') ?? '',
    panicOnReport: options.flag('panic-on-report') ?? false,
    exact: options.flag('exact') ?? false,
    uninitialised: options.flag('uninitialised') ?? false,
    keep: options.flag('keep') ?? false,
    json: options.flag('json') ?? false,
    explain: options.flag('explain'),
    colour: options.flag('color'),
  };
}

function parseSeed(text: string): bigint {
  if (!/^(?:\d{1,20}|0x[\da-f]{1,16})$/i.test(text)) {
    throw new InputError(`Cannot use --seed ${text}: give a whole number of at most 64 bits`);
  }
  return BigInt.asUintN(64, BigInt(text));
}
