import { addrFromParts, addrFromU64, asAddr, type GuestAddr } from '../../../bytes/index.ts';
import { RBP, RSP, SLOT_RIP } from '../../../translate/index.ts';
import { returnAddress } from '../../frames.ts';
import type { Kernel } from '../../kernel.ts';
import type { Activation, GuestActivation } from '../../sched/activation.ts';
import { FRAME_POINTER, ORC_REG, type OrcRule, UNWIND_HINT_TYPE } from '../../unwind/index.ts';
import { type StackFrame, stackFrame } from './stack-frame.ts';

/** Frames of one stretch of guest code that are kept. Source: mm/kasan/kasan.h, KASAN_STACK_DEPTH. */
const DEPTH_LIMIT = 64;
/** Distinct frames that are kept; at about 150 bytes each they take 10 MB. */
const NODE_LIMIT = 65_536;

/** A stack as a return address and its caller's stack: stacks that begin alike share what they have in common. */
export class StackNode {
  /** A return address; 0 in the root. */
  readonly ip: GuestAddr;
  readonly caller: StackNode | undefined;
  /** Set when the code is about to go. */
  frame: StackFrame | undefined;
  readonly #callees = new Map<GuestAddr, StackNode>();

  constructor(ip: GuestAddr, caller: StackNode | undefined) {
    this.ip = ip;
    this.caller = caller;
  }

  callee(ip: GuestAddr): StackNode | undefined {
    return this.#callees.get(ip);
  }

  add(node: StackNode): void {
    this.#callees.set(node.ip, node);
  }

  /** Nobody finds this callee any more: another function may come to its address. */
  forget(ip: GuestAddr): void {
    this.#callees.delete(ip);
  }

  callees(): Iterable<StackNode> {
    return this.#callees.values();
  }
}

/**
 * The stacks that allocated and freed memory. Taking one down must be cheap, since every allocation does it: the
 * guest's frames are followed with the ORC rules, which are remembered by address, and looked up in a tree of stacks
 * seen before; only a report makes names of them. What is below the running stretch of guest code cannot change while that
 * runs and is looked up once.
 */
export class StackDepot {
  readonly #k: Kernel;
  readonly #root = new StackNode(asAddr(0), undefined);
  readonly #below = new WeakMap<GuestActivation, StackNode>();
  readonly #rules = new Map<GuestAddr, OrcRule>();
  readonly #ips = new Float64Array(DEPTH_LIMIT);
  #nodes = 0;
  /** Nodes that nobody finds any more; stacks that were taken before may still lead through them. */
  #detached: WeakRef<StackNode>[] = [];

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** How many frames are kept. */
  get size(): number {
    return this.#nodes;
  }

  /**
   * The stack as it is now. The innermost frame is the caller of the function of ours that runs; with `called`, RIP is
   * where a call has just led to, code or not, and the innermost frame is its caller.
   */
  capture(called = false): StackNode {
    const { regs } = this.#k.cpu;
    return this.#capture(regs.rip, regs.rsp, regs.addr(RBP), called);
  }

  /** The stack of those who called the function of the guest that RIP is in. */
  callers(): StackNode {
    const { regs } = this.#k.cpu;
    const { rip } = regs;
    const rule = this.#k.text.findOrc(rip) ?? FRAME_POINTER;
    const bp: number = regs.addr(RBP);
    const frame = (rule.spReg === ORC_REG.BP ? bp : regs.rsp) + rule.spOffset;
    const callerBp = rule.bpReg === ORC_REG.PREV_SP ? this.#word(frame + rule.bpOffset) : bp;
    return this.#capture(this.#word(frame - 8), frame, callerBp);
  }

