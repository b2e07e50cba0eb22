import { InvariantError } from '../bytes/index.ts';
import { type CodeWriter, EMPTY_BLOCK, OP } from '../wasm/index.ts';
import { type FlowNode, newNode, reversePostorder } from './flow-graph.ts';
import { LABEL } from './ir.ts';

/** What structuring leaves to the emitter. */
export interface NodeEmitter {
  /** How deep the present place is nested; kept by `writeStructured`. */
  depth: number;
  /** The node's statements, and its end if it has no successors. */
  body(node: FlowNode): void;
  /** The condition of a branch, as an i32 on the stack. */
  condition(node: FlowNode): void;
  /** Statements on the way to successor `index`. */
  edge(node: FlowNode, index: number): void;
  /** A call: leaves unless it came back to the right place. */
  call(node: FlowNode): void;
}

type Edge = 'forward' | 'back' | 'dispatch';

interface Shape {
  readonly order: readonly FlowNode[];
  readonly children: ReadonlyMap<FlowNode, FlowNode[]>;
  readonly merges: ReadonlySet<FlowNode>;
  readonly loops: ReadonlySet<FlowNode>;
  /** The node that dispatches on LABEL, and the nodes it goes to. */
  readonly dispatcher: FlowNode | undefined;
  kind(from: FlowNode, to: FlowNode): Edge;
}

/**
 * Writes a graph as nested blocks and loops, from its dominator tree: what a node dominates is nested in it, a node
 * with several forward predecessors follows a block that they leave. Edges backwards to a node that does not dominate
 * them (irreducible control flow: 4 % of functions have some) go through a loop that dispatches on a label.
 *
 * Source: N. Ramsey, "Beyond Relooper", ICFP 2022.
 */
export function writeStructured(root: FlowNode, out: CodeWriter, emitter: NodeEmitter): void {
  const shape = analyse(root);
  const context: { kind: 'loop' | 'block' | 'if'; node: FlowNode | undefined }[] = [];
  const open = (kind: 'loop' | 'block' | 'if', node: FlowNode | undefined): void => {
    context.push({ kind, node });
    emitter.depth = context.length;
  };
  const close = (): void => {
    context.pop();
    emitter.depth = context.length;
  };
  const depthOf = (kind: 'loop' | 'block', node: FlowNode): number => {
    for (let i = context.length - 1; i >= 0; i--) {
      if (context[i]!.kind === kind && context[i]!.node === node) return context.length - 1 - i;
    }
    throw new InvariantError(`no ${kind} to branch to`);
  };
  /** How many levels to leave to get to a successor; -1 when it is placed right here. */
  const levels = (from: FlowNode, to: FlowNode): number => {
    switch (shape.kind(from, to)) {
      case 'back':
        return depthOf('loop', to);
      case 'dispatch':
        return depthOf('loop', shape.dispatcher!);
      default:
        return shape.merges.has(to) ? depthOf('block', to) : -1;
    }
  };
  const goTo = (from: FlowNode, index: number): FlowNode | undefined => {
    const to = from.successors[index]!;
    emitter.edge(from, index);
    if (shape.kind(from, to) === 'dispatch') {
      out.byte(OP['i32.const']);
      out.s32(shape.dispatcher!.successors.indexOf(to));
      out.byte(OP['local.set']);
      out.u32(LABEL);
    }
    const n = levels(from, to);
    if (n < 0) return to;
    out.byte(OP.br);
    out.u32(n);
    return undefined;
  };

  const tree = (start: FlowNode): void => {
    // The node that follows directly is written in this loop, so that long chains do not recurse.
    for (let node: FlowNode | undefined = start; node !== undefined; ) {
      const merges: FlowNode[] = shape.children.get(node)!.filter((k) => shape.merges.has(k));
      merges.sort((a, b) => b.order - a.order);
      if (shape.loops.has(node)) {
        out.byte(OP.loop);
        out.byte(EMPTY_BLOCK);
        open('loop', node);
        within(node, merges, 0);
        close();
        out.byte(OP.end);
        out.byte(OP.unreachable);
        return;
      }
      if (merges.length > 0) {
        within(node, merges, 0);
        return;
      }
      node = body(node);
    }
  };
  const within = (node: FlowNode, merges: readonly FlowNode[], i: number): void => {
    const merge = merges[i];
    if (merge === undefined) {
      const next = body(node);
      if (next !== undefined) tree(next);
      return;
    }
    out.byte(OP.block);
    out.byte(EMPTY_BLOCK);
    open('block', merge);
    within(node, merges, i + 1);
    close();
    out.byte(OP.end);
    tree(merge);
  };
  const body = (node: FlowNode): FlowNode | undefined => {
    if (node === shape.dispatcher) {
      out.byte(OP['local.get']);
      out.u32(LABEL);
      out.byte(OP.br_table);
      out.u32(node.successors.length - 1);
      for (const s of node.successors) out.u32(depthOf('block', s));
      return undefined;
    }
    emitter.body(node);
    switch (node.end.kind) {
      case 'never':
      case 'tail':
        return undefined;
      case 'goto':
        return node.successors.length === 0 ? undefined : goTo(node, 0);
      case 'call':
        emitter.call(node);
        return goTo(node, 0);
      case 'branch':
        return branch(node);
    }
  };
  const branch = (node: FlowNode): FlowNode | undefined => {
    const plain = (i: number): boolean =>
      node.edges[i]!.length === 0 &&
      shape.kind(node, node.successors[i]!) !== 'dispatch' &&
      levels(node, node.successors[i]!) >= 0;
    emitter.condition(node);
    if (plain(0)) {
      out.byte(OP.br_if);
      out.u32(levels(node, node.successors[0]!));
      return goTo(node, 1);
    }
    if (plain(1)) {
      out.byte(OP['i32.eqz']);
      out.byte(OP.br_if);
      out.u32(levels(node, node.successors[1]!));
      return goTo(node, 0);
    }
    // The side that does not end here goes behind the `if`.
    const [inner, outer] =
      levels(node, node.successors[0]!) < 0 && levels(node, node.successors[1]!) >= 0 ? [1, 0] : [0, 1];
    if (inner === 1) out.byte(OP['i32.eqz']);
    out.byte(OP.if);
    out.byte(EMPTY_BLOCK);
    open('if', undefined);
    const next = goTo(node, inner);
    if (next !== undefined) tree(next);
    close();
    out.byte(OP.end);
    return goTo(node, outer);
  };
  tree(shape.order[0]!);
}

