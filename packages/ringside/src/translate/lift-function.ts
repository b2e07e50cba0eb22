import { UnsupportedError } from '../bytes/index.ts';
import type { Instruction } from '../x86/index.ts';
import { planAccesses } from './access-plan.ts';
import { VECTOR } from './cpu.ts';
import { IMPORT, SLOT_FUEL, slotOffset, TARGET_CACHE } from './engine-layout.ts';
import { analyseFlags, type BlockFlags } from './flag-liveness.ts';
import { FLAG_Z } from './flag-state.ts';
import { DYNAMIC, MEMORY } from './flags.ts';
import { type Callee, type FlowNode, link, newNode, reversePostorder } from './flow-graph.ts';
import type { Block, CallTarget, GuestFunction } from './guest-function.ts';
import {
  add64,
  c32,
  c64,
  callImport,
  DEPTH,
  type Expr,
  extend,
  FKIND,
  FUEL,
  get32,
  guest,
  load,
  not32,
  op,
  type Stmt,
  wrap,
} from './ir.ts';
import { LIFTERS } from './lift/index.ts';
import { push } from './lift/movement.ts';
import { LiftContext, type MemoryMode, Temps } from './lift-context.ts';
import { RCX, RSP } from './register-file.ts';

export interface LiftOptions {
  readonly mode: MemoryMode;
  /** A function's start, called from elsewhere: fuel is looked at there. */
  readonly isFunctionStart: boolean;
  /** Share checks between accesses. Without it every access is checked on its own, in order. */
  readonly group: boolean;
  /** The index of the function of ours at the address, or -1. */
  nativeAt(addr: number): number;
}

export interface LiftedFunction {
  readonly root: FlowNode;
  /** All nodes in reverse postorder. */
  readonly nodes: readonly FlowNode[];
  readonly temps: Temps;
  readonly instructionCount: number;
}

interface LiftedBlock {
  readonly node: FlowNode;
  readonly context: LiftContext;
}

/** Guest instructions to statements: one node a basic block, one for each entry, return and way out. */
export function liftFunction(fn: GuestFunction, options: LiftOptions): LiftedFunction {
  const temps = new Temps();
  const flags = analyseFlags(fn, options.mode === 'checked');
  let nextId = 0;
  const root = newNode(nextId++, undefined);
  const byAddr = new Map<number, FlowNode>();
  for (const block of fn.blocks.values()) byAddr.set(block.start, newNode(nextId++, block));
  const tails: FlowNode[] = [];
  /** The node at an address of the function, or one that jumps out to it. */
  const nodeAt = (addr: number, from: Instruction | undefined): FlowNode => {
    const known = byAddr.get(addr);
    if (known !== undefined) return known;
    const node = newNode(nextId++, {
      start: addr,
      instructions: [],
      terminator:
        from === undefined
          ? { kind: 'cut', target: addr }
          : { kind: 'tail', ins: from, target: { kind: 'direct', addr } },
    });
    byAddr.set(addr, node);
    tails.push(node);
    return node;
  };
  // The graph first: lifting a block needs to know what comes before it.
  root.end = { kind: 'goto' };
  link(root, byAddr.get(fn.entry)!);
  for (const block of fn.blocks.values()) {
    const node = byAddr.get(block.start)!;
    const t = block.terminator;
    if (t.kind === 'goto') link(node, nodeAt(t.target, undefined));
    else if (t.kind === 'branch') {
      link(node, nodeAt(t.taken, t.ins));
      link(node, nodeAt(t.next, undefined));
    } else if (t.kind === 'call') {
      const reload = newNode(nextId++, undefined);
      reload.end = { kind: 'goto' };
      link(node, reload);
      link(reload, nodeAt(t.next, undefined));
    }
  }
  const nodes = reversePostorder(root);
  const lifted = new Map<FlowNode, LiftedBlock>();
  const waysOut = new Map<FlowNode, LiftContext>();
  if (options.isFunctionStart || options.mode !== 'hosted') {
    // Depth and fuel in one test: either below its limit makes the sign bit.
    const c = new LiftContext(options.mode, temps, MEMORY, 0);
    c.ins = { addr: fn.entry } as Instruction;
    const depth = get32(DEPTH);
    const test = options.isFunctionStart ? op('i32.or', op('i32.sub', get32(FUEL), c32(1)), depth) : depth;
    c.exit(options.isFunctionStart ? 'entry' : 'depth', op('i32.lt_s', test, c32(0)));
    root.stmts = c.stmts;
    waysOut.set(root, c);
  }
  for (const node of nodes) {
    if (node.block === undefined) continue;
    const state = flagsIn(node, lifted, flags);
    const context = new LiftContext(options.mode, temps, state.kind, state.explicit);
    lifted.set(node, { node, context });
    liftBlock(node, context, options, flags.get(node.block));
    node.stmts = context.stmts;
    node.uses = context.uses;
    node.defs = context.defs;
    node.hasExit = context.exits.length > 0;
  }
  for (const { node, context } of lifted.values()) edgesOf(node, context, lifted, flags, waysOut);
  for (const node of nodes) {
    if (node.block === undefined)
      flagsFromMemory(node, new LiftContext(options.mode, temps, MEMORY, 0), lifted, flags);
  }
  registers(nodes, lifted, waysOut);
  return { root, nodes, temps, instructionCount: fn.instructionCount };
}

