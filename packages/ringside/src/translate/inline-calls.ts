import type { Block, GuestFunction, Terminator } from './guest-function.ts';

/** What inlining asks: where calls lead, and what is there. */
export interface CalleeSource {
  /** The function at an address, if it may stand in place of a call: text of a function's start. */
  read(addr: number): GuestFunction | undefined;
  /** Where the indirect call at an address has led lately. */
  targetsOf(callSite: number): readonly number[];
}

/** Instructions of a callee, of all callees together; calls inside calls; activations of one function inside each other. */
const MAX_CALLEE = 80;
const MAX_ADDED = 400;
const MAX_DEPTH = 8;
const MAX_RECURSION = 4;

/**
 * Puts callees in the place of calls: the return address is still pushed and still looked at, so that the guest's stack is
 * as ever and every way out leaves a state in which the callee was called. Registers stay in locals, and the flags are not
 * stored.
 */
export function inlineCalls(fn: GuestFunction, source: CalleeSource): GuestFunction {
  const blocks: Block[] = [];
  const ranges = [...fn.ranges];
  let budget = MAX_ADDED;
  let count = fn.instructionCount;

  /** Copies a function's blocks; returns lead to `back`, if that is there. Gives the copy of its entry. */
  const copy = (
    of: GuestFunction,
    back: { readonly addr: number; readonly block: Block } | undefined,
    chain: readonly number[],
  ): Block => {
    const copies = new Map<Block, Mutable>();
    for (const [i, block] of of.blocks.entries()) {
      const made: Mutable = { ...block, inlinedEntry: back !== undefined && i === 0, index: blocks.length };
      copies.set(block, made);
      blocks.push(made);
    }
    for (const [block, made] of copies) {
      made.successors = block.successors.map((s) => (s === undefined ? undefined : copies.get(s)));
      const t = block.terminator;
      if (t.kind === 'return' && back !== undefined) {
        made.terminator = { kind: 'inlined-return', ins: t.ins, extra: t.extra, to: back.addr };
        made.successors = [back.block];
      } else if (t.kind === 'call') place(made, t, chain);
    }
    return copies.get(of.blocks[0]!)!;
  };

  /** Puts the callees of a call in its place, as far as they may be. */
  const place = (made: Mutable, t: Terminator & { kind: 'call' }, chain: readonly number[]): void => {
    const next = made.successors[0];
    if (next === undefined || chain.length > MAX_DEPTH) return;
    const guesses: number[] = [];
    const entries: Block[] = [];
    const candidates = t.target.kind === 'direct' ? [t.target.addr] : source.targetsOf(t.ins.addr);
    for (const addr of candidates) {
      if (chain.filter((a) => a === addr).length >= MAX_RECURSION) continue;
      const callee = source.read(addr);
      if (callee === undefined || callee.instructionCount > Math.min(MAX_CALLEE, budget)) continue;
      if (!callee.blocks.some((b) => b.terminator.kind === 'return')) continue;
      budget -= callee.instructionCount;
      count += callee.instructionCount;
      ranges.push(...callee.ranges);
      guesses.push(addr);
      entries.push(copy(callee, { addr: t.next, block: next }, [...chain, addr]));
    }
    if (guesses.length === 0) return;
    made.terminator = { kind: 'inlined-call', ins: t.ins, target: t.target, guesses, next: t.next };
    made.successors = t.target.kind === 'direct' ? entries : [...entries, next];
  };

  copy(fn, undefined, [fn.entry]);
  return { entry: fn.entry, blocks, instructionCount: count, ranges };
}

type Mutable = { -readonly [K in keyof Block]: Block[K] };
