import {
  CodeWriter,
  EMPTY_BLOCK,
  I32,
  I64,
  immediateOf,
  OP,
  OP_NAMES,
  type OpName,
  V128,
} from '../wasm/index.ts';
import type { Instruction } from '../x86/index.ts';
import { callHelper, writeCheck, writeSmallCheck } from './emit-check.ts';
import {
  FUNCTION_TYPE,
  HELPER,
  SLOT_CALLEE,
  SLOT_EXIT,
  SLOT_FA,
  SLOT_FB,
  SLOT_FC,
  SLOT_FKIND,
  slotOffset,
} from './engine-layout.ts';
import { DYNAMIC, MEMORY } from './flags.ts';
import type { Callee, FlowNode } from './flow-graph.ts';
import {
  DEPTH,
  type Exit,
  type Expr,
  FA,
  FB,
  FC,
  FIRST_I32,
  FIRST_TEMP,
  FKIND,
  FUEL,
  GUEST,
  RIP,
  SITE,
  type Stmt,
} from './ir.ts';
import type { LiftedFunction } from './lift-function.ts';
import { RSP } from './register-file.ts';
import { writeStructured } from './structure.ts';

/** Units of 64 bytes of host stack that a call may use. */
const UNIT = 64;

export interface EmitOptions {
  /** Exact checks by calls: half the code, for functions that are not run often. */
  readonly smallChecks?: boolean;
  /** Told where in the body the code of a guest instruction begins, and (undefined) where that of all has ended. */
  mark?(ins: Instruction | undefined, at: number): void;
  /** Numbers an exit; the number is what the host finds in SLOT_EXIT. */
  site(exit: Exit): number;
  /** How a direct call is made. */
  callee(addr: number): DirectCallee;
}

/** A function of the same module, or an element of one of its tables; `slot` is what a stub finds there. */
export type DirectCallee =
  | { readonly kind: 'function'; readonly index: number }
  | { readonly kind: 'slot'; readonly slot: number; readonly table: number; readonly element: number };

/** Alignment hints: the operation's own size. */
function alignment(name: OpName): number {
  if (name.includes('8')) return 0;
  if (name.includes('16')) return 1;
  if (name.includes('32_') || name.endsWith('store32') || name.startsWith('i32')) return 2;
  return 3;
}

const ALIGNMENT: readonly number[] = OP_NAMES.map((name) => (name === undefined ? 0 : alignment(name)));

/** Where code leaves the function for the host: exits that store the same registers share their code. */
interface ExitClass {
  readonly dirty: number;
  readonly flags: 'none' | 'values' | 'dynamic';
  /** Levels of blocks around the function's code. */
  readonly index: number;
}

/** Bodies are written here one after another, and taken. */
const BODY = new CodeWriter(1 << 16);

/** Writes a function's body: locals and code. */
export function emitFunction(fn: LiftedFunction, options: EmitOptions): Uint8Array {
  const classes = exitClasses(fn);
  const out = BODY;
  out.reset();
  locals(out, fn);
  const frame = Math.ceil(
    (8 * FIRST_TEMP +
      8 * fn.temps.widths.length +
      8 * fn.temps.widths.filter((w) => w === 128).length +
      160) /
      UNIT,
  );
  const code = new Emitter(out, options, classes, frame);
  const all = [...classes.values()];
  for (let i = 0; i < all.length; i++) {
    out.byte(OP.block);
    out.byte(EMPTY_BLOCK);
  }
  writeStructured(fn.root, out, code);
  options.mark?.(undefined, out.length);
  out.byte(OP.unreachable);
  // The innermost block is the first class.
  for (const exitClass of all) {
    out.byte(OP.end);
    code.leaveBy(exitClass);
  }
  out.byte(OP.end);
  return out.take();
}

function locals(out: CodeWriter, fn: LiftedFunction): void {
  const runs: { count: number; type: number }[] = [];
  const add = (type: number, count: number): void => {
    const last = runs.at(-1);
    if (last?.type === type) last.count += count;
    else runs.push({ count, type });
  };
  add(I64, FIRST_I32 - GUEST);
  add(I32, FIRST_TEMP - FIRST_I32);
  for (const width of fn.temps.widths) add(width === 128 ? V128 : width === 64 ? I64 : I32, 1);
  out.u32(runs.length);
  for (const run of runs) {
    out.u32(run.count);
    out.byte(run.type);
  }
}

function classKey(exit: Exit): number {
  const flags = exit.flags === MEMORY ? 0 : exit.flags === DYNAMIC ? 1 : 2;
  return exit.dirty | (flags << 16);
}

function exitClasses(fn: LiftedFunction): Map<number, ExitClass> {
  const classes = new Map<number, ExitClass>();
  for (const exit of fn.exits) {
    const key = classKey(exit);
    if (classes.has(key)) continue;
    const flags = exit.flags === MEMORY ? 'none' : exit.flags === DYNAMIC ? 'dynamic' : 'values';
    classes.set(key, { dirty: exit.dirty, flags, index: classes.size });
  }
  return classes;
}

