import { decode, ENCODINGS, type Instruction, isInstruction, type Undecodable } from '../x86/index.ts';
import type { FeatureSet } from './features.ts';
import type { Thunk } from './thunks.ts';

/** How a basic block ends. Targets are guest addresses. */
export type Terminator =
  | { readonly kind: 'goto'; readonly target: number }
  /** `jcc`, `loop`, `jrcxz`: the instruction is the block's last one. */
  | { readonly kind: 'branch'; readonly ins: Instruction; readonly taken: number; readonly next: number }
  | { readonly kind: 'call'; readonly ins: Instruction; readonly target: CallTarget; readonly next: number }
  /**
   * A call whose callees stand in its place. Successors: the callees' entries in the order of `guesses`, then, where the
   * target is known only at run time, the block at `next` for any other callee.
   */
  | {
      readonly kind: 'inlined-call';
      readonly ins: Instruction;
      readonly target: CallTarget;
      readonly guesses: readonly number[];
      readonly next: number;
    }
  /** The return of an inlined callee: to `to`, unless the guest's stack says otherwise. */
  | {
      readonly kind: 'inlined-return';
      readonly ins: Instruction;
      readonly extra: number;
      readonly to: number;
    }
  /** A jump out of the function. */
  | { readonly kind: 'tail'; readonly ins: Instruction; readonly target: CallTarget }
  | { readonly kind: 'return'; readonly ins: Instruction; readonly extra: number }
  /** Goes on in the dispatcher: the function is cut here, or an instruction is for the host. */
  | { readonly kind: 'cut'; readonly target: number }
  | { readonly kind: 'bad'; readonly addr: number; readonly bytes: Undecodable };

export type CallTarget =
  | { readonly kind: 'direct'; readonly addr: number }
  | { readonly kind: 'register'; readonly register: number }
  /** The operand of the instruction. */
  | { readonly kind: 'operand' };

export interface Block {
  readonly start: number;
  readonly instructions: readonly Instruction[];
  readonly terminator: Terminator;
  /** Where the terminator's targets are inside the function, in its order; undefined: outside. */
  successors: readonly (Block | undefined)[];
  /** The entry of an inlined callee: fuel is looked at. */
  readonly inlinedEntry: boolean;
  /** Its place among the function's blocks. */
  readonly index: number;
}

/** The basic blocks reachable from `entry`; that of the entry first. */
export interface GuestFunction {
  readonly entry: number;
  readonly blocks: readonly Block[];
  readonly instructionCount: number;
  /** Half-open ranges of the text that was read. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
}

export interface TextSource {
  readonly bytes: Uint8Array;
  /** Whether instruction bytes at the address can be fetched. */
  fetchable(addr: number): boolean;
  /** The bounds of the function around the address, where they are known. */
  functionAt(addr: number): { readonly start: number; readonly size: number } | undefined;
  thunkAt(addr: number): Thunk | undefined;
  /** What the processor makes of encodings. */
  readonly features: FeatureSet;
  /** Whether there is a breakpoint: code goes to the dispatcher there. */
  stopsAt(addr: number): boolean;
}

const MAX_INSTRUCTIONS = 6000;
const PAGE = 4096;

/** Instructions that the host makes, or that end the block in an exception. */
const ENDS_BLOCK = new Set(
  'ud0 ud1 ud2 int3 int1 hlt in out rdtsc rdtscp rdmsr wrmsr cpuid mov_from_cr mov_to_cr mov_from_dr mov_to_dr swapgs invlpg wbinvd invd clts rdpmc invpcid xgetbv xsetbv int syscall sysret iret rdrand rdseed rdpid smsw sgdt sidt lgdt lidt sldt str lldt ltr mov_to_seg pop_fs pop_gs lmsw ins outs verr verw lar lsl sysenter sysexit call_far jmp_far retf'.split(
    ' ',
  ),
);

const NEVER_RETURNS = new Set(['ud0', 'ud1', 'ud2', 'sysret', 'iret', 'jmp_far', 'retf']);

/** By an encoding's id, whether the instruction may end a block. */
const mayEnd = ENCODINGS.map(
  ({ name }) =>
    name[0] === 'j' ||
    /^(call|ret|loop|loope|loopne)$/.test(name) ||
    ENDS_BLOCK.has(name) ||
    NEVER_RETURNS.has(name),
);

