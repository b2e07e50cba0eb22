import { ALL_FLAGS, ENCODINGS, type Encoding, type Instruction } from '../x86/index.ts';
import type { GuestFunction } from './guest-function.ts';

/** What is known of the flags after each instruction of a block. */
export interface BlockFlags {
  /** Flags that something reads at the block's start. */
  liveIn: number;
  /** For each instruction, the flags read after it. */
  needed: number[];
  /** For each instruction, whether anything may look at all flags before they are all set again. */
  observed: boolean[];
}

const SHIFTS = new Set('shl shr sar rol ror rcl rcr shld shrd'.split(' '));
const HAS_STACK_ACCESS = new Set(
  'push pop pushf popf leave enter xlat maskmovdqu maskmovq push_fs push_gs div idiv'.split(' '),
);

/** Whether an instruction may leave the flags as they are: a count of 0. */
const KEEPS = { never: 0, repeated: 1, shift: 2 } as const;
/** Whether an instruction may leave the function before it is made. */
const EXITS = { never: 0, always: 1, checked: 2, memory: 3 } as const;

const keepsOf = ENCODINGS.map((e) =>
  e.repeatable ? KEEPS.repeated : SHIFTS.has(e.name) ? KEEPS.shift : KEEPS.never,
);
const exitsOf = ENCODINGS.map(exits);

function exits(e: Encoding): number {
  if (e.name === 'div' || e.name === 'idiv' || e.family === 'system' || e.family === 'x87')
    return EXITS.always;
  if (e.repeatable || HAS_STACK_ACCESS.has(e.name)) return EXITS.checked;
  return e.name === 'lea' ? EXITS.never : EXITS.memory;
}

/**
 * Flags that an instruction hands on: `inc` and `dec` leave CF, which counts as reading it. Where paths meet it is then
 * brought along as a value, instead of asking the host what it was in each round of a loop that ends in `dec`.
 */
const FLAG_CARRY = 1;
const keptOf = ENCODINGS.map((e) => (e.name === 'inc' || e.name === 'dec' ? FLAG_CARRY : 0));

function mayKeep(ins: Instruction): boolean {
  switch (keepsOf[ins.encoding.id]) {
    case KEEPS.repeated:
      return ins.rep || ins.repne;
    case KEEPS.shift: {
      const count = ins.operands[ins.operands.length - 1]!;
      // Not the operand size: a byte may be shifted with REX.W.
      return count.kind === 'reg' || (count.value & (ins.operands[0]!.size === 64 ? 63 : 31)) === 0;
    }
    default:
      return false;
  }
}

function mayExit(ins: Instruction, checked: boolean): boolean {
  switch (exitsOf[ins.encoding.id]) {
    case EXITS.always:
      return true;
    case EXITS.checked:
      return checked || hasAlignedOperand(ins);
    case EXITS.memory:
      return ins.memory >= 0 && (checked || hasAlignedOperand(ins));
    default:
      return false;
  }
}

/** Alignment counts in plain code too. */
function hasAlignedOperand(ins: Instruction): boolean {
  return ins.memory >= 0 && ins.operands[ins.memory]!.size === 128;
}

/** Which flags are read where, backwards over the whole function; by block. */
export function analyseFlags(fn: GuestFunction, checked: boolean): BlockFlags[] {
  const { blocks } = fn;
  const n = blocks.length;
  const use = new Int32Array(n);
  const kill = new Int32Array(n);
  const liveIn = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const block = blocks[i]!;
    let used = 0;
    let killed = 0;
    for (const ins of block.instructions) {
      const e = ins.encoding;
      used |= (e.flagsRead | keptOf[e.id]!) & ~killed;
      const written = e.flagsWritten | e.flagsUndefined;
      if (written !== 0 && !mayKeep(ins)) killed |= written;
    }
    const { kind } = block.terminator;
    const ends = kind === 'call' || kind === 'return';
    use[i] = used;
    kill[i] = ends ? ALL_FLAGS : killed;
    liveIn[i] = used;
  }
  const outOf = (i: number): number => {
    const block = blocks[i]!;
    let live = 0;
    // What is called reads no flags.
    if (block.terminator.kind !== 'call') {
      for (const s of block.successors) if (s !== undefined) live |= liveIn[s.index]!;
    }
    return live;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = n - 1; i >= 0; i--) {
      const live = use[i]! | (outOf(i) & ~kill[i]!);
      if (live !== liveIn[i]) {
        liveIn[i] = live;
        changed = true;
      }
    }
  }
  return blocks.map((block, i) => backwards(block.instructions, liveIn[i]!, outOf(i), checked));
}

function backwards(
  instructions: readonly Instruction[],
  liveIn: number,
  liveOut: number,
  checked: boolean,
): BlockFlags {
  const count = instructions.length;
  const needed = new Array<number>(count);
  const observed = new Array<boolean>(count);
  let live = liveOut;
  let seen = true;
  for (let k = count - 1; k >= 0; k--) {
    const ins = instructions[k]!;
    needed[k] = live;
    observed[k] = seen;
    const e = ins.encoding;
    const written = e.flagsWritten | e.flagsUndefined;
    if (written !== 0 && !mayKeep(ins)) {
      live &= ~written;
      if (written === ALL_FLAGS && e.flagsRead === 0) seen = false;
    }
    live |= e.flagsRead | keptOf[e.id]!;
    if (!seen && (e.flagsRead !== 0 || mayExit(ins, checked))) seen = true;
  }
  return { liveIn, needed, observed };
}
