import type { Instruction } from '../x86/index.ts';
import { type FlowNode, link, newNode } from './flow-graph.ts';
import { type Block, type GuestFunction, newBlock, type Terminator } from './guest-function.ts';
import { unrollCount } from './loop-copies.ts';

/** The nodes of a function, before anything is lifted: lifting a block needs to know what comes before it. */
export function buildGraph(fn: GuestFunction, copyLoops: boolean): FlowNode {
  let nextId = 0;
  const root = newNode(nextId++, 'entry');
  root.end = { kind: 'goto' };
  const starts = new Map<Block, FlowNode>();
  const bodies = fn.blocks.map((block) => {
    const node = newNode(nextId++, 'block', block);
    starts.set(block, node);
    return node;
  });
  const outside = new Map<number, FlowNode>();
  /** A node that goes on outside: by a jump, or because the text was read only so far. */
  const exitTo = (addr: number, jump: Instruction | undefined): FlowNode => {
    let node = outside.get(addr);
    if (node === undefined) {
      const terminator: Terminator =
        jump === undefined
          ? { kind: 'cut', target: addr }
          : { kind: 'tail', ins: jump, target: { kind: 'direct', addr } };
      node = newNode(nextId++, 'block', newBlock(addr, [], terminator, -1));
      outside.set(addr, node);
    }
    return node;
  };
  const to = (block: Block | undefined, addr: number, jump: Instruction | undefined): FlowNode =>
    block === undefined ? exitTo(addr, jump) : starts.get(block)!;
  const afterCall = (node: FlowNode, next: Block | undefined, addr: number): void => {
    const reload = newNode(nextId++, 'reload');
    reload.end = { kind: 'goto' };
    link(node, reload);
    link(reload, to(next, addr, undefined));
  };
  // Gates first: who goes to such a block goes to its gate.
  const loops: { body: FlowNode; copies: FlowNode[]; gate: FlowNode }[] = [];
  if (copyLoops) {
    for (const body of bodies) {
      const count = unrollCount(body.block!);
      if (count < 2) continue;
      const gate = newNode(nextId++, 'gate', body.block, 0, count);
      const copies = Array.from({ length: count }, (_, i) =>
        newNode(nextId++, 'block', body.block, i + 1, count),
      );
      starts.set(body.block!, gate);
      loops.push({ body, copies, gate });
    }
  }
  link(root, to(fn.blocks[0], fn.entry, undefined));
  for (const node of bodies) {
    const block = node.block!;
    const t = block.terminator;
    switch (t.kind) {
      case 'goto':
        link(node, to(block.successors[0], t.target, undefined));
        break;
      case 'branch':
        link(node, to(block.successors[0], t.taken, t.ins));
        link(node, to(block.successors[1], t.next, undefined));
        break;
      case 'call':
        afterCall(node, block.successors[0], t.next);
        break;
      case 'inlined-call': {
        const n = t.guesses.length;
        let at = node;
        for (let i = 0; i < n; i++) {
          link(at, starts.get(block.successors[i]!)!);
          if (t.target.kind === 'direct') break;
          const guess = newNode(nextId++, 'guess', block, i + 1);
          link(at, guess);
          at = guess;
        }
        if (t.target.kind !== 'direct') afterCall(at, block.successors[n], t.next);
        break;
      }
      case 'inlined-return':
        link(node, to(block.successors[0], t.to, undefined));
        break;
      default:
    }
  }
  for (const { body, copies, gate } of loops) {
    const t = body.block!.terminator;
    if (t.kind !== 'branch') continue;
    link(gate, copies[0]!);
    link(gate, body);
    for (const [i, copy] of copies.entries()) {
      link(copy, copies[i + 1] ?? gate);
      link(copy, to(body.block!.successors[1], t.next, undefined));
    }
  }
  return root;
}
