import { FormatError, InputError } from '../bytes/index.ts';
import { decompressDetected } from '../compression/index.ts';
import { ElfFile, ET_REL } from '../elf/index.ts';
import { detectKernelFile, isSpecFile } from '../image/index.ts';
import { readModule } from '../ko/index.ts';
import { elfViews } from './inspect-elf.ts';
import { kernelViews } from './inspect-kernel.ts';
import { moduleViews } from './inspect-module.ts';
import { formatRows, type Row, type Views } from './inspect-table.ts';
import type { FileCommandIo } from './modinfo-io.ts';
import { parseOptions } from './options.ts';
import { closest } from './suggest.ts';

const usage = `Usage: ringside inspect FILE [WHAT...] [--json] [--kernel KERNEL]

Prints what a file contains, as Ringside reads it: a module (.ko, .ko.xz, .ko.zst, .ko.gz), a
kernel (vmlinuz, vmlinux, .deb or spec file), or any x86-64 ELF file. Without WHAT: what there
is and how much of it. "all" prints everything.

  --json            one JSON object: "file", "kind", and one array of rows for each WHAT
  --kernel KERNEL   the kernel whose types a module's btf stands on

Modules:    modinfo versions params exports imports this_module orc ex_table bug_table
            jump_table altinstructions paravirt static_calls return_sites retpoline_sites
            ibt_seals mcount smp_locks btf signature, and what ELF files have
ELF files:  sections segments symbols relocs notes lines
Kernels:    exports kallsyms btf config keys sections identity

Examples:
  ringside inspect hello.ko
  ringside inspect hello.ko params relocs
  ringside inspect /boot/vmlinuz-$(uname -r) exports --json
`;

const noSuchFile: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

interface Inspected {
  readonly kind: 'module' | 'kernel' | 'ELF file';
  readonly views: Views;
}

/** `ringside inspect FILE [WHAT...]`. Returns 0; bad input is thrown as `InputError` or `FormatError`. */
export async function inspectCommand(args: readonly string[], io: FileCommandIo): Promise<number> {
  const options = parseOptions('inspect', args, [
    { name: 'json', help: 'JSON instead of text' },
    { name: 'kernel', value: 'KERNEL', help: 'the kernel of a module' },
    { name: 'help', short: 'h', help: 'this text' },
  ]);
  if (options.flag('help')) {
    io.stdout(usage);
    return 0;
  }
  const [path, ...wanted] = options.positionals;
  if (path === undefined)
    throw new InputError('Cannot inspect: no file is named; see "ringside inspect --help"');
  try {
    const inspected = await open(path, wanted, options.value('kernel'), io);
    const names = wanted.includes('all') ? Object.keys(inspected.views) : wanted;
    for (const name of names) checkName(name, path, inspected);
    if (options.flag('json')) await printJson(path, inspected, names, io);
    else await printText(inspected, names, io);
    return 0;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new InputError(`Cannot inspect "${path}": ${error.message}`, { cause: error });
  }
}

async function open(
  path: string,
  wanted: readonly string[],
  kernel: string | undefined,
  io: FileCommandIo,
): Promise<Inspected> {
  const stored = await read(path, io);
  const kernelFile = detectKernelFile(stored);
  if (isSpecFile(stored) || kernelFile === 'bzImage' || kernelFile === 'package')
    return await openKernel(path);
  const bytes = await decompressDetected(stored);
  const elf = new ElfFile(bytes);
  if (elf.header.type === ET_REL) return { kind: 'module', views: moduleViews(readModule(bytes), kernel) };
  const views = elfViews(elf);
  const isKernel = elf.section('__ksymtab') !== undefined;
  return isKernel && !wanted.every((name) => Object.hasOwn(views, name))
    ? await openKernel(path)
    : { kind: 'ELF file', views };
}

async function openKernel(path: string): Promise<Inspected> {
  const { resolveKernel } = await import('../node/index.ts');
  // A path, even if a kernel in the store has that name.
  const spec = await resolveKernel(path.includes('/') ? path : `./${path}`);
  return { kind: 'kernel', views: kernelViews(spec) };
}

async function read(path: string, io: FileCommandIo): Promise<Uint8Array> {
  try {
    return await io.readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new InputError(`Cannot inspect "${path}": ${noSuchFile[code] ?? code}`, { cause: error });
  }
}

function checkName(name: string, path: string, { kind, views }: Inspected): void {
  if (Object.hasOwn(views, name)) return;
  const guess = closest(name, Object.keys(views));
  const way = guess === undefined ? '' : `did you mean "${guess}"? `;
  throw new InputError(
    `Cannot inspect "${name}" of "${path}": a ${kind} has no such thing; ${way}it has ${Object.keys(views).join(', ')}`,
  );
}

/** How many rows each view has; an unreadable one says why. */
async function* overview(views: Views): AsyncGenerator<Row> {
  for (const [what, view] of Object.entries(views)) {
    try {
      let entries = view.count?.() ?? 0;
      if (view.count === undefined) for (const _ of await view.rows()) entries++;
      yield { what, entries, about: view.summary };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      yield { what, entries: undefined, about: error.message };
    }
  }
}

async function printText(
  { kind, views }: Inspected,
  names: readonly string[],
  io: FileCommandIo,
): Promise<void> {
  if (names.length === 0) {
    const rows: Row[] = [];
    for await (const row of overview(views)) rows.push(row);
    io.stdout(`${kind}\n\n${formatRows(rows)}`);
    return;
  }
  for (const [index, name] of names.entries()) {
    const view = views[name]!;
    const rows = [...(await view.rows())];
    if (names.length > 1) io.stdout(`${index === 0 ? '' : '\n'}${name}:\n`);
    io.stdout(rows.length === 0 ? 'none\n' : formatRows(rows, view.hex));
  }
}

async function printJson(
  path: string,
  { kind, views }: Inspected,
  names: readonly string[],
  io: FileCommandIo,
): Promise<void> {
  io.stdout(`{"file":${JSON.stringify(path)},"kind":${JSON.stringify(kind)}`);
  const tables: Record<string, AsyncIterable<Row> | Iterable<Row>> = {};
  if (names.length === 0) tables['overview'] = overview(views);
  for (const name of names) tables[name] = await views[name]!.rows();
  for (const [name, rows] of Object.entries(tables)) {
    const lines: string[] = [];
    for await (const row of rows) lines.push(JSON.stringify(row));
    io.stdout(`,\n${JSON.stringify(name)}:[\n${lines.join(',\n')}\n]`);
  }
  io.stdout('}\n');
}
