import { OP } from '../wasm/index.ts';
import { slotOffset } from './engine-layout.ts';
import type { FlowNode } from './flow-graph.ts';
import { c32, guest, load, type Stmt } from './ir.ts';
import { RSP } from './register-file.ts';

/** Loads at entries and after calls what is read later; tells every exit which registers it stores. */
export function placeRegisters(nodes: readonly FlowNode[]): void {
  for (const node of nodes) node.hasExit = node.context !== undefined && node.context.exits.length > 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes) {
      let dirty = 0;
      for (const p of node.predecessors) dirty |= p.dirtyOut;
      const out = node.synced ? 0 : dirty | node.defs;
      if (dirty !== node.dirtyIn || out !== node.dirtyOut) {
        node.dirtyIn = dirty;
        node.dirtyOut = out;
        changed = true;
      }
    }
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i]!;
      let live = 0;
      for (const s of node.successors) live |= s.role === 'reload' ? s.liveIn & keptAcross(node) : s.liveIn;
      live = (live & ~node.defs) | node.uses | (node.hasExit ? node.dirtyIn : 0);
      if (live !== node.liveIn) {
        node.liveIn = live;
        changed = true;
      }
    }
  }
  for (const node of nodes) {
    if (node.context !== undefined) {
      for (const { exit, defs } of node.context.exits) exit.dirty = node.dirtyIn | defs;
    }
    if (node.role !== 'entry' && node.role !== 'reload') continue;
    const kept = node.role === 'reload' ? keptAcross(node.predecessors[0]!) : 0;
    const live = (node.successors[0]!.liveIn | node.uses) & ~kept;
    const loads: Stmt[] = [];
    for (let r = 0; r < 16; r++) if (live & (1 << r)) loads.push(reload(r));
    node.stmts.splice(node.loadsAt, 0, ...loads);
  }
}

/** Registers whose locals are right after a call. */
function keptAcross(node: FlowNode): number {
  return node.end.kind === 'call' && node.end.keepsStack ? 1 << RSP : 0;
}

function reload(r: number): Stmt {
  return { kind: 'set', local: guest(r).n, value: load(OP['i64.load'], c32(0), slotOffset(r)) };
}