/** The flag state at a block's start: that of the one block before it, or what all edges make it. */
function flagsIn(
  node: FlowNode,
  lifted: ReadonlyMap<FlowNode, LiftedBlock>,
  flags: ReadonlyMap<Block, BlockFlags>,
): { kind: number; explicit: number } {
  const first = node.predecessors[0]!;
  if (node.predecessors.length === 1) {
    const before = lifted.get(first);
    // After the entry and after calls everything is in the register file.
    return before === undefined
      ? { kind: MEMORY, explicit: 0 }
      : { kind: before.context.flags.kind, explicit: before.context.flags.explicit };
  }
  const live = flags.get(node.block!)?.liveIn ?? 0;
  let kind: number | undefined;
  for (const p of node.predecessors) {
    const of = p.block === undefined ? MEMORY : lifted.get(p)?.context.flags.kind;
    if (of === undefined || (kind !== undefined && of !== kind)) return { kind: DYNAMIC, explicit: live };
    kind = of;
  }
  return { kind: kind!, explicit: live };
}

/** What edges do: bring the flags into the form that the next block expects, look at the fuel when going backwards. */
function edgesOf(
  node: FlowNode,
  context: LiftContext,
  lifted: ReadonlyMap<FlowNode, LiftedBlock>,
  flags: ReadonlyMap<Block, BlockFlags>,
  waysOut: Map<FlowNode, LiftContext>,
): void {
  const last = node.block!.instructions.at(-1);
  for (const [i, successor] of node.successors.entries()) {
    if (successor.block === undefined) continue;
    const kind = context.flags.kind;
    const explicit = context.flags.explicit;
    const target = lifted.get(successor)!.context;
    node.edges[i] = context.collect(() => {
      if (successor.predecessors.length > 1) {
        context.flags.makeExplicit(flags.get(successor.block!)?.liveIn ?? 0);
        if (target.kindIn === DYNAMIC && context.flags.kind !== DYNAMIC)
          context.set(FKIND, c32(context.flags.kind));
      }
      const jumps = node.block!.terminator.kind === 'goto' ? last?.name === 'jmp' : i === 0;
      if (last !== undefined && jumps && context.mode !== 'hosted' && successor.block!.start <= last.addr) {
        context.notMade = 0;
        context.exit('fuel', op('i32.le_s', get32(FUEL), c32(0)), { rip: successor.block!.start });
      }
    });
    context.flags.kind = kind;
    context.flags.explicit = explicit;
  }
  waysOut.set(node, context);
}

/** At the entry and behind calls the flags are in the register file: where other paths arrive too, theirs is the form. */
function flagsFromMemory(
  node: FlowNode,
  context: LiftContext,
  lifted: ReadonlyMap<FlowNode, LiftedBlock>,
  flags: ReadonlyMap<Block, BlockFlags>,
): void {
  const successor = node.successors[0]!;
  if (successor.block === undefined || successor.predecessors.length === 1) return;
  context.flags.makeExplicit(flags.get(successor.block)?.liveIn ?? 0);
  if (lifted.get(successor)!.context.kindIn === DYNAMIC) context.set(FKIND, c32(context.flags.kind));
  node.stmts.push(...context.stmts);
}

