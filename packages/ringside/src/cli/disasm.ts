import { addrToU64, FormatError, hex64, InputError } from '../bytes/index.ts';
import { decompressDetected } from '../compression/index.ts';
import { ElfFile } from '../elf/index.ts';
import {
  blocksInOrder,
  type DisassemblyOptions,
  printGraph,
  printNodes,
  printWasm,
  type TranslatedText,
  translateToText,
  wasmBytes,
} from '../translate/index.ts';
import { type Instruction, printInstruction } from '../x86/index.ts';
import { FileText, type TextFunction } from './disasm-text.ts';
import { formatRows } from './inspect-table.ts';
import type { FileCommandIo } from './modinfo-io.ts';
import { parseOptions } from './options.ts';
import { closest } from './suggest.ts';

const STAGES = ['x86', 'cfg', 'ir', 'wasm'] as const;
type Stage = (typeof STAGES)[number];

const usage = `Usage: ringside disasm FILE [FUNCTION] [--stage STAGE]... [--tier TIER]
                       [--plain] [--json]

Prints what the engine makes of a function: its instructions with bytes, relocations, source lines
and the size of their WebAssembly; the control flow graph; the intermediate form; the WebAssembly.
FILE is a module (.ko, .ko.xz, .ko.zst, .ko.gz) or any x86-64 ELF file; nothing of it is run.
FUNCTION is a name or an address (0x...). Without it: all functions, with their sizes.

  --stage STAGE   x86, cfg, ir, wasm (several with commas) or all, the default
  --tier TIER     quick (the default), or hot: what functions become that run often, with callees of
                  the same file in their calls' place and small loops copied
  --plain         without checks of memory accesses (what the checks add is the difference)
  --json          one JSON object

Examples:
  ringside disasm hello.ko
  ringside disasm hello.ko hello_init
  ringside disasm hello.ko hello_init --stage x86,wasm
`;

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** `ringside disasm FILE [FUNCTION]`. Returns 0; bad input is thrown as `InputError`. */
export async function disasmCommand(args: readonly string[], io: FileCommandIo): Promise<number> {
  const options = parseOptions('disasm', args, [
    { name: 'stage', value: 'STAGE', help: 'what to print' },
    { name: 'tier', value: 'TIER', help: 'quick or hot' },
    { name: 'plain', help: 'without checks' },
    { name: 'json', help: 'JSON instead of text' },
    { name: 'help', short: 'h', help: 'this text' },
  ]);
  if (options.flag('help')) {
    io.stdout(usage);
    return 0;
  }
  const [path, name, ...rest] = options.positionals;
  if (path === undefined) {
    throw new InputError('Cannot disassemble: no file is named; see "ringside disasm --help"');
  }
  if (rest.length > 0) throw new InputError(`Cannot disassemble "${rest[0]}" too: one function at a time`);
  const stages = readStages(options.value('stage') ?? 'all');
  const how = { checked: options.flag('plain') !== true, tier: readTier(options.value('tier') ?? 'quick') };
  const json = options.flag('json') === true;
  try {
    const text = new FileText(new ElfFile(await decompressDetected(await read(path, io))));
    if (name === undefined) list(path, text, how, json, io);
    else {
      const fn = find(text, name);
      const all = translate(text, fn.start, how);
      io.stdout(
        json ? `${JSON.stringify(asJson(path, text, fn, all, stages))}\n` : asText(text, fn, all, stages),
      );
    }
    return 0;
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof InputError)) throw error;
    throw new InputError(`Cannot disassemble "${path}": ${error.message}`, { cause: error });
  }
}

function readStages(value: string): Set<Stage> {
  const names = value === 'all' ? STAGES : value.split(',');
  for (const name of names) {
    if (STAGES.some((stage) => stage === name)) continue;
    throw new InputError(`There is no stage "${name}": write ${STAGES.join(', ')} or all`);
  }
  return new Set(names as readonly Stage[]);
}

async function read(path: string, io: FileCommandIo): Promise<Uint8Array> {
  try {
    return await io.readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new InputError(unreadable[code] ?? code, { cause: error });
  }
}

function find(text: FileText, name: string): TextFunction {
  const found = text.functions.find((f) => f.name === name);
  if (found !== undefined) return found;
  if (/^0x[0-9a-f]{1,16}$/i.test(name)) {
    const start = Number(BigInt.asIntN(64, BigInt(name)));
    if (text.isText(start)) return { name, start, size: 0 };
    throw new InputError(`there is no machine code at ${name}`);
  }
  const names = text.functions.map((f) => f.name);
  const guess = closest(name, names);
  throw new InputError(
    `it has no function "${name}"; ${guess === undefined ? '' : `did you mean "${guess}"? `}without a name, the ${names.length} functions are listed`,
  );
}

/** How to translate. */
type Manner = Pick<DisassemblyOptions, 'checked' | 'tier'>;

function readTier(name: string): Manner['tier'] {
  if (name === 'quick' || name === 'hot') return name;
  throw new InputError(`There is no tier "${name}": write quick or hot`);
}

