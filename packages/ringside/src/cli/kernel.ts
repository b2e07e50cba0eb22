import { parseArgs } from 'node:util';
import { InputError } from '../bytes/index.ts';
import { addSpec, listSpecs, openSpecFile, readKernelFile, resolveKernel } from '../node/index.ts';
import { describeConfig, describeKernel, describeSymbol, describeType } from './kernel-report.ts';

/** The command's way out; `process` is one. */
export interface KernelCommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

const USAGE = `Usage: ringside kernel add FILE...
       ringside kernel list
       ringside kernel show [KERNEL] [--type NAME | --symbol NAME | --config NAME]...

Kernels that modules can be run on. One comes with Ringside; others are read once from
an image and kept as a small specification in your cache directory.

  add FILE...   reads a vmlinuz, an ELF vmlinux, or a Debian kernel package
                (linux-image-*.deb); its release becomes its name
  list          prints every kernel known: name, release, size, file
  show          prints what is known of a kernel; without a name, of the built-in one

  --type NAME     a struct, union, enum, typedef or function, as C with offsets
  --symbol NAME   a symbol: address, type, size, export, recorded calls
  --config NAME   a configuration setting

Examples:
  ringside kernel add /boot/vmlinuz-$(uname -r)
  ringside kernel show --type task_struct
  ringside run --kernel $(uname -r) hello.ko
`;

/** Runs `ringside kernel ...`; returns the exit status: 0, or 1 for bad input, which is reported on stderr. */
export async function kernelCommand(args: readonly string[], io: KernelCommandIo): Promise<number> {
  const [action, ...rest] = args;
  try {
    // "kernel add --help" asks for the same text
    switch (rest.some((arg) => arg === '--help' || arg === '-h') ? 'help' : action) {
      case 'add':
        return await add(rest, io);
      case 'list':
        return list(rest, io);
      case 'show':
        return await show(rest, io);
      case 'help':
      case '--help':
      case '-h':
        io.stdout.write(USAGE);
        return 0;
      case undefined:
        io.stderr.write(USAGE);
        return 1;
      default:
        throw new InputError(
          `Unknown action "${action}": expected add, list or show; see "ringside kernel --help"`,
        );
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.stderr.write(`ringside: ${error.message}\n`);
    return 1;
  }
}

async function add(args: readonly string[], io: KernelCommandIo): Promise<number> {
  const files = parse(args, {}).positionals;
  if (files.length === 0) {
    throw new InputError('Cannot add a kernel: no file is named; give a vmlinuz, a vmlinux or a kernel .deb');
  }
  for (const file of files) {
    const stored = addSpec(await readKernelFile(file));
    io.stdout.write(`added ${stored.name} (${kibibytes(stored.sizeBytes)}) as ${stored.path}\n`);
  }
  return 0;
}

function list(args: readonly string[], io: KernelCommandIo): number {
  const { positionals } = parse(args, {});
  if (positionals.length > 0)
    throw new InputError(`"kernel list" takes no argument, "${positionals[0]}" is one`);
  const rows = listSpecs().map(({ name, path, sizeBytes, builtIn }) => {
    const label = builtIn ? `${name} (built in)` : name;
    return [label, releaseOf(path), kibibytes(sizeBytes), path] as const;
  });
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    io.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`);
  }
  return 0;
}

async function show(args: readonly string[], io: KernelCommandIo): Promise<number> {
  const options = { type: REPEATED, symbol: REPEATED, config: REPEATED };
  const { positionals, values } = parse(args, options);
  if (positionals.length > 1) throw new InputError('"kernel show" takes one kernel');
  const spec = await resolveKernel(positionals[0]);
  const lines = [
    ...textsOf(values['type']).flatMap((name) => describeType(spec, name)),
    ...textsOf(values['symbol']).flatMap((name) => describeSymbol(spec, name)),
    ...textsOf(values['config']).flatMap((name) => describeConfig(spec, name)),
  ];
  const asked = Object.keys(values).length > 0;
  for (const line of asked ? lines : describeKernel(spec)) io.stdout.write(`${line}\n`);
  return 0;
}

const REPEATED = { type: 'string', multiple: true } as const;

function parse(
  args: readonly string[],
  options: Readonly<Record<string, typeof REPEATED>>,
): { positionals: string[]; values: Readonly<Record<string, unknown>> } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function releaseOf(path: string): string {
  try {
    return openSpecFile(path).release;
  } catch (error) {
    if (error instanceof InputError) return 'damaged: add it again';
    throw error;
  }
}

function kibibytes(sizeBytes: number): string {
  return `${Math.round(sizeBytes / 1024)} KiB`;
}