class Emitter {
  readonly #out: CodeWriter;
  readonly #options: EmitOptions;
  readonly #classes: ReadonlyMap<number, ExitClass>;
  readonly #frame: number;
  /** Levels of `if`, `loop` and structure around the present place, found from the writer's nesting. */
  depth = 0;

  constructor(out: CodeWriter, options: EmitOptions, classes: ReadonlyMap<number, ExitClass>, frame: number) {
    this.#out = out;
    this.#options = options;
    this.#classes = classes;
    this.#frame = frame;
  }

  body(node: FlowNode): void {
    this.statements(node.stmts);
    if (node.end.kind === 'tail') {
      this.#arguments();
      this.#callee(node.end.callee);
      this.#out.byte(OP.return);
    }
  }

  condition(node: FlowNode): void {
    if (node.end.kind === 'branch') this.expr(node.end.condition);
  }

  edge(node: FlowNode, index: number): void {
    this.statements(node.edges[index]!);
  }

  call(node: FlowNode): void {
    if (node.end.kind !== 'call') return;
    const out = this.#out;
    this.#arguments();
    this.#callee(node.end.callee);
    out.byte(OP['local.set']);
    out.u32(FUEL);
    out.byte(OP['local.tee']);
    out.u32(RIP);
    out.byte(OP['i64.const']);
    out.s53(node.end.returnTo);
    if (node.end.keepsStack) {
      // Also the stack pointer must be what it was before the call: then the local has it.
      out.byte(OP['i64.xor']);
      this.#get(GUEST + RSP);
      out.byte(OP['i64.const']);
      out.s32(8);
      out.byte(OP['i64.add']);
      out.byte(OP['local.tee']);
      out.u32(GUEST + RSP);
      out.byte(OP['i32.const']);
      out.s32(0);
      out.byte(OP['i64.load']);
      out.u32(3);
      out.u32(slotOffset(RSP));
      out.byte(OP['i64.xor']);
      out.byte(OP['i64.or']);
      out.byte(OP['i64.const']);
      out.s32(0);
    }
    out.byte(OP['i64.ne']);
    out.byte(OP.if);
    out.byte(EMPTY_BLOCK);
    this.#get(RIP);
    this.#get(FUEL);
    out.byte(OP.return);
    out.byte(OP.end);
  }

