import { hex64 } from '../bytes/index.ts';
import { printCode } from '../wasm/index.ts';
import { printInstruction } from '../x86/index.ts';
import type { GuestFunction } from './guest-function.ts';
import { localName, printExpr, printStmt } from './ir.ts';
import type { LiftedFunction } from './lift-function.ts';

/** A translated function as text: guest instructions by block, the intermediate form, the WebAssembly code. */
export function printListing(fn: GuestFunction, lifted: LiftedFunction, body: Uint8Array): string {
  const lines: string[] = [`function ${hex64(fn.entry)}: ${fn.instructionCount} instructions`];
  lines.push('', 'guest:');
  for (const block of [...fn.blocks.values()].sort((a, b) => a.start - b.start)) {
    lines.push(`  ${hex64(block.start)}:`);
    for (const ins of block.instructions) lines.push(`    ${printInstruction(ins)}`);
  }
  lines.push('', 'intermediate form:');
  for (const node of lifted.nodes) {
    const name =
      node.block === undefined ? `node ${node.id}` : `node ${node.id} (${hex64(node.block.start)})`;
    lines.push(`  ${name}:`);
    for (const stmt of node.stmts) lines.push(printStmt(stmt, '    '));
    const to = node.successors.map((s) => s.id);
    switch (node.end.kind) {
      case 'branch':
        lines.push(`    branch ${printExpr(node.end.condition)} ? ${to[0]} : ${to[1]}`);
        break;
      case 'goto':
        if (to.length > 0) lines.push(`    goto ${to[0]}`);
        break;
      case 'call':
      case 'tail': {
        const callee = node.end.callee;
        const text = callee.kind === 'direct' ? hex64(callee.addr) : printExpr(callee.slot);
        lines.push(`    ${node.end.kind} ${text}${to.length > 0 ? `, then ${to[0]}` : ''}`);
        break;
      }
      case 'never':
        break;
    }
    for (const [i, edge] of node.edges.entries()) {
      if (edge.length === 0) continue;
      lines.push(`    on the way to ${to[i]}:`);
      for (const stmt of edge) lines.push(printStmt(stmt, '      '));
    }
  }
  lines.push('', `wasm (${body.length} bytes):`);
  lines.push(printCode(withoutLocals(body), localName).replace(/^/gm, '  '));
  return lines.join('\n');
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