  /** Functions of a stack, innermost first. */
  frames(stack: StackNode): StackFrame[] {
    const frames: StackFrame[] = [];
    for (let node: StackNode | undefined = stack; node?.caller !== undefined; node = node.caller) {
      frames.push(node.frame ?? stackFrame(this.#k, node.ip, true));
    }
    return frames;
  }

  /** The code there is about to go, and other code may come: what names it has now is kept. */
  codeGoes(start: GuestAddr, size: number): void {
    this.#rules.clear();
    const before = this.#detached;
    this.#detached = [];
    this.#detach(this.#root, start, size, true);
    for (const reference of before) {
      const node = reference.deref();
      if (node === undefined) continue;
      this.#detach(node, start, size, false);
      this.#detached.push(reference);
    }
  }

  #detach(node: StackNode, start: GuestAddr, size: number, counted: boolean): void {
    for (const callee of node.callees()) {
      this.#detach(callee, start, size, counted);
      if (callee.ip <= start || callee.ip > start + size) continue;
      callee.frame = stackFrame(this.#k, callee.ip, true);
      node.forget(callee.ip);
      this.#detached.push(new WeakRef(callee));
      if (counted) this.#nodes -= countNodes(callee);
    }
  }

  #capture(rip: GuestAddr, rsp: number, rbp: number, called = false): StackNode {
    const { activations } = this.#k.sched.current;
    const top = activations.at(-1);
    if (top?.kind !== 'guest' || top.state !== undefined) return this.#base(activations, activations.length);
    let below = this.#below.get(top);
    if (below === undefined) {
      below = this.#base(activations, activations.length - 1);
      this.#below.set(top, below);
    }
    return this.#guest(below, rip, rsp, rbp, called);
  }

  #base(activations: readonly Activation[], end: number): StackNode {
    let node = this.#root;
    for (let i = 0; i < end; i++) {
      const activation = activations[i]!;
      if (activation.kind === 'host') {
        for (const frame of activation.frames) {
          const ip = returnAddress(this.#k, frame);
          if (ip !== undefined) node = this.#intern(node, ip);
        }
      } else if (activation.state !== undefined) {
        const { state } = activation;
        node = this.#guest(
          node,
          addrFromU64(state[SLOT_RIP]!),
          addrFromU64(state[RSP]!),
          addrFromU64(state[RBP]!),
        );
      }
    }
    return node;
  }

  /** Frames of guest code, on top of `below`. */
  #guest(below: StackNode, rip: GuestAddr, rsp: number, rbp: number, called = false): StackNode {
    const k = this.#k;
    const end = k.natives.returnAddress;
    let ip = rip;
    let sp: number = rsp;
    let bp: number = rbp;
    let count = 0;
    if (called || k.natives.nameAt(rip) !== undefined) {
      ip = this.#word(sp);
      sp += 8;
    }
    while (count < DEPTH_LIMIT && ip !== 0 && ip !== end) {
      this.#ips[count++] = ip;
      const rule = this.#rule(ip);
      let frame: number;
      if (rule.spReg === ORC_REG.SP) frame = sp + rule.spOffset;
      else if (rule.spReg === ORC_REG.BP) frame = bp + rule.spOffset;
      else break;
      if (rule.type !== UNWIND_HINT_TYPE.CALL || frame <= sp) break;
      if (rule.bpReg === ORC_REG.PREV_SP) bp = this.#word(frame + rule.bpOffset);
      ip = this.#word(frame - 8);
      sp = frame;
    }
    // no room for another stack: who asked is what matters most
    if (this.#nodes >= NODE_LIMIT && count > 0) return new StackNode(asAddr(this.#ips[0]!), this.#root);
    let node = below;
    while (count > 0) node = this.#intern(node, asAddr(this.#ips[--count]!));
    return node;
  }

  #intern(caller: StackNode, ip: GuestAddr): StackNode {
    let node = caller.callee(ip);
    if (node === undefined) {
      node = new StackNode(ip, caller);
      caller.add(node);
      this.#nodes++;
    }
    return node;
  }

  #rule(ip: GuestAddr): OrcRule {
    let rule = this.#rules.get(ip);
    if (rule === undefined) {
      rule = this.#k.text.findOrc(asAddr(ip - 1)) ?? FRAME_POINTER;
      this.#rules.set(ip, rule);
    }
    return rule;
  }

  /** A word of the running task's stack; 0, which ends the walk, anywhere else. */
  #word(addr: number): GuestAddr {
    const { stack, stackSize } = this.#k.sched.current;
    if (addr < stack || addr + 8 > stack + stackSize) return asAddr(0);
    const { view } = this.#k.memory;
    return addrFromParts(view.getInt32((addr >>> 0) + 4, true), view.getUint32(addr >>> 0, true));
  }
}

function countNodes(node: StackNode): number {
  let count = 1;
  for (const callee of node.callees()) count += countNodes(callee);
  return count;
}
