import type { Block } from './guest-function.ts';
import type { Expr, Stmt } from './ir.ts';
import type { LiftContext } from './lift-context.ts';

/**
 * entry: the function's start. block: a guest block, or a copy of one. reload: loads registers after a call.
 * guess: of an inlined call, a further callee that may be meant; the last one calls whatever it is.
 * gate: before the copies of a loop's block, whether all of them can be run.
 */
export type NodeRole = 'entry' | 'block' | 'reload' | 'guess' | 'gate';

/** A function as a graph of nodes, ready to be structured. */
export interface FlowNode {
  readonly id: number;
  readonly role: NodeRole;
  /** The guest block of nodes that come from one. */
  readonly block: Block | undefined;
  /** Of a block's copies 1 to `copies`, which one this is; 0: the block itself. */
  readonly copy: number;
  readonly copies: number;
  /** Place in the reverse postorder, while the graph is structured. */
  order: number;
  /** The last walk over the graph that came by. */
  visit: number;
  stmts: Stmt[];
  /** Of an entry or a reload, before which statement registers are loaded. */
  loadsAt: number;
  /** Statements made on the way to each successor. */
  edges: Stmt[][];
  successors: FlowNode[];
  end: NodeEnd;
  predecessors: FlowNode[];
  /** Guest registers read before written, written; whether anything leaves the function from inside. */
  uses: number;
  defs: number;
  hasExit: boolean;
  /** What it was lifted with; not of a reload. */
  context: LiftContext | undefined;
  /** The register file is exact at the end: something was called. */
  synced: boolean;
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
  /**
   * Calls; goes on at the successor when it comes back to `returnTo` (and, with `keepsStack`, with the stack pointer as
   * before the call, which then needs no loading), else returns what it got.
   */
  | {
      readonly kind: 'call';
      readonly callee: Callee;
      readonly returnTo: number;
      readonly keepsStack: boolean;
    }
  | { readonly kind: 'tail'; readonly callee: Callee };

export type Callee =
  | { readonly kind: 'direct'; readonly addr: number }
  /** A table slot in an expression. */
  | { readonly kind: 'slot'; readonly slot: Expr };

export function newNode(id: number, role: NodeRole, block?: Block, copy = 0, copies = 0): FlowNode {
  return {
    id,
    role,
    block,
    copy,
    copies,
    order: -1,
    visit: 0,
    stmts: [],
    loadsAt: 0,
    edges: [],
    successors: [],
    end: { kind: 'never' },
    predecessors: [],
    uses: 0,
    defs: 0,
    hasExit: false,
    context: undefined,
    synced: false,
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

let visits = 0;

/** Reverse postorder from the root. */
export function reversePostorder(root: FlowNode): FlowNode[] {
  const order: FlowNode[] = [];
  const visit = ++visits;
  root.visit = visit;
  const stack = [root];
  const next = [0];
  while (stack.length > 0) {
    const top = stack.length - 1;
    const node = stack[top]!;
    const successor = node.successors[next[top]!++];
    if (successor === undefined) {
      order.push(node);
      stack.pop();
      next.pop();
    } else if (successor.visit !== visit) {
      successor.visit = visit;
      stack.push(successor);
      next.push(0);
    }
  }
  return order.reverse();
}
