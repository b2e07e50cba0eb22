import type { Block } from './guest-function.ts';
import type { Expr, Stmt } from './ir.ts';

/**
 * A function as a graph of nodes, ready to be structured: guest blocks, the loading of registers at entries and
 * after calls, and tails (jumps out of the function).
 */
export interface FlowNode {
  readonly id: number;
  readonly block: Block | undefined;
  /** Place in the reverse postorder, while the graph is structured. */
  order: number;
  stmts: Stmt[];
  /** Statements made on the way to each successor. */
  edges: Stmt[][];
  successors: FlowNode[];
  end: NodeEnd;
  predecessors: FlowNode[];
  /** Guest registers read before written, written; whether anything leaves the function from inside. */
  uses: number;
  defs: number;
  hasExit: boolean;
  liveIn: number;
  dirtyIn: number;
  dirtyOut: number;
}

export type NodeEnd =
  | { readonly kind: 'goto' }
  /** To the first successor when the condition holds, else to the second. */
  | { readonly kind: 'branch'; readonly condition: Expr }
  /** Nothing follows: the last statement leaves. */
  | { readonly kind: 'never' }
  /** Calls; goes on at the successor when it comes back to `returnTo`, else returns what it got. */
  | { readonly kind: 'call'; readonly callee: Callee; readonly returnTo: number }
  | { readonly kind: 'tail'; readonly callee: Callee };

export type Callee =
  | { readonly kind: 'direct'; readonly addr: number }
  /** A table slot in an expression. */
  | { readonly kind: 'slot'; readonly slot: Expr };

export function newNode(id: number, block: Block | undefined): FlowNode {
  return {
    id,
    block,
    order: -1,
    stmts: [],
    edges: [],
    successors: [],
    end: { kind: 'never' },
    predecessors: [],
    uses: 0,
    defs: 0,
    hasExit: false,
    liveIn: 0,
    dirtyIn: 0,
    dirtyOut: 0,
  };
}

export function link(from: FlowNode, to: FlowNode): void {
  from.successors.push(to);
  from.edges.push([]);
  to.predecessors.push(from);
}

/** Reverse postorder from the root. */
export function reversePostorder(root: FlowNode): FlowNode[] {
  const order: FlowNode[] = [];
  const seen = new Set<FlowNode>([root]);
  const stack: { node: FlowNode; next: number }[] = [{ node: root, next: 0 }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const successor = top.node.successors[top.next++];
    if (successor === undefined) {
      order.push(top.node);
      stack.pop();
    } else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ node: successor, next: 0 });
    }
  }
  return order.reverse();
}