  #get(local: number): void {
    this.#out.byte(OP['local.get']);
    this.#out.u32(local);
  }

  #arguments(): void {
    const out = this.#out;
    out.byte(OP['local.get']);
    out.u32(DEPTH);
    out.byte(OP['i32.const']);
    out.s32(this.#frame);
    out.byte(OP['i32.sub']);
    out.byte(OP['local.get']);
    out.u32(FUEL);
  }

  #callee(callee: Callee): void {
    const out = this.#out;
    if (callee.kind === 'slot') {
      this.expr(callee.slot);
      callHelper(out, HELPER.dispatch);
      return;
    }
    const to = this.#options.callee(callee.addr);
    if (to.kind === 'function') {
      out.byte(OP.call);
      out.u32(to.index);
    } else {
      // A slot that has no code yet holds a stub, which finds here what to translate.
      out.byte(OP['i32.const']);
      out.s32(0);
      out.byte(OP['i32.const']);
      out.s32(to.slot);
      out.byte(OP['i32.store']);
      out.u32(2);
      out.u32(slotOffset(SLOT_CALLEE));
      out.byte(OP['i32.const']);
      out.s32(to.element);
      out.byte(OP.call_indirect);
      out.u32(FUNCTION_TYPE);
      out.u32(to.table);
    }
  }

  statements(stmts: readonly Stmt[]): void {
    const out = this.#out;
    for (const s of stmts) {
      switch (s.kind) {
        case 'set':
          this.expr(s.value);
          out.byte(OP['local.set']);
          out.u32(s.local);
          break;
        case 'store':
          this.expr(s.at);
          this.expr(s.value);
          if (s.op >= 0x100) {
            out.byte(0xfd);
            out.u32(s.op - 0x100);
            out.byte(0);
          } else {
            out.byte(s.op);
            out.u32(ALIGNMENT[s.op]!);
          }
          out.u32(s.offset);
          break;
        case 'eval':
          this.expr(s.value);
          if (s.drop) out.byte(OP.drop);
          break;
        case 'if':
          this.expr(s.condition);
          out.byte(OP.if);
          out.byte(EMPTY_BLOCK);
          this.depth++;
          this.statements(s.yes);
          if (s.no.length > 0) {
            out.byte(OP.else);
            this.statements(s.no);
          }
          this.depth--;
          out.byte(OP.end);
          break;
        case 'loop':
          out.byte(OP.loop);
          out.byte(EMPTY_BLOCK);
          this.depth++;
          this.statements(s.body);
          this.expr(s.again);
          out.byte(OP.br_if);
          out.u32(0);
          this.depth--;
          out.byte(OP.end);
          break;
        case 'exit':
          this.#exit(s.condition, s.exit);
          break;
        case 'check':
          if (this.#options.smallChecks) writeSmallCheck(out, s, this.#operand, this.#leave);
          else writeCheck(out, s, this.#operand, this.#leave);
          break;
        case 'sync':
          this.#registers(s.exit.dirty);
          break;
        case 'leave':
          if (s.condition !== undefined) {
            this.expr(s.condition);
            out.byte(OP.if);
            out.byte(EMPTY_BLOCK);
          }
          this.expr(s.rip);
          out.byte(OP['local.get']);
          out.u32(FUEL);
          out.byte(OP.return);
          if (s.condition !== undefined) out.byte(OP.end);
          break;
        case 'mark':
          this.#options.mark?.(s.ins, out.length);
          break;
      }
    }
  }

  #exit(condition: Expr | undefined, exit: Exit): void {
    const out = this.#out;
    const exitClass = this.#classes.get(classKey(exit))!;
    if (condition !== undefined) {
      this.expr(condition);
      out.byte(OP.if);
      out.byte(EMPTY_BLOCK);
      this.depth++;
    }
    out.byte(OP['i32.const']);
    out.s32(this.#options.site(exit));
    out.byte(OP['local.set']);
    out.u32(SITE);
    out.byte(OP.br);
    out.u32(this.depth + exitClass.index);
    if (condition !== undefined) {
      this.depth--;
      out.byte(OP.end);
    }
  }

  readonly #operand = (e: Expr): void => this.expr(e);

  readonly #leave = (exit: Exit, blocks: number): void => {
    this.depth += blocks;
    this.#exit(undefined, exit);
    this.depth -= blocks;
  };

  /** The shared code of a class of exits. */
  leaveBy(exitClass: ExitClass): void {
    const out = this.#out;
    this.#registers(exitClass.dirty);
    if (exitClass.flags === 'dynamic') {
      // A kind of 0 says that the register file has the flags already.
      out.byte(OP['local.get']);
      out.u32(FKIND);
      out.byte(OP.if);
      out.byte(EMPTY_BLOCK);
    }
    if (exitClass.flags !== 'none') {
      for (const [slot, local] of [
        [SLOT_FA, FA],
        [SLOT_FB, FB],
        [SLOT_FC, FC],
      ] as const) {
        this.#store(OP['i64.store'], slotOffset(slot), local);
      }
      if (exitClass.flags === 'dynamic') {
        this.#store(OP['i32.store'], slotOffset(SLOT_FKIND), FKIND);
        out.byte(OP.end);
      }
    }
    this.#store(OP['i32.store'], slotOffset(SLOT_EXIT), SITE);
    out.byte(OP['i64.const']);
    out.s32(0);
    out.byte(OP['local.get']);
    out.u32(FUEL);
    out.byte(OP.return);
  }

  #registers(dirty: number): void {
    for (let r = 0; r < 16; r++) {
      if (dirty & (1 << r)) this.#store(OP['i64.store'], slotOffset(r), GUEST + r);
    }
  }

  #store(op: number, offset: number, local: number): void {
    const out = this.#out;
    out.byte(OP['i32.const']);
    out.s32(0);
    out.byte(OP['local.get']);
    out.u32(local);
    out.byte(op);
    out.u32(op === OP['i64.store'] ? 3 : 2);
    out.u32(offset);
  }

  expr(e: Expr): void {
    const out = this.#out;
    switch (e.op) {
      case OP['local.get']:
        out.byte(e.op);
        out.u32(e.n);
        return;
      case OP['i32.const']:
        out.byte(e.op);
        out.s32(e.n);
        return;
      case OP['i64.const']:
        out.byte(e.op);
        if (e.big !== undefined) out.s64(e.big);
        else out.s53(e.n);
        return;
      default:
    }
    if (e.a !== undefined) this.expr(e.a);
    if (e.b !== undefined) this.expr(e.b);
    if (e.c !== undefined) this.expr(e.c);
    if (e.op >= 0x100) {
      this.#prefixed(e);
      return;
    }
    if (e.op === OP.call) {
      callHelper(out, e.n);
      return;
    }
    out.byte(e.op);
    if (e.op >= OP['i32.load'] && e.op <= OP['i64.load32_u']) {
      out.u32(ALIGNMENT[e.op]!);
      out.u32(e.n);
    }
  }
  /** Operations on vectors and the saturating conversions; operands are on the stack. */
  #prefixed(e: Expr): void {
    const out = this.#out;
    out.byte(e.op >= 0x200 ? 0xfc : 0xfd);
    out.u32(e.op & 0xff);
    switch (immediateOf(e.op)) {
      case 'memory':
        out.byte(0);
        out.u32(e.n);
        return;
      case 'lane':
        out.byte(e.n);
        return;
      case 'bytes':
        for (let i = 0n; i < 16n; i++) out.byte(Number((e.big! >> (8n * i)) & 0xffn));
        return;
      case 'none':
    }
  }
}
