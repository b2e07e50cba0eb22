import { UnsupportedError } from '../bytes/index.ts';
import { OP } from '../wasm/index.ts';
import type { Instruction } from '../x86/index.ts';
import { type AccessPlan, endOf, type FrameRange, planAccesses } from './access-plan.ts';
import { buildGraph } from './build-graph.ts';
import { VECTOR } from './cpu.ts';
import { analyseFlags, type BlockFlags } from './flag-liveness.ts';
import { FLAG_Z } from './flag-state.ts';
import { DYNAMIC, MEMORY } from './flags.ts';
import { type FlowNode, reversePostorder } from './flow-graph.ts';
import { type FramePlan, planFrame } from './frame-plan.ts';
import type { Block, GuestFunction } from './guest-function.ts';
import {
  add64,
  c32,
  c64,
  DEPTH,
  type Exit,
  type Expr,
  extend,
  FKIND,
  FUEL,
  get32,
  load,
  not32,
  op,
  STACK,
  wrap,
} from './ir.ts';
import { LIFTER_OF } from './lift/index.ts';
import { LiftContext, type MemoryMode, Temps } from './lift-context.ts';
import { type LoopPlan, planLoop } from './loop-copies.ts';
import { RCX, RSP } from './register-file.ts';
import { placeRegisters } from './register-flow.ts';
import { enterCallee, inlinedReturn, transfer } from './transfers.ts';

/**
 * quick: cheap to make, and counts how often it runs. hot: made again with its callees in place, small loops copied, the
 * stack checked once.
 */
export type Tier = 'quick' | 'hot';

/** Where quick code counts: offsets in the guest's memory below all regions. */
export interface Profile {
  /** Runs left until the function is made again. */
  readonly counter: number;
  /** Two table slots: where the indirect call at the address has led lately; undefined when there is no room. */
  siteAt(addr: number): number | undefined;
}

export interface LiftOptions {
  readonly mode: MemoryMode;
  readonly tier: Tier;
  /** Whether checks compare the whole upper half of addresses, see `CpuOptions.exact`. */
  readonly exact: boolean;
  /** A function's start, called from elsewhere: fuel is looked at there. */
  readonly isFunctionStart: boolean;
  /** Whether the bounds of the function around the address are known. */
  isBounded(addr: number): boolean;
  /** Share checks between accesses. Without it every access is checked on its own, in order. */
  readonly group: boolean;
  /** Mark where each instruction begins, for listings. */
  readonly marks: boolean;
  /** There in quick code that counts. */
  readonly profile: Profile | undefined;
  /** The index of the function of ours at the address, or -1. */
  nativeAt(addr: number): number;
}

export interface LiftedFunction {
  readonly root: FlowNode;
  /** All nodes in reverse postorder. */
  readonly nodes: readonly FlowNode[];
  readonly temps: Temps;
  readonly exits: readonly Exit[];
  readonly instructionCount: number;
}

/** Guest instructions to statements: one node a basic block, one for each entry, return and way out. */
export function liftFunction(fn: GuestFunction, options: LiftOptions): LiftedFunction {
  const root = buildGraph(fn, options.tier === 'hot' && options.mode !== 'hosted');
  const nodes = reversePostorder(root);
  const temps = new Temps();
  const lifter = new FunctionLifter(fn, nodes, temps, options);
  lifter.run();
  return { root, nodes, temps, exits: lifter.exits, instructionCount: fn.instructionCount };
}

class FunctionLifter {
  readonly #fn: GuestFunction;
  readonly #nodes: readonly FlowNode[];
  readonly #temps: Temps;
  readonly #options: LiftOptions;
  readonly #flags: readonly BlockFlags[];
  readonly #frame: FramePlan | undefined;
  readonly exits: Exit[] = [];
  readonly #loops = new Map<Block, LoopPlan>();
  /** Of each copied loop, the locals for its families. */
  readonly #families = new Map<Block, readonly number[]>();

