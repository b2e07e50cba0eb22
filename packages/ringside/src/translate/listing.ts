import { hex64 } from '../bytes/index.ts';
import { printCode } from '../wasm/index.ts';
import { type Instruction, mnemonic, printInstruction, registerName } from '../x86/index.ts';
import { emitFunction } from './emit.ts';
import type { Block, CallTarget, GuestFunction, Terminator } from './guest-function.ts';
import { localName, printExpr, printStmt } from './ir.ts';
import type { LiftedFunction } from './lift-function.ts';

/** A function in all its forms. */
export interface TranslatedText {
  readonly fn: GuestFunction;
  readonly lifted: LiftedFunction;
  /** The WebAssembly body: locals and code. */
  readonly code: Uint8Array;
  /** Where each instruction's code begins in `code`, in order; at the end, where the shared ways out begin. */
  readonly marks: readonly (readonly [ins: Instruction | undefined, at: number])[];
}

/** Names addresses: of branch targets and functions. */
export type SymbolNames = (addr: number) => string | undefined;

/** Emits a function without putting it anywhere. */
export function emitForListing(fn: GuestFunction, lifted: LiftedFunction): TranslatedText {
  const marks: [Instruction | undefined, number][] = [];
  const code = emitFunction(lifted, {
    site: () => 0,
    callee: () => ({ kind: 'slot', slot: 0, table: 1, element: 0 }),
    mark: (ins, at) => marks.push([ins, at]),
  });
  return { fn, lifted, code, marks };
}

/** Bytes of WebAssembly from each instruction's beginning to that of the next. */
export function wasmBytes({ marks }: TranslatedText): ReadonlyMap<Instruction, number> {
  const sizes = new Map<Instruction, number>();
  for (const [i, [ins, at]] of marks.entries()) {
    const next = marks[i + 1];
    if (ins !== undefined && next !== undefined) sizes.set(ins, (sizes.get(ins) ?? 0) + next[1] - at);
  }
  return sizes;
}

export function blocksInOrder(fn: GuestFunction): Block[] {
  return [...fn.blocks].sort((a, b) => a.start - b.start);
}

/** How a block ends, and where that leads. */
function printTerminator(t: Terminator, symbol: SymbolNames): string {
  const target = (to: CallTarget): string =>
    to.kind === 'direct'
      ? (symbol(to.addr) ?? hex64(to.addr))
      : to.kind === 'register'
        ? `*%${registerName(to.register)}`
        : 'its operand';
  switch (t.kind) {
    case 'goto':
      return `goes on at ${hex64(t.target)}`;
    case 'branch':
      return `${mnemonic(t.ins)}: ${hex64(t.taken)}, else ${hex64(t.next)}`;
    case 'call':
      return `calls ${target(t.target)}, then ${hex64(t.next)}`;
    case 'inlined-call': {
      const callees = t.guesses.map((addr) => symbol(addr) ?? hex64(addr)).join(', ');
      return `calls ${target(t.target)}, in place ${callees}, then ${hex64(t.next)}`;
    }
    case 'inlined-return':
      return `returns to ${hex64(t.to)}`;
    case 'tail':
      return `leaves to ${target(t.target)}`;
    case 'return':
      return 'returns';
    case 'cut':
      return `through the dispatcher to ${hex64(t.target)}`;
    case 'bad':
      return `no instruction at ${hex64(t.addr)} (${t.bytes.reason})`;
  }
}

/** The control flow graph: one line a block. */
export function printGraph(fn: GuestFunction, symbol: SymbolNames = () => undefined): string {
  return blocksInOrder(fn)
    .map(
      (b) =>
        `${hex64(b.start)}: ${b.instructions.length} instructions, ${printTerminator(b.terminator, symbol)}`,
    )
    .join('\n');
}

/** A translated function as text: guest instructions by block, the intermediate form, the WebAssembly code. */
export function printListing(text: TranslatedText): string {
  const { fn, code } = text;
  const sizes = wasmBytes(text);
  const lines: string[] = [`function ${hex64(fn.entry)}: ${fn.instructionCount} instructions`];
  lines.push('', 'guest, and bytes of wasm:');
  for (const block of blocksInOrder(fn)) {
    lines.push(`  ${hex64(block.start)}:`);
    for (const ins of block.instructions) {
      lines.push(`    ${printInstruction(ins).padEnd(40)}${String(sizes.get(ins) ?? 0).padStart(4)}`);
    }
  }
  lines.push('', 'intermediate form:', printNodes(text).replace(/^/gm, '  '));
  lines.push(
    '',
    `wasm (${code.length} bytes, ${Math.round(code.length / fn.instructionCount)} an instruction):`,
  );
  lines.push(printWasm(text).replace(/^/gm, '  '));
  return lines.join('\n');
}

/** The intermediate form: nodes in the order in which they are structured. */
export function printNodes({ lifted }: TranslatedText): string {
  const lines: string[] = [];
  for (const node of lifted.nodes) {
    const name =
      node.block === undefined ? `node ${node.id}` : `node ${node.id} (${hex64(node.block.start)})`;
    lines.push(`${name}:`);
    for (const stmt of node.stmts) lines.push(printStmt(stmt, '  '));
    const to = node.successors.map((s) => s.id);
    switch (node.end.kind) {
      case 'branch':
        lines.push(`  branch ${printExpr(node.end.condition)} ? ${to[0]} : ${to[1]}`);
        break;
      case 'goto':
        if (to.length > 0) lines.push(`  goto ${to[0]}`);
        break;
      case 'call':
      case 'tail': {
        const callee = node.end.callee;
        const text = callee.kind === 'direct' ? hex64(callee.addr) : printExpr(callee.slot);
        lines.push(`  ${node.end.kind} ${text}${to.length > 0 ? `, then ${to[0]}` : ''}`);
        break;
      }
      case 'never':
        break;
    }
    for (const [i, edge] of node.edges.entries()) {
      if (edge.length === 0) continue;
      lines.push(`  on the way to ${to[i]}:`);
      for (const stmt of edge) lines.push(printStmt(stmt, '    '));
    }
  }
  return lines.join('\n');
}

/** The WebAssembly code, with the guest's instructions as comments where their code begins. */
export function printWasm({ code, marks }: TranslatedText, symbol?: SymbolNames): string {
  const body = withoutLocals(code);
  const skipped = code.length - body.length;
  const notes = new Map<number, string>();
  for (const [ins, at] of marks) {
    if (ins === undefined) continue;
    const before = notes.get(at - skipped);
    const name = printInstruction(ins, symbol);
    notes.set(at - skipped, before === undefined ? name : `${before}; ${name}`);
  }
  return printCode(body, localName, notes);
}

function withoutLocals(body: Uint8Array): Uint8Array {
  let p = 0;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[p++]!;
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  const runs = u32();
  for (let i = 0; i < runs; i++) {
    u32();
    p++;
  }
  return body.subarray(p);
}