/** Loads at entries and after calls what is read later; tells every exit which registers it stores. */
function registers(
  nodes: readonly FlowNode[],
  lifted: ReadonlyMap<FlowNode, LiftedBlock>,
  waysOut: ReadonlyMap<FlowNode, LiftContext>,
): void {
  for (const node of nodes) {
    const context = waysOut.get(node);
    if (context !== undefined) node.hasExit = context.exits.length > 0;
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes) {
      let dirty = 0;
      for (const p of node.predecessors) dirty |= p.dirtyOut;
      const clean = node.block === undefined || node.block.terminator.kind === 'call';
      const out = clean ? 0 : dirty | node.defs;
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
      if (node.end.kind !== 'call')
        for (const s of node.successors) live |= s.block === undefined ? 0 : s.liveIn;
      live = (live & ~node.defs) | node.uses | (node.hasExit ? node.dirtyIn : 0);
      if (live !== node.liveIn) {
        node.liveIn = live;
        changed = true;
      }
    }
  }
  for (const node of nodes) {
    for (const { exit, defs } of waysOut.get(node)?.exits ?? []) exit.dirty = node.dirtyIn | defs;
    if (node.block === undefined) {
      const live = node.successors[0]!.liveIn;
      for (let r = 0; r < 16; r++) if (live & (1 << r)) node.stmts.push(reload(r));
    }
  }
  void lifted;
}

function reload(r: number): Stmt {
  return { kind: 'set', local: guest(r).n, value: load('i64.load', c32(0), slotOffset(r)) };
}

function liftBlock(
  node: FlowNode,
  c: LiftContext,
  options: LiftOptions,
  flags: BlockFlags | undefined,
): void {
  const block = node.block!;
  const { instructions, terminator } = block;
  const n = instructions.length;
  if (n > 0) c.set(FUEL, op('i32.sub', get32(FUEL), c32(n)));
  if (options.group && options.mode === 'checked') c.plan = planAccesses(instructions);
  const last =
    terminator.kind === 'branch' ||
    terminator.kind === 'call' ||
    terminator.kind === 'tail' ||
    terminator.kind === 'return';
  for (let i = 0; i < n; i++) {
    const ins = instructions[i]!;
    c.ins = ins;
    c.notMade = n - i;
    c.flagsObserved = flags?.observed[i] ?? true;
    c.flagsNeeded = flags?.needed[i] ?? 0;
    c.temps.reset();
    c.emit({ kind: 'mark', ins });
    if (last && i === n - 1) break;
    if (ins.name === 'jmp') break;
    const lifter = LIFTERS.get(ins.name);
    if (lifter === undefined) {
      unsupported(c);
      return;
    }
    try {
      lifter(c, ins);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unsupported(c);
      return;
    }
    if (c.ended) return;
  }
  switch (terminator.kind) {
    case 'goto':
      node.end = { kind: 'goto' };
      return;
    case 'branch':
      node.end = { kind: 'branch', condition: branchCondition(c, terminator.ins) };
      return;
    case 'cut':
      c.ins = { addr: terminator.target } as Instruction;
      c.notMade = 0;
      c.sync();
      c.emit({ kind: 'leave', condition: undefined, rip: c64(terminator.target) });
      return;
    case 'bad':
      c.ins = { addr: terminator.addr } as Instruction;
      c.notMade = 0;
      if (terminator.bytes.reason === 'invalid') c.exception(VECTOR.UD);
      else c.exit('unsupported');
      return;
    case 'return': {
      const sp = c.reg(RSP);
      const rip = c.hold(c.loadFrom(c.access(sp, 8, false, 1), 8));
      c.setReg(RSP, add64(c.reg(RSP), 8 + terminator.extra));
      c.sync();
      c.emit({ kind: 'leave', condition: undefined, rip });
      return;
    }
    case 'call':
      transfer(node, c, options, terminator.target, terminator.next);
      return;
    case 'tail':
      c.ins = terminator.ins;
      transfer(node, c, options, terminator.target, undefined);
      return;
  }
}

function unsupported(c: LiftContext): void {
  c.exit('unsupported');
  c.ended = true;
}