function translate(text: FileText, addr: number, how: Manner): TranslatedText {
  return translateToText(text.bytes, (at) => text.isText(at), addr, {
    ...how,
    functionAt: (at) => text.functionAt(at),
    thunkAt: (at) => text.thunkAt(at),
  });
}

function list(path: string, text: FileText, how: Manner, json: boolean, io: FileCommandIo): void {
  const rows = text.functions.map((f) => {
    const { fn, code } = translate(text, f.start, how);
    return {
      function: f.name,
      place: text.placeOf(f.start),
      bytes: f.size,
      instructions: fn.instructionCount,
      wasm: code.length,
    };
  });
  if (json) io.stdout(`${JSON.stringify({ file: path, functions: rows })}\n`);
  else io.stdout(rows.length === 0 ? 'no functions with sizes: name an address\n' : formatRows(rows));
}

interface InstructionRow {
  readonly addr: string;
  readonly place: string;
  readonly bytes: string;
  readonly text: string;
  readonly relocations: readonly string[];
  readonly source: string | undefined;
  readonly wasm: number;
}

function instructionRow(
  text: FileText,
  ins: Instruction,
  sizes: ReadonlyMap<Instruction, number>,
): InstructionRow {
  const source = text.sourceOf(ins.addr);
  const low = ins.addr >>> 0;
  return {
    addr: hex64(ins.addr),
    place: text.placeOf(ins.addr),
    bytes: Array.from(text.bytes.subarray(low, low + ins.length), (b) =>
      b.toString(16).padStart(2, '0'),
    ).join(' '),
    text: printInstruction(ins, (at) => branchName(text, at)),
    relocations: text.relocations
      .filter(({ addr }) => addr >= ins.addr && addr < ins.addr + ins.length)
      .map((r) => r.text),
    source: source === undefined ? undefined : `${source.file}:${source.line}`,
    wasm: sizes.get(ins) ?? 0,
  };
}

function branchName(text: FileText, at: number): string {
  const name = text.nameOf(at);
  return name === undefined ? `0x${addrToU64(at).toString(16)}` : `0x${addrToU64(at).toString(16)} <${name}>`;
}

function asText(text: FileText, f: TextFunction, all: TranslatedText, stages: ReadonlySet<Stage>): string {
  const { fn, code } = all;
  const sizes = wasmBytes(all);
  const lines = [
    `${f.name}: ${text.placeOf(f.start)}, ${f.size} bytes, ${fn.instructionCount} instructions, ${code.length} bytes of wasm`,
  ];
  if (stages.has('x86')) {
    lines.push('', 'instructions, and bytes of wasm:');
    let line: string | undefined;
    for (const block of blocksInOrder(fn)) {
      lines.push(`  ${hex64(block.start)}: ${text.placeOf(block.start)}`);
      for (const ins of block.instructions) {
        const row = instructionRow(text, ins, sizes);
        if (row.source !== undefined && row.source !== line) lines.push(`    # ${row.source}`);
        line = row.source ?? line;
        const note = row.relocations.length === 0 ? '' : `  # ${row.relocations.join(', ')}`;
        lines.push(
          `    ${row.addr}  ${row.bytes.padEnd(30)} ${String(row.wasm).padStart(4)}  ${row.text}${note}`,
        );
      }
    }
  }
  const symbol = (at: number): string => branchName(text, at);
  if (stages.has('cfg')) lines.push('', 'control flow:', printGraph(fn, symbol).replace(/^/gm, '  '));
  if (stages.has('ir')) lines.push('', 'intermediate form:', printNodes(all).replace(/^/gm, '  '));
  if (stages.has('wasm'))
    lines.push('', `wasm (${code.length} bytes):`, printWasm(all, symbol).replace(/^/gm, '  '));
  return `${lines.join('\n')}\n`;
}

function asJson(
  path: string,
  text: FileText,
  f: TextFunction,
  all: TranslatedText,
  stages: ReadonlySet<Stage>,
): object {
  const { fn, code } = all;
  const sizes = wasmBytes(all);
  const symbol = (at: number): string => branchName(text, at);
  const blocks = blocksInOrder(fn);
  return {
    file: path,
    function: f.name,
    addr: hex64(f.start),
    place: text.placeOf(f.start),
    bytes: f.size,
    wasmBytes: code.length,
    ...(stages.has('x86')
      ? { instructions: blocks.flatMap((b) => b.instructions.map((ins) => instructionRow(text, ins, sizes))) }
      : {}),
    ...(stages.has('cfg')
      ? {
          blocks: blocks.map((b) => ({
            addr: hex64(b.start),
            instructions: b.instructions.length,
            end: b.terminator.kind,
          })),
        }
      : {}),
    ...(stages.has('ir') ? { ir: printNodes(all).split('\n') } : {}),
    ...(stages.has('wasm') ? { wasm: printWasm(all, symbol).split('\n') } : {}),
  };
}
