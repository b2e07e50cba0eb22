import { type Instruction, NO_REGISTER } from '../x86/index.ts';
import {
  type Access,
  type AccessPlan,
  accessesOfBlock,
  type FrameRange,
  inFrame,
  PlanTable,
  planGroups,
  SPAN,
  sameBase,
} from './access-plan.ts';
import type { Block } from './guest-function.ts';

/**
 * Small loops of one block run as several copies of it in a row. What each round costs besides the guest's own work (the
 * fuel, a look at it, V8's own check for interrupts, the checks of accesses that move on by constants) is then paid once
 * for all copies, in a *gate* before them. Where the gate does not let through (little fuel, a page or an object that ends
 * soon) the loop's own block runs, one round at a time, exact as everywhere.
 */
const MAX_INSTRUCTIONS = 100;
const MAX_COPIES = 8;
/** Families of accesses that a gate looks at. */
const MAX_CHECKS = 6;

/** How many copies of a block to make; 0 for blocks that are not such loops. */
export function unrollCount(block: Block): number {
  const t = block.terminator;
  if (t.kind !== 'branch' || block.successors[0] !== block) return 0;
  const n = block.instructions.length;
  if (block.instructions.some((ins) => ins.encoding.repeatable || ins.encoding.family === 'system')) return 0;
  for (let count = MAX_COPIES; count >= 2; count >>= 1) if (count * n <= MAX_INSTRUCTIONS) return count;
  return 0;
}

/** One check of a gate: bytes `[low, low + bytes)` from the base and index registers as they are there. */
export interface GateCheck {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly low: number;
  readonly bytes: number;
  readonly write: boolean;
}

export interface LoopPlan {
  readonly checks: readonly GateCheck[];
  /** The plan of copy `i`, from 0. */
  readonly copies: readonly (AccessPlan | undefined)[];
}

export function planLoop(
  instructions: readonly Instruction[],
  count: number,
  frame: FrameRange | undefined,
  group: boolean,
): LoopPlan {
  const n = instructions.length;
  const all = Array.from({ length: count }, () => instructions).flat();
  const tables = Array.from({ length: count }, () => new PlanTable(n));
  const checks: GateCheck[] = [];
  const families: Access[][] = [];
  const rest: Access[][] = tables.map(() => []);
  const inCopy = (a: Access): Access => ({ ...a, position: a.position % n });
  for (const a of accessesOfBlock(all, undefined)) {
    if (frame !== undefined && inFrame(a, frame)) {
      tables[Math.floor(a.position / n)]!.put(inCopy(a), { frame: a.low - frame.low });
      continue;
    }
    const linear = a.baseVersion === 0 && a.indexVersion === 0 && a.segment === NO_REGISTER;
    const family = linear ? families.find((f) => sameBase(f[0]!, a)) : undefined;
    if (family !== undefined) family.push(a);
    else if (linear && families.length < MAX_CHECKS) families.push([a]);
    else rest[Math.floor(a.position / n)]!.push(inCopy(a));
  }
  for (const family of families) {
    const made = coverFamily(family);
    if (checks.length + made.length > MAX_CHECKS) {
      for (const a of family) rest[Math.floor(a.position / n)]!.push(inCopy(a));
      continue;
    }
    for (const a of family) {
      const k = made.findIndex((c) => a.low >= c.low && a.high <= c.low + c.bytes);
      const offset = a.low - made[k]!.low;
      tables[Math.floor(a.position / n)]!.put(inCopy(a), { family: checks.length + k, offset });
    }
    checks.push(...made);
  }
  if (group) for (const [i, list] of rest.entries()) planGroups(list, tables[i]!);
  return { checks, copies: tables };
}

/** Ranges of at most SPAN bytes that hold all accesses. */
function coverFamily(family: readonly Access[]): GateCheck[] {
  const sorted = [...family].sort((a, b) => a.low - b.low);
  const checks: GateCheck[] = [];
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i]!;
    let high = first.high;
    let write = first.write;
    let end = i + 1;
    while (end < sorted.length && Math.max(high, sorted[end]!.high) - first.low <= SPAN) {
      high = Math.max(high, sorted[end]!.high);
      write ||= sorted[end]!.write;
      end++;
    }
    const { base, index, scale, low } = first;
    checks.push({ base, index, scale, low, bytes: high - low, write });
    i = end;
  }
  return checks;
}