/** The condition of the block's last instruction. */
function branchCondition(c: LiftContext, ins: Instruction): Expr {
  if (ins.name[0] === 'j' && ins.name !== 'jrcxz') return c.flags.condition(ins.name.slice(1));
  const counter = (): Expr => (ins.address32 ? extend(wrap(c.reg(RCX))) : c.reg(RCX));
  if (ins.name === 'jrcxz') return op('i64.eqz', counter());
  const zero = ins.name === 'loop' ? undefined : c.hold(c.flags.flag(FLAG_Z));
  c.setReg(RCX, ins.address32 ? extend(wrap(add64(c.reg(RCX), -1))) : add64(c.reg(RCX), -1));
  const more = op('i64.ne', c.reg(RCX), c64(0));
  if (zero === undefined) return more;
  return op('i32.and', more, ins.name === 'loope' ? zero : not32(zero));
}

/** A call (with the address it returns to) or a jump out of the function. */
function transfer(
  node: FlowNode,
  c: LiftContext,
  options: LiftOptions,
  target: CallTarget,
  returnTo: number | undefined,
): void {
  const n = node.block!.instructions.length;
  let to: Expr | undefined;
  if (target.kind === 'register') to = c.hold(c.reg(target.register));
  else if (target.kind === 'operand') to = c.hold(c.read(0));
  if (returnTo !== undefined) push(c, c64(returnTo));
  c.notMade = 0;
  c.sync();
  if (to === undefined) {
    const addr = (target as { addr: number }).addr;
    const native = options.nativeAt(addr);
    if (options.mode === 'hosted') {
      c.emit({ kind: 'leave', condition: undefined, rip: c64(addr) });
      return;
    }
    if (native >= 0) {
      callNative(node, c, native, addr, returnTo);
      return;
    }
    // Loops may go through other functions: every backward jump looks at the fuel.
    if (returnTo === undefined && n > 0 && addr <= c.ins.addr) {
      c.exit('fuel', op('i32.le_s', get32(FUEL), c32(0)), { rip: addr });
    }
    node.end =
      returnTo === undefined
        ? { kind: 'tail', callee: { kind: 'direct', addr } }
        : { kind: 'call', callee: { kind: 'direct', addr }, returnTo };
    return;
  }
  if (options.mode === 'hosted') {
    c.emit({ kind: 'leave', condition: undefined, rip: to });
    return;
  }
  if (returnTo === undefined) {
    // A loop may be made of indirect jumps alone: they look at the fuel when they go backwards.
    const stop = op('i32.and', op('i32.le_s', get32(FUEL), c32(0)), op('i64.le_s', to, c64(c.ins.addr)));
    c.emit({ kind: 'leave', condition: stop, rip: to });
  }
  const callee: Callee = { kind: 'slot', slot: lookup(c, to) };
  node.end = returnTo === undefined ? { kind: 'tail', callee } : { kind: 'call', callee, returnTo };
}

function callNative(
  node: FlowNode,
  c: LiftContext,
  native: number,
  addr: number,
  returnTo: number | undefined,
): void {
  c.emit({ kind: 'store', op: 0x36, at: c32(0), offset: slotOffset(SLOT_FUEL), value: get32(FUEL) });
  c.exit('native', not32(callImport(IMPORT.invoke, 32, c32(native))), { rip: addr, native });
  const sp = c.hold(load('i64.load', c32(0), slotOffset(RSP)));
  const rip = returnTo === undefined ? c.hold(load('i64.load', wrap(sp))) : undefined;
  c.emit({ kind: 'store', op: 0x37, at: c32(0), offset: slotOffset(RSP), value: add64(sp, 8) });
  if (rip !== undefined) c.emit({ kind: 'leave', condition: undefined, rip });
  else node.end = { kind: 'goto' };
}

/** The table slot of a branch target: from the cache, else from the host; leaves when it cannot be run. */
function lookup(c: LiftContext, to: Expr): Expr {
  const low = wrap(to);
  const entry = c.hold(op('i32.and', op('i32.xor', low, op('i32.shr_u', low, c32(8))), c32(0xfff0)));
  const slot = c.temps.take(32);
  c.emit({
    kind: 'if',
    condition: op('i64.eq', load('i64.load', entry, TARGET_CACHE), to),
    yes: [{ kind: 'set', local: slot, value: load('i32.load', entry, TARGET_CACHE + 8) }],
    no: [
      { kind: 'set', local: slot, value: callImport(IMPORT.resolve, 32, to) },
      { kind: 'leave', condition: op('i32.lt_s', get32(slot), c32(0)), rip: to },
    ],
  });
  return get32(slot);
}