/** Whether the instruction is a jump, a call or a return, which no lifter makes. */
export function isTerminator(ins: Instruction): boolean {
  switch (ins.name) {
    case 'jmp':
    case 'call':
    case 'ret':
    case 'loop':
    case 'loope':
    case 'loopne':
      return true;
    default:
      return ins.name[0] === 'j' && ins.name !== 'jmp_far';
  }
}

/** Whether the dispatcher goes on behind the instruction, since the host makes it. */
export function isMadeByHost(ins: Instruction): boolean {
  return ENDS_BLOCK.has(ins.name);
}

/** How far from the entry a function's text may be. */
const REACH = 0x4_0000;
/**
 * Scratch of readFunction, by distance from the entry plus REACH: the number of the instruction read there, and of the
 * block that begins there, both from 1; all 0 between calls.
 */
const READ = new Uint16Array(2 * REACH);
const LEADER = new Uint16Array(2 * REACH);

/** Reads the function that contains `entry`, as far as it can be reached from there by jumps and calls' returns. */
export function readFunction(text: TextSource, entry: number): GuestFunction {
  const origin = entry - REACH;
  /** Distances from the origin where blocks begin, in the order in which they were found. */
  const leaders: number[] = [];
  const read: number[] = [];
  try {
    return readBlocks(text, entry, origin, leaders, read);
  } finally {
    for (const at of leaders) LEADER[at] = 0;
    for (const at of read) READ[at] = 0;
  }
}

function readBlocks(
  text: TextSource,
  entry: number,
  origin: number,
  leaders: number[],
  read: number[],
): GuestFunction {
  const bounds = text.functionAt(entry);
  const first = Math.max(origin, bounds?.start ?? origin);
  const end = Math.min(origin + 2 * REACH - 16, bounds === undefined ? Infinity : bounds.start + bounds.size);
  const inside = (addr: number): boolean => addr >= first && addr < end;
  const instructions: (Instruction | Undecodable)[] = [];
  const ends: (Terminator | undefined)[] = [];
  const work: number[] = [];
  const reach = (addr: number): void => {
    const at = addr - origin;
    if (LEADER[at] !== 0) return;
    leaders.push(at);
    LEADER[at] = leaders.length;
    work.push(at);
  };
  const add = (at: number, ins: Instruction | Undecodable, by: Terminator | undefined): void => {
    read.push(at);
    READ[at] = read.length;
    instructions.push(ins);
    ends.push(by);
  };
  let count = 0;
  reach(entry);
  while (work.length > 0 && count < MAX_INSTRUCTIONS) {
    let at = work.pop()!;
    while (READ[at] === 0 && count < MAX_INSTRUCTIONS) {
      const addr = origin + at;
      if (text.stopsAt(addr)) {
        // One byte, so that the function is dropped when the breakpoint is.
        add(at, { addr, reason: 'unknown', length: 1 }, { kind: 'cut', target: addr });
        break;
      }
      const ins = fetch(text, addr);
      count++;
      if (!isInstruction(ins)) {
        add(at, ins, { kind: 'bad', addr, bytes: ins });
        break;
      }
      const by = mayEnd[ins.encoding.id] ? terminate(text, ins, inside) : undefined;
      add(at, ins, by);
      if (by !== undefined) {
        if (by.kind === 'goto') reach(by.target);
        else if (by.kind === 'branch') {
          reach(by.next);
          if (inside(by.taken)) reach(by.taken);
        } else if (by.kind === 'call' && inside(by.next)) reach(by.next);
        break;
      }
      at += ins.length;
      if (at >= 2 * REACH - 16) break;
    }
  }
  const blocks: Block[] = [];
  const byLeader: (Block | undefined)[] = [];
  const ranges: [number, number][] = [];
  for (const start of leaders) {
    if (READ[start] === 0) {
      byLeader.push(undefined);
      continue;
    }
    const own: Instruction[] = [];
    let at = start;
    let terminator: Terminator | undefined;
    while (terminator === undefined) {
      const found = READ[at]!;
      if (found === 0) {
        terminator = { kind: 'cut', target: origin + at };
        break;
      }
      const ins = instructions[found - 1]!;
      terminator = ends[found - 1];
      if (isInstruction(ins)) own.push(ins);
      at += ins.length;
      if (terminator === undefined && LEADER[at] !== 0) terminator = { kind: 'goto', target: origin + at };
    }
    const block = newBlock(origin + start, own, terminator, blocks.length);
    blocks.push(block);
    byLeader.push(block);
    ranges.push([origin + start, origin + at]);
  }
  const blockAt = (addr: number): Block | undefined =>
    addr >= origin && addr < origin + 2 * REACH ? byLeader[LEADER[addr - origin]! - 1] : undefined;
  for (const block of blocks) {
    const t = block.terminator;
    if (t.kind === 'goto') block.successors = [blockAt(t.target)];
    else if (t.kind === 'branch') block.successors = [blockAt(t.taken), blockAt(t.next)];
    else if (t.kind === 'call') block.successors = [blockAt(t.next)];
  }
  return { entry, blocks, instructionCount: count, ranges };
}

