import { ALL_FLAGS, type Instruction } from '../x86/index.ts';
import type { Block, GuestFunction } from './guest-function.ts';

/** What is known of the flags after each instruction of a block. */
export interface BlockFlags {
  /** Flags that something reads at the block's start. */
  liveIn: number;
  /** For each instruction, the flags read after it. */
  needed: number[];
  /** For each instruction, whether anything may look at all flags before they are all set again. */
  observed: boolean[];
}

/** Instructions that may leave the flags as they are: a count of 0. */
function mayKeep(ins: Instruction): boolean {
  if (ins.encoding.repeatable) return ins.rep || ins.repne;
  const last = ins.operands[ins.operands.length - 1];
  switch (ins.name) {
    case 'shl':
    case 'shr':
    case 'sar':
    case 'rol':
    case 'ror':
    case 'rcl':
    case 'rcr':
    case 'shld':
    case 'shrd':
      // Not the operand size: a byte may be shifted with REX.W.
      return last?.kind === 'reg' || ((last?.value ?? 0) & (ins.operands[0]!.size === 64 ? 63 : 31)) === 0;
    default:
      return false;
  }
}

const HAS_STACK_ACCESS = new Set([
  'push',
  'pop',
  'pushf',
  'popf',
  'leave',
  'enter',
  'xlat',
  'maskmovdqu',
  'maskmovq',
  'push_fs',
  'push_gs',
  'div',
  'idiv',
]);

function mayExit(ins: Instruction, checked: boolean): boolean {
  if (ins.name === 'div' || ins.name === 'idiv' || ins.encoding.family === 'system') return true;
  // Alignment counts in plain code too.
  if (ins.encoding.family === 'x87' || ins.operands.some((o) => o.kind === 'mem' && o.size === 128))
    return true;
  if (!checked) return false;
  if (ins.encoding.repeatable || HAS_STACK_ACCESS.has(ins.name)) return true;
  return ins.name !== 'lea' && ins.operands.some((o) => o.kind === 'mem');
}

/** Which flags are read where, backwards over the whole function. */
export function analyseFlags(fn: GuestFunction, checked: boolean): Map<Block, BlockFlags> {
  const result = new Map<Block, BlockFlags>();
  const gens = new Map<Block, { use: number; kill: number }>();
  for (const block of fn.blocks) {
    let use = 0;
    let kill = 0;
    for (const ins of block.instructions) {
      use |= ins.encoding.flagsRead & ~kill;
      if (!mayKeep(ins)) kill |= ins.encoding.flagsWritten | ins.encoding.flagsUndefined;
    }
    if (block.terminator.kind === 'call' || block.terminator.kind === 'return') kill = ALL_FLAGS;
    gens.set(block, { use, kill });
    result.set(block, { liveIn: use, needed: [], observed: [] });
  }
  const outOf = (block: Block): number => {
    let live = 0;
    for (const next of block.successors) {
      if (next !== undefined) live |= result.get(next)!.liveIn;
    }
    return live;
  };
  const order = [...fn.blocks].sort((a, b) => b.start - a.start);
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order) {
      const { use, kill } = gens.get(block)!;
      const live = use | (outOf(block) & ~kill);
      const flags = result.get(block)!;
      if (live !== flags.liveIn) {
        flags.liveIn = live;
        changed = true;
      }
    }
  }
  for (const block of order) {
    const flags = result.get(block)!;
    let live = block.terminator.kind === 'call' || block.terminator.kind === 'return' ? 0 : outOf(block);
    let observed = true;
    for (let i = block.instructions.length - 1; i >= 0; i--) {
      const ins = block.instructions[i]!;
      flags.needed[i] = live;
      flags.observed[i] = observed;
      const e = ins.encoding;
      const written = e.flagsWritten | e.flagsUndefined;
      const keeps = mayKeep(ins);
      if (!keeps) live &= ~written;
      live |= e.flagsRead;
      if (written === ALL_FLAGS && !keeps && e.flagsRead === 0) observed = false;
      if (e.flagsRead !== 0 || mayExit(ins, checked)) observed = true;
    }
  }
  return result;
}
