import { OP } from '../wasm/index.ts';
import { HELPER, SLOT_FUEL, SLOT_JUMP, slotOffset, TARGET_CACHE } from './engine-layout.ts';
import type { Callee, FlowNode } from './flow-graph.ts';
import type { CallTarget, Terminator } from './guest-function.ts';
import {
  add64,
  c32,
  c64,
  callHelper,
  type Expr,
  FUEL,
  get32,
  get64,
  load,
  not32,
  op,
  RIP,
  type Stmt,
  wrap,
} from './ir.ts';
import { push } from './lift/movement.ts';
import type { LiftContext } from './lift-context.ts';
import type { LiftOptions } from './lift-function.ts';
import { RSP } from './register-file.ts';

/** A call (with the address it returns to) or a jump out of the function. */
export function transfer(
  node: FlowNode,
  c: LiftContext,
  options: LiftOptions,
  target: CallTarget,
  returnTo: number | undefined,
): void {
  const to = targetOf(c, target);
  if (returnTo !== undefined) push(c, c64(returnTo));
  c.notMade = 0;
  c.sync();
  node.synced = true;
  if (to === undefined) direct(node, c, options, (target as { addr: number }).addr, returnTo);
  else indirect(node, c, options, to, returnTo);
}

/** The target of an indirect transfer, evaluated before anything else happens. */
function targetOf(c: LiftContext, target: CallTarget): Expr | undefined {
  if (target.kind === 'register') return c.hold(c.reg(target.register));
  return target.kind === 'operand' ? c.hold(c.read(0)) : undefined;
}

function direct(
  node: FlowNode,
  c: LiftContext,
  options: LiftOptions,
  addr: number,
  returnTo: number | undefined,
): void {
  if (options.mode === 'hosted') {
    c.emit({ kind: 'leave', condition: undefined, rip: c64(addr) });
    return;
  }
  const native = options.nativeAt(addr);
  if (native >= 0) {
    callNative(node, c, options, native, addr, returnTo);
    return;
  }
  // Loops may go through other functions: every backward jump looks at the fuel.
  if (returnTo === undefined && node.block!.instructions.length > 0 && addr <= c.ins.addr) {
    c.exit('fuel', op(OP['i32.le_s'], get32(FUEL), c32(0)), { rip: addr });
  }
  // How far a function is read depends on where that began: a jump out of it must not make a place a function's start.
  if (returnTo === undefined && !options.isBounded(addr)) {
    c.emit({ kind: 'leave', condition: undefined, rip: c64(addr) });
    return;
  }
  node.end = endOfTransfer({ kind: 'direct', addr }, returnTo, options);
}

function indirect(
  node: FlowNode,
  c: LiftContext,
  options: LiftOptions,
  to: Expr,
  returnTo: number | undefined,
): void {
  if (options.mode === 'hosted') {
    c.emit({ kind: 'leave', condition: undefined, rip: to });
    return;
  }
  if (returnTo === undefined) {
    // A loop may be made of indirect jumps alone: they look at the fuel when they go backwards.
    const stop = op(
      OP['i32.and'],
      op(OP['i32.le_s'], get32(FUEL), c32(0)),
      op(OP['i64.le_s'], to, c64(c.ins.addr)),
    );
    c.emit({ kind: 'if', condition: stop, yes: leaveAt(c, to, 'jump-back'), no: [] });
  }
  const slot = lookup(c, to);
  const site = returnTo === undefined ? undefined : options.profile?.siteAt(c.ins.addr);
  if (site !== undefined) remember(c, slot, site);
  node.end = endOfTransfer({ kind: 'slot', slot }, returnTo, options);
}

function endOfTransfer(callee: Callee, returnTo: number | undefined, options: LiftOptions): FlowNode['end'] {
  if (returnTo === undefined) return { kind: 'tail', callee };
  return { kind: 'call', callee, returnTo, keepsStack: options.tier === 'hot' };
}

/** Keeps the last two slots that an indirect call has led to. */
function remember(c: LiftContext, slot: Expr, site: number): void {
  const store = (offset: number, value: Expr): Stmt => ({
    kind: 'store',
    op: OP['i32.store'],
    at: c32(0),
    offset,
    value,
  });
  c.emit({
    kind: 'if',
    condition: op(OP['i32.ne'], load(OP['i32.load'], c32(0), site), slot),
    yes: [store(site + 4, load(OP['i32.load'], c32(0), site)), store(site, slot)],
    no: [],
  });
}