  constructor(fn: GuestFunction, nodes: readonly FlowNode[], temps: Temps, options: LiftOptions) {
    this.#fn = fn;
    this.#nodes = nodes;
    this.#temps = temps;
    this.#options = options;
    this.#flags = analyseFlags(fn, options.mode === 'checked');
    this.#frame = options.tier === 'hot' ? planFrame(fn) : undefined;
  }

  run(): void {
    for (const node of this.#nodes) {
      if (node.role === 'reload') continue;
      const state = this.#flagsIn(node);
      const c = new LiftContext(this.#options.mode, this.#temps, state.kind, state.explicit);
      c.exact = this.#options.exact;
      c.allExits = this.exits;
      node.context = c;
      if (node.role === 'entry') this.#entry(node, c);
      else if (node.role === 'gate') this.#gate(node, c);
      else if (node.role === 'guess') enterCallee(node, c, this.#options);
      else this.#block(node, c);
      c.flushStack();
      node.stmts = c.stmts;
      node.uses = c.uses;
      node.defs = c.defs;
    }
    for (const node of this.#nodes) {
      if (node.role !== 'entry' && node.role !== 'reload') this.#edges(node, node.context!);
    }
    for (const node of this.#nodes) {
      if (node.role === 'entry' || node.role === 'reload') this.#flagsFromMemory(node);
    }
    placeRegisters(this.#nodes);
  }

  /** The flag state at a node's start: that of the one node before it, or what all edges make it. */
  #flagsIn(node: FlowNode): { kind: number; explicit: number } {
    const [first] = node.predecessors;
    // After the entry and after calls everything is in the register file.
    if (first === undefined) return { kind: MEMORY, explicit: 0 };
    if (node.predecessors.length === 1) {
      const flags = first.context?.flags;
      return flags === undefined
        ? { kind: MEMORY, explicit: 0 }
        : { kind: flags.kind, explicit: flags.explicit };
    }
    const explicit = this.#liveFlags(node);
    let kind: number | undefined;
    for (const p of node.predecessors) {
      const of = p.role === 'reload' ? MEMORY : p.context?.flags.kind;
      if (of === undefined || (kind !== undefined && of !== kind)) return { kind: DYNAMIC, explicit };
      kind = of;
    }
    return { kind: kind!, explicit };
  }

  #liveFlags(node: FlowNode): number {
    return node.block === undefined ? 0 : (this.#flags[node.block.index]?.liveIn ?? 0);
  }

  /** Depth, fuel and the counter of quick code in one test: any of them below its limit makes the sign bit. */
  #entry(node: FlowNode, c: LiftContext): void {
    const { isFunctionStart, mode, profile } = this.#options;
    c.ins = { addr: this.#fn.entry } as Instruction;
    let test = get32(DEPTH);
    if (isFunctionStart) {
      test = op(OP['i32.or'], op(OP['i32.sub'], get32(FUEL), c32(1)), test);
      if (profile !== undefined) test = op(OP['i32.or'], test, countDown(c, profile.counter));
      c.exit('entry', op(OP['i32.lt_s'], test, c32(0)), { counter: profile?.counter });
    } else if (mode !== 'hosted') c.exit('depth', op(OP['i32.lt_s'], test, c32(0)));
    node.loadsAt = c.stmts.length;
    const frame = this.#frame;
    if (frame === undefined) return;
    // The stack that this activation will use, at most 57 bytes a check.
    const sp = c.reg(RSP);
    c.set(STACK, wrap(add64(sp, frame.low)));
    if (mode !== 'checked') return;
    for (let low = frame.low; low < frame.high; low += 56) {
      const bytes = Math.min(56, frame.high - low);
      c.check(c.hold(add64(sp, low)), bytes, true, low === frame.low);
    }
  }

  #frameAt(block: Block): FrameRange | undefined {
    const offset = this.#frame?.offsetOf(block);
    if (offset === undefined) return undefined;
    return { low: this.#frame!.low - offset, high: this.#frame!.high - offset };
  }

  #planOf(node: FlowNode): AccessPlan | undefined {
    const { group, mode } = this.#options;
    const block = node.block!;
    const checked = group && mode === 'checked';
    if (node.copy > 0) return this.#loop(block, node.copies).copies[node.copy - 1];
    if (!checked && this.#frame === undefined) return undefined;
    return planAccesses(block.instructions, endOf(block), checked, this.#frameAt(block));
  }

  #loop(block: Block, count: number): LoopPlan {
    let plan = this.#loops.get(block);
    if (plan === undefined) {
      const { group, mode } = this.#options;
      plan = planLoop(block.instructions, count, this.#frameAt(block), group && mode === 'checked');
      this.#families.set(
        block,
        plan.checks.map(() => this.#temps.keep(32)),
      );
      this.#loops.set(block, plan);
    }
    return plan;
  }

  /** Whether all copies can be run: there is fuel for them, and what they are known to access is valid. */
  #gate(node: FlowNode, c: LiftContext): void {
    const block = node.block!;
    c.ins = { addr: block.start } as Instruction;
    let bad: Expr = op(OP['i32.le_s'], get32(FUEL), c32(block.instructions.length * node.copies));
    const { checks } = this.#loop(block, node.copies);
    const wrong = c.gateChecks(checks, this.#families.get(block)!);
    if (wrong !== undefined) bad = op(OP['i32.or'], bad, wrong);
    node.end = { kind: 'branch', condition: not32(bad) };
  }

  #block(node: FlowNode, c: LiftContext): void {
    const block = node.block!;
    const { instructions } = block;
    const n = instructions.length;
    if (block.inlinedEntry) {
      c.ins = { addr: block.start } as Instruction;
      c.notMade = 0;
      c.exit('fuel', op(OP['i32.le_s'], get32(FUEL), c32(0)));
    }
    // The first copy pays for all of them.
    const behind = node.copy === 0 ? 0 : (node.copies - node.copy) * n;
    if (n > 0 && node.copy <= 1) c.set(FUEL, op(OP['i32.sub'], get32(FUEL), c32(n + behind)));
    c.plan = this.#planOf(node);
    if (node.copy > 0) c.families = this.#families.get(block)!;
    const flags = this.#flags[block.index];
    const last = n - (isTransfer(block) ? 1 : 0);
    for (let i = 0; i < n; i++) {
      const ins = instructions[i]!;
      c.ins = ins;
      c.position = i;
      c.notMade = n - i + behind;
      c.flagsObserved = flags?.observed[i] ?? true;
      c.flagsNeeded = flags?.needed[i] ?? 0;
      c.temps.reset();
      if (this.#options.marks) c.emit({ kind: 'mark', ins });
      if (i === last || ins.name === 'jmp') break;
      // A call that ends no block is one of a thunk that does nothing (`__fentry__`).
      if (ins.name === 'call') continue;
      const lifter = LIFTER_OF[ins.encoding.id];
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
    this.#end(node, c);
  }

  #end(node: FlowNode, c: LiftContext): void {
    const t = node.block!.terminator;
    switch (t.kind) {
      case 'goto':
        node.end = { kind: 'goto' };
        return;
      case 'branch':
        node.end = { kind: 'branch', condition: branchCondition(c, t.ins) };
        return;
      case 'cut':
        c.ins = { addr: t.target } as Instruction;
        c.notMade = 0;
        c.sync();
        c.emit({ kind: 'leave', condition: undefined, rip: c64(t.target) });
        return;
      case 'bad':
        c.ins = { addr: t.addr } as Instruction;
        c.notMade = 0;
        if (t.bytes.reason === 'invalid') c.exception(VECTOR.UD);
        else c.exit('unsupported');
        return;
      case 'return': {
        const rip = c.hold(c.loadFrom(c.stackAccess(0, 8, false), 8));
        c.moveStack(8 + t.extra);
        c.sync();
        c.emit({ kind: 'leave', condition: undefined, rip });
        return;
      }
      case 'inlined-return':
        inlinedReturn(node, c, t);
        return;
      case 'inlined-call':
        enterCallee(node, c, this.#options);
        return;
      case 'call':
        transfer(node, c, this.#options, t.target, t.next);
        return;
      case 'tail':
        c.ins = t.ins;
        transfer(node, c, this.#options, t.target, undefined);
        return;
    }
  }

  /** What edges do: bring the flags into the form that the next block expects, look at the fuel when going backwards. */
  #edges(node: FlowNode, c: LiftContext): void {
    for (const [i, successor] of node.successors.entries()) {
      if (successor.role === 'reload') continue;
      const { kind, explicit } = c.flags;
      const target = successor.context!;
      node.edges[i] = c.collect(() => {
        if (successor.predecessors.length > 1) {
          c.flags.makeExplicit(this.#liveFlags(successor));
          if (target.kindIn === DYNAMIC && c.flags.kind !== DYNAMIC) c.set(FKIND, c32(c.flags.kind));
        }
        if (node.role === 'block') this.#pass(node, c, i);
      });
      c.flags.kind = kind;
      c.flags.explicit = explicit;
    }
  }

  /** At the entry and behind calls the flags are in the register file: where other paths arrive too, theirs is the form. */
  #flagsFromMemory(node: FlowNode): void {
    const successor = node.successors[0]!;
    if (successor.predecessors.length === 1) return;
    const c = new LiftContext(this.#options.mode, this.#temps, MEMORY, 0);
    c.exact = this.#options.exact;
    c.flags.makeExplicit(this.#liveFlags(successor));
    if (successor.context!.kindIn === DYNAMIC) c.set(FKIND, c32(c.flags.kind));
    node.stmts.push(...c.stmts);
  }

  /** Fuel on an edge: a copy that is the last one run gives back; jumps backwards look at what is left. */
  #pass(node: FlowNode, c: LiftContext, i: number): void {
    const block = node.block!;
    if (node.copy > 0) {
      // The gate has seen that there is enough for the way back.
      const behind = (node.copies - node.copy) * block.instructions.length;
      if (i === 1 && behind > 0) c.set(FUEL, op(OP['i32.add'], get32(FUEL), c32(behind)));
      return;
    }
    const last = block.instructions.at(-1);
    const t = block.terminator;
    const jumps = t.kind === 'goto' ? last?.name === 'jmp' : t.kind === 'branch' && i === 0;
    if (last === undefined || !jumps || c.mode === 'hosted') return;
    const to = t.kind === 'goto' ? t.target : t.kind === 'branch' ? t.taken : 0;
    if (to > last.addr) return;
    c.notMade = 0;
    const counter = this.#options.profile?.counter;
    const condition =
      counter === undefined
        ? op(OP['i32.le_s'], get32(FUEL), c32(0))
        : op(
            OP['i32.lt_s'],
            op(OP['i32.or'], op(OP['i32.sub'], get32(FUEL), c32(1)), countDown(c, counter)),
            c32(0),
          );
    c.exit('fuel', condition, { rip: to, counter });
  }
}

/** Counts a run of quick code; the value left. */
function countDown(c: LiftContext, counter: number): Expr {
  const left = c.temps.take(32);
  c.set(left, op(OP['i32.sub'], load(OP['i32.load'], c32(0), counter), c32(1)));
  c.emit({ kind: 'store', op: OP['i32.store'], at: c32(0), offset: counter, value: get32(left) });
  return get32(left);
}

/** Whether the block's last instruction is made by its terminator. */
function isTransfer(block: Block): boolean {
  switch (block.terminator.kind) {
    case 'branch':
    case 'call':
    case 'inlined-call':
    case 'tail':
    case 'return':
    case 'inlined-return':
      return true;
    default:
      return false;
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
  if (ins.name === 'jrcxz') return op(OP['i64.eqz'], counter());
  const zero = ins.name === 'loop' ? undefined : c.hold(c.flags.flag(FLAG_Z));
  c.setReg(RCX, ins.address32 ? extend(wrap(add64(c.reg(RCX), -1))) : add64(c.reg(RCX), -1));
  const more = op(OP['i64.ne'], c.reg(RCX), c64(0));
  if (zero === undefined) return more;
  return op(OP['i32.and'], more, ins.name === 'loope' ? zero : not32(zero));
}