function analyse(entry: FlowNode): Shape {
  let dispatcher: FlowNode | undefined;
  const targets: FlowNode[] = [];
  for (;;) {
    if (targets.length > 0) {
      dispatcher = newNode(-1, 'entry');
      dispatcher.successors = [entry, ...targets];
      dispatcher.edges = dispatcher.successors.map(() => []);
      dispatcher.end = { kind: 'goto' };
    }
    const shape = shapeOf(dispatcher ?? entry, dispatcher);
    let more = false;
    for (const node of shape.order) {
      for (const s of node.successors) {
        if (shape.kind(node, s) === 'dispatch' && !targets.includes(s) && s !== entry) {
          targets.push(s);
          more = true;
        }
      }
    }
    if (!more) return shape;
  }
}

function shapeOf(root: FlowNode, dispatcher: FlowNode | undefined): Shape {
  const order = reversePostorder(root);
  for (let i = 0; i < order.length; i++) order[i]!.order = i;
  const predecessors: FlowNode[][] = order.map(() => []);
  for (const node of order) for (const s of node.successors) predecessors[s.order]!.push(node);
  // Cooper, Harvey, Kennedy: dominators by iteration over the reverse postorder.
  const idom: number[] = new Array(order.length).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < order.length; i++) {
      let dominator = -1;
      for (const p of predecessors[i]!) {
        let a = p.order;
        if (idom[a] === -1) continue;
        if (dominator === -1) dominator = a;
        else {
          let b = dominator;
          while (a !== b) {
            while (a > b) a = idom[a]!;
            while (b > a) b = idom[b]!;
          }
          dominator = a;
        }
      }
      if (idom[i] !== dominator) {
        idom[i] = dominator;
        changed = true;
      }
    }
  }
  const dominates = (a: number, b: number): boolean => {
    let at = b;
    while (at > a) at = idom[at]!;
    return at === a;
  };
  const kind = (from: FlowNode, to: FlowNode): Edge => {
    const a = from.order;
    const b = to.order;
    if (b > a) return 'forward';
    return dominates(b, a) ? 'back' : 'dispatch';
  };
  const merges = new Set<FlowNode>();
  const loops = new Set<FlowNode>();
  for (const node of order) {
    let forward = 0;
    for (const p of predecessors[node.order]!) {
      const k = kind(p, node);
      if (k === 'forward') forward++;
      else if (k === 'back') loops.add(node);
      else if (dispatcher !== undefined) loops.add(dispatcher);
      if (p === dispatcher) forward++;
    }
    if (forward > 1) merges.add(node);
  }
  const children = new Map<FlowNode, FlowNode[]>(order.map((node) => [node, []]));
  for (let i = 1; i < order.length; i++) children.get(order[idom[i]!]!)!.push(order[i]!);
  return { order, children, merges, loops, dispatcher, kind };
}