/**
 * A call whose callee stands in its place. Where the target is known only at run time, each node of the chain tests
 * for one callee; the last one, which has no more guesses, calls whatever it is.
 */
export function enterCallee(node: FlowNode, c: LiftContext, options: LiftOptions): void {
  const t = node.block!.terminator as Terminator & { kind: 'inlined-call' };
  c.ins = t.ins;
  const first = node.role !== 'guess';
  if (first) {
    const to = targetOf(c, t.target);
    if (to !== undefined) c.set(RIP, to);
    push(c, c64(t.next));
    if (to === undefined) {
      node.end = { kind: 'goto' };
      return;
    }
  }
  c.notMade = 0;
  const addr = t.guesses[first ? 0 : node.copy];
  if (addr !== undefined) {
    node.end = { kind: 'branch', condition: op(OP['i64.eq'], get64(RIP), c64(addr)) };
    return;
  }
  c.sync();
  node.synced = true;
  indirect(node, c, options, get64(RIP), t.next);
}

/** A return of an inlined callee: on to its caller, unless the stack says another address. */
export function inlinedReturn(
  node: FlowNode,
  c: LiftContext,
  t: Terminator & { kind: 'inlined-return' },
): void {
  const rip = c.hold(c.loadFrom(c.stackAccess(0, 8, false), 8));
  c.moveStack(8 + t.extra);
  c.notMade = 0;
  const elsewhere = op(OP['i64.ne'], rip, c64(t.to));
  c.emit({ kind: 'if', condition: elsewhere, yes: leaveAt(c, rip, 'jump'), no: [] });
  node.end = { kind: 'goto' };
}

/** Statements that go on in the dispatcher at an address known only at run time. */
function leaveAt(c: LiftContext, rip: Expr, reason: 'jump' | 'jump-back'): Stmt[] {
  return c.collect(() => {
    c.emit({ kind: 'store', op: OP['i64.store'], at: c32(0), offset: slotOffset(SLOT_JUMP), value: rip });
    c.exit(reason);
  });
}

function callNative(
  node: FlowNode,
  c: LiftContext,
  options: LiftOptions,
  native: number,
  addr: number,
  returnTo: number | undefined,
): void {
  c.emit({
    kind: 'store',
    op: OP['i32.store'],
    at: c32(0),
    offset: slotOffset(SLOT_FUEL),
    value: get32(FUEL),
  });
  const done = c.hold(callHelper(HELPER.invoke, 32, c32(native)));
  // The function has taken fuel.
  c.set(FUEL, load(OP['i32.load'], c32(0), slotOffset(SLOT_FUEL)));
  c.exit('native', not32(done), { rip: addr, native });
  const sp = c.hold(load(OP['i64.load'], c32(0), slotOffset(RSP)));
  if (options.tier === 'hot' && returnTo !== undefined) {
    // The frame is where it was.
    c.emit({
      kind: 'if',
      condition: op(OP['i64.ne'], sp, c.reg(RSP)),
      yes: [
        storeStack(add64(sp, 8)),
        { kind: 'leave', condition: undefined, rip: load(OP['i64.load'], wrap(sp)) },
      ],
      no: [],
    });
  }
  const rip = returnTo === undefined ? c.hold(load(OP['i64.load'], wrap(sp))) : undefined;
  c.emit(storeStack(add64(sp, 8)));
  if (rip !== undefined) c.emit({ kind: 'leave', condition: undefined, rip });
  else node.end = { kind: 'goto' };
}

/** The table slot of a branch target: from the cache, else from the host; leaves when it cannot be run. */
function lookup(c: LiftContext, to: Expr): Expr {
  const low = wrap(to);
  const entry = c.hold(
    op(OP['i32.and'], op(OP['i32.xor'], low, op(OP['i32.shr_u'], low, c32(8))), c32(0xfff0)),
  );
  const slot = c.temps.take(32);
  c.emit({
    kind: 'if',
    condition: op(OP['i64.eq'], load(OP['i64.load'], entry, TARGET_CACHE), to),
    yes: [{ kind: 'set', local: slot, value: load(OP['i32.load'], entry, TARGET_CACHE + 8) }],
    no: [
      { kind: 'set', local: slot, value: callHelper(HELPER.resolve, 32, to) },
      { kind: 'leave', condition: op(OP['i32.lt_s'], get32(slot), c32(0)), rip: to },
    ],
  });
  return get32(slot);
}

function storeStack(value: Expr): Stmt {
  return { kind: 'store', op: OP['i64.store'], at: c32(0), offset: slotOffset(RSP), value };
}