export function newBlock(
  start: number,
  instructions: readonly Instruction[],
  terminator: Terminator,
  index: number,
): Block {
  return { start, instructions, terminator, successors: [], inlinedEntry: false, index };
}

/** One instruction as a function that goes on behind it. */
export function readOne(text: TextSource, at: number): GuestFunction {
  const ins = fetch(text, at);
  let terminator: Terminator;
  if (isInstruction(ins)) {
    terminator = terminate(text, ins, () => false) ?? { kind: 'cut', target: at + ins.length };
    if (terminator.kind === 'goto') terminator = { kind: 'cut', target: terminator.target };
  } else terminator = { kind: 'bad', addr: at, bytes: ins };
  const block = newBlock(at, isInstruction(ins) ? [ins] : [], terminator, 0);
  return { entry: at, blocks: [block], instructionCount: 1, ranges: [[at, at + ins.length]] };
}

/** Decodes the instruction at `at`; bytes on a page that cannot be fetched end it. */
export function fetch(text: TextSource, at: number): Instruction | Undecodable {
  const low = at >>> 0;
  const ins = decode(text.bytes, low, at);
  const last = at + ins.length - 1;
  if (low % PAGE > PAGE - ins.length && !text.fetchable(last)) {
    return { addr: at, reason: 'truncated', length: PAGE - (low % PAGE) };
  }
  return isInstruction(ins) ? text.features.apply(ins) : ins;
}

function terminate(
  text: TextSource,
  ins: Instruction,
  inside: (addr: number) => boolean,
): Terminator | undefined {
  const next = ins.addr + ins.length;
  switch (ins.name) {
    case 'jmp': {
      const operand = ins.operands[0]!;
      if (operand.kind !== 'rel') return { kind: 'tail', ins, target: { kind: 'operand' } };
      const thunk = text.thunkAt(operand.value);
      if (thunk === undefined && inside(operand.value)) return { kind: 'goto', target: operand.value };
      if (thunk?.kind === 'return' || thunk?.kind === 'nop') return { kind: 'return', ins, extra: 0 };
      if (thunk?.kind === 'indirect') {
        return { kind: 'tail', ins, target: { kind: 'register', register: thunk.register } };
      }
      return { kind: 'tail', ins, target: { kind: 'direct', addr: operand.value } };
    }
    case 'call': {
      const operand = ins.operands[0]!;
      if (operand.kind !== 'rel') return { kind: 'call', ins, target: { kind: 'operand' }, next };
      const thunk = text.thunkAt(operand.value);
      if (thunk?.kind === 'nop') return undefined;
      if (thunk?.kind === 'indirect') {
        return { kind: 'call', ins, target: { kind: 'register', register: thunk.register }, next };
      }
      return { kind: 'call', ins, target: { kind: 'direct', addr: operand.value }, next };
    }
    case 'ret':
      return { kind: 'return', ins, extra: (ins.operands[0]?.value ?? 0) & 0xffff };
    case 'loop':
    case 'loope':
    case 'loopne':
    case 'jrcxz':
      return { kind: 'branch', ins, taken: ins.operands[0]!.value, next };
    default:
      if (NEVER_RETURNS.has(ins.name) || ENDS_BLOCK.has(ins.name)) return { kind: 'cut', target: next };
      if (ins.name[0] === 'j') return { kind: 'branch', ins, taken: ins.operands[0]!.value, next };
      return undefined;
  }
}
