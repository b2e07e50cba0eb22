import { decode, ENCODINGS, type Instruction, isInstruction, type Undecodable } from '../x86/index.ts';
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

interface Decoded {
  readonly ins: Instruction | Undecodable;
  /** How the block ends with it, if it does. */
  readonly end: Terminator | undefined;
}

/** Reads the function that contains `entry`, as far as it can be reached from there by jumps and calls' returns. */
export function readFunction(text: TextSource, entry: number): GuestFunction {
  const bounds = text.functionAt(entry);
  const inside = (addr: number): boolean =>
    bounds === undefined
      ? Math.abs(addr - entry) < 0x4_0000
      : addr >= bounds.start && addr < bounds.start + bounds.size;
  // By distance from the entry: keys that are small integers.
  const decoded = new Map<number, Decoded>();
  const leaders = new Set<number>([0]);
  const work = [0];
  let count = 0;
  const reach = (addr: number): void => {
    const at = addr - entry;
    if (leaders.has(at)) return;
    leaders.add(at);
    work.push(at);
  };
  while (work.length > 0 && count < MAX_INSTRUCTIONS) {
    let at = work.pop()!;
    while (!decoded.has(at) && count < MAX_INSTRUCTIONS) {
      const addr = entry + at;
      if (text.stopsAt(addr)) {
        // One byte, so that the function is dropped when the breakpoint is.
        const ins: Undecodable = { addr, reason: 'unknown', length: 1 };
        decoded.set(at, { ins, end: { kind: 'cut', target: addr } });
        break;
      }
      const ins = fetch(text, addr);
      count++;
      if (!isInstruction(ins)) {
        decoded.set(at, { ins, end: { kind: 'bad', addr, bytes: ins } });
        break;
      }
      const end = mayEnd[ins.encoding.id] ? terminate(text, ins, inside) : undefined;
      decoded.set(at, { ins, end });
      if (end !== undefined) {
        if (end.kind === 'goto') reach(end.target);
        else if (end.kind === 'branch') {
          reach(end.next);
          if (inside(end.taken)) reach(end.taken);
        } else if (end.kind === 'call' && inside(end.next)) reach(end.next);
        break;
      }
      at += ins.length;
    }
  }
  const blocks = new Map<number, Block>();
  const ranges: [number, number][] = [];
  for (const start of leaders) {
    if (!decoded.has(start)) continue;
    const instructions: Instruction[] = [];
    let at = start;
    let terminator: Terminator | undefined;
    while (terminator === undefined) {
      const found = decoded.get(at);
      if (found === undefined) {
        terminator = { kind: 'cut', target: entry + at };
        break;
      }
      terminator = found.end;
      if (isInstruction(found.ins)) instructions.push(found.ins);
      at += found.ins.length;
      if (terminator === undefined && leaders.has(at)) terminator = { kind: 'goto', target: entry + at };
    }
    blocks.set(start, {
      start: entry + start,
      instructions,
      terminator,
      successors: [],
      inlinedEntry: false,
    });
    ranges.push([entry + start, entry + at]);
  }
  for (const block of blocks.values()) {
    block.successors = targetsOf(block.terminator).map((target) => blocks.get(target - entry));
  }
  return { entry, blocks: [...blocks.values()], instructionCount: count, ranges };
}

/** Where a terminator goes to inside the function, if these addresses are inside. */
function targetsOf(t: Terminator): number[] {
  switch (t.kind) {
    case 'goto':
      return [t.target];
    case 'branch':
      return [t.taken, t.next];
    case 'call':
      return [t.next];
    default:
      return [];
  }
}

/** One instruction as a function that goes on behind it. */
export function readOne(text: TextSource, at: number): GuestFunction {
  const ins = fetch(text, at);
  let terminator: Terminator;
  if (isInstruction(ins)) {
    terminator = terminate(text, ins, () => false) ?? { kind: 'cut', target: at + ins.length };
    if (terminator.kind === 'goto') terminator = { kind: 'cut', target: terminator.target };
  } else terminator = { kind: 'bad', addr: at, bytes: ins };
  const block: Block = {
    start: at,
    instructions: isInstruction(ins) ? [ins] : [],
    terminator,
    successors: targetsOf(terminator).map(() => undefined),
    inlinedEntry: false,
  };
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
  return ins;
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
