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
  // The rest is by a node's place in the order.
  /** Nodes that several forward edges lead to. */
  readonly merges: Uint8Array;
  /** Of those, the ones that a node dominates at once, the last first. */
  readonly mergesBelow: readonly (readonly FlowNode[] | undefined)[];
  /** Nodes that edges backwards lead to. */
  readonly loops: Uint8Array;
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
  let depth = 0;
  /** How deep the loop of a node and the block before it are nested; by place in the order. */
  const loopDepth = new Int32Array(shape.order.length);
  const blockDepth = new Int32Array(shape.order.length);
  const open = (): number => {
    depth++;
    emitter.depth = depth;
    return depth;
  };
  const close = (): void => {
    depth--;
    emitter.depth = depth;
  };
  const depthOf = (depths: Int32Array, node: FlowNode): number => {
    const at = depths[node.order]!;
    if (at === 0) throw new InvariantError('nothing to branch to around this place');
    return depth - at;
  };
  /** How many levels to leave to get to a successor; -1 when it is placed right here. */
  const levels = (from: FlowNode, to: FlowNode): number => {
    switch (shape.kind(from, to)) {
      case 'back':
        return depthOf(loopDepth, to);
      case 'dispatch':
        return depthOf(loopDepth, shape.dispatcher!);
      default:
        return shape.merges[to.order] === 1 ? depthOf(blockDepth, to) : -1;
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
      const merges = shape.mergesBelow[node.order];
      if (shape.loops[node.order] === 1) {
        out.byte(OP.loop);
        out.byte(EMPTY_BLOCK);
        loopDepth[node.order] = open();
        within(node, merges, 0);
        close();
        loopDepth[node.order] = 0;
        out.byte(OP.end);
        out.byte(OP.unreachable);
        return;
      }
      if (merges !== undefined) {
        within(node, merges, 0);
        return;
      }
      node = body(node);
    }
  };
  const within = (node: FlowNode, merges: readonly FlowNode[] | undefined, i: number): void => {
    const merge = merges?.[i];
    if (merge === undefined) {
      const next = body(node);
      if (next !== undefined) tree(next);
      return;
    }
    out.byte(OP.block);
    out.byte(EMPTY_BLOCK);
    blockDepth[merge.order] = open();
    within(node, merges, i + 1);
    close();
    blockDepth[merge.order] = 0;
    out.byte(OP.end);
    tree(merge);
  };
  const body = (node: FlowNode): FlowNode | undefined => {
    if (node === shape.dispatcher) {
      out.byte(OP['local.get']);
      out.u32(LABEL);
      out.byte(OP.br_table);
      out.u32(node.successors.length - 1);
      for (const s of node.successors) out.u32(depthOf(blockDepth, s));
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
    open();
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
  const n = order.length;
  // The predecessors of all nodes in one array: those of node i are [first[i], first[i + 1]).
  const first = new Int32Array(n + 1);
  for (const node of order) for (const s of node.successors) first[s.order + 1]!++;
  for (let i = 0; i < n; i++) first[i + 1]! += first[i]!;
  const predecessors = new Int32Array(first[n]!);
  const filled = first.slice(0, n);
  for (let i = 0; i < n; i++) for (const s of order[i]!.successors) predecessors[filled[s.order]!++] = i;
  // Cooper, Harvey, Kennedy: dominators by iteration over the reverse postorder.
  const idom = new Int32Array(n).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < n; i++) {
      let dominator = -1;
      for (let k = first[i]!; k < first[i + 1]!; k++) {
        let a = predecessors[k]!;
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
  const merges = new Uint8Array(n);
  const loops = new Uint8Array(n);
  const mergesBelow = new Array<FlowNode[] | undefined>(n).fill(undefined);
  // From the last to the first, so that a node's merges are in that order.
  for (let i = n - 1; i >= 0; i--) {
    let forward = 0;
    for (let k = first[i]!; k < first[i + 1]!; k++) {
      const p = predecessors[k]!;
      if (p < i) forward++;
      else if (dominates(i, p)) loops[i] = 1;
      else if (dispatcher !== undefined) loops[dispatcher.order] = 1;
      if (order[p] === dispatcher) forward++;
    }
    if (forward <= 1) continue;
    merges[i] = 1;
    const above = idom[i]!;
    const below = mergesBelow[above];
    if (below === undefined) mergesBelow[above] = [order[i]!];
    else below.push(order[i]!);
  }
  return { order, merges, mergesBelow, loops, dispatcher, kind };
}
