import { endOf, type FrameRange, RegisterTrack } from './access-plan.ts';
import type { Block, GuestFunction } from './guest-function.ts';
import { RSP } from './register-file.ts';

/**
 * The stack that a function uses, seen from the stack pointer at its start: where that pointer is known in a block, its
 * accesses are `push`, `pop`, spills and return addresses within a range that one check at the start answers for. Calls
 * keep the pointer: translated code looks at it when they return.
 */
export interface FramePlan extends FrameRange {
  /** The stack pointer at a block's start, seen from that at the function's; undefined where paths differ. */
  offsetOf(block: Block): number | undefined;
}

/** Farther accesses are checked where they are made: a check far below the pointer would fail near a stack's end. */
const LOWEST = -224;
const HIGHEST = 64;

export function planFrame(fn: GuestFunction): FramePlan | undefined {
  const offsets = new Map<Block, number | undefined>();
  const work: Block[] = [fn.blocks[0]!];
  offsets.set(fn.blocks[0]!, 0);
  let low = 0;
  let high = 0;
  while (work.length > 0) {
    const block = work.pop()!;
    const start = offsets.get(block);
    const end = start === undefined ? undefined : follow(block, start, widen);
    for (const [i, next] of block.successors.entries()) {
      if (next === undefined) continue;
      const out = end === undefined ? undefined : end - (entersCallee(block, i) ? 8 : 0);
      if (!offsets.has(next)) {
        offsets.set(next, out);
        work.push(next);
      } else if (offsets.get(next) !== out && offsets.get(next) !== undefined) {
        offsets.set(next, undefined);
        work.push(next);
      }
    }
  }
  function widen(from: number, to: number): void {
    if (from < LOWEST || to > HIGHEST) return;
    low = Math.min(low, from);
    high = Math.max(high, to);
  }
  if (high - low <= 8) return undefined;
  return { low, high, offsetOf: (block) => offsets.get(block) };
}

/** Whether successor `i` is an inlined callee: the return address is on the stack there. */
function entersCallee(block: Block, i: number): boolean {
  const t = block.terminator;
  return t.kind === 'inlined-call' && i < t.guesses.length;
}

/** The stack pointer at the end of a block, a call having come back; tells of the accesses. */
function follow(block: Block, start: number, access: (from: number, to: number) => void): number | undefined {
  const track = new RegisterTrack();
  const last = block.instructions.length - 1;
  for (const [i, ins] of block.instructions.entries()) {
    if (track.versions[RSP] !== 0) return undefined;
    const at = start + track.offsets[RSP]!;
    const word = ins.operandSize >> 3;
    const memory = ins.operands.find((o) => o.kind === 'mem');
    if (memory !== undefined && ins.base === RSP && ins.index < 0 && ins.segment < 0 && ins.name !== 'lea') {
      access(at + ins.displacement, at + ins.displacement + (memory.size >> 3));
    }
    if (ins.name === 'push') access(at - word, at);
    else if (ins.name === 'pop') access(at, at + word);
    if (i < last) {
      if (ins.name !== 'call') track.step(ins);
      continue;
    }
    const end = endOf(block);
    if (end === 'call') {
      access(at - 8, at);
      return at;
    }
    if (end === 'return') {
      access(at, at + 8);
      return at + 8 + (block.terminator.kind === 'inlined-return' ? block.terminator.extra : 0);
    }
    track.step(ins);
  }
  return track.versions[RSP] === 0 ? start + track.offsets[RSP]! : undefined;
}
