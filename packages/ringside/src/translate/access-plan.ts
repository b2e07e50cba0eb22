import { ENCODINGS, type Encoding, type Instruction, NO_REGISTER } from '../x86/index.ts';
import type { Block } from './guest-function.ts';
import { RSP } from './register-file.ts';

/** A check that stands for several accesses of a block. */
export interface GroupCheck {
  /** From the first access's address to the lowest byte of the group. */
  readonly offset: number;
  readonly bytes: number;
  readonly write: boolean;
  /** Whether the sign of the address has to be looked at. */
  readonly sign: boolean;
}

/** An access to the function's frame, which has been checked where the function began. */
export interface FrameAccess {
  /** From the frame's lowest byte. */
  readonly frame: number;
}

/** An access of a loop's copy that its gate has looked at. */
export interface FamilyAccess {
  /** The number of the gate's check, and how far from its lowest byte. */
  readonly family: number;
  readonly offset: number;
}

export type Cover = 'checked' | GroupCheck | FrameAccess | FamilyAccess;

/** Which accesses of a block share a check. */
export interface AccessPlan {
  /**
   * For access `key` (0: the memory operand, 1: the stack) of the block's instruction at `position`. `checked`: an earlier
   * check covers it; a group: check this and it covers the later ones; undefined: on its own.
   */
  covers(position: number, key: number): Cover | undefined;
}

/** Bytes around the stack pointer at a function's start that are checked there; see frame-plan.ts. */
export interface FrameRange {
  readonly low: number;
  readonly high: number;
}

/** One access: at a version of its base and index registers, and a constant. */
export interface Access {
  readonly position: number;
  readonly key: number;
  readonly base: number;
  readonly baseVersion: number;
  readonly index: number;
  readonly indexVersion: number;
  readonly scale: number;
  readonly segment: number;
  readonly low: number;
  readonly high: number;
  readonly write: boolean;
}

/** Bytes that one load of the shadow answers for, wherever they begin. */
export const SPAN = 57;

const NO_ACCESS = new Set('lea nop prefetch prefetchw invlpg clflush clflushopt clwb ud1 ud0 pop'.split(' '));
const READS_ONLY = new Set(
  'cmp test bt imul1 imul2 imul3 mul div idiv push call jmp movzx movsx movsxd'.split(' '),
);
const WRITES_NO_REGISTER = new Set('cmp test nop bt'.split(' '));
/** Instructions that write their first operand and no other register. */
const WRITES_FIRST = new Set(
  'mov movzx movsx movsxd and or xor shl shr sar rol ror imul2 imul3 neg not adc sbb bswap'.split(' '),
);

/** What an encoding does to its memory operand, as far as accesses can be compared: looked up by its id. */
const MEMORY = { none: 0, reads: 1, writes: 2, bits: 3, readsBits: 4 } as const;
const memoryOf = ENCODINGS.map((e): number => {
  if (NO_ACCESS.has(e.name) || e.repeatable || e.family === 'x87') return MEMORY.none;
  if (e.name.startsWith('bt')) return e.name === 'bt' ? MEMORY.readsBits : MEMORY.bits;
  return READS_ONLY.has(e.name) ? MEMORY.reads : MEMORY.writes;
});

/** What an encoding does to registers. */
const EFFECT = {
  none: 0,
  first: 1,
  add: 2,
  subtract: 3,
  increment: 4,
  decrement: 5,
  lea: 6,
  push: 7,
  pop: 8,
  exchange: 9,
  call: 10,
  any: 11,
} as const;
const EFFECT_OF: Readonly<Record<string, number>> = {
  add: EFFECT.add,
  sub: EFFECT.subtract,
  inc: EFFECT.increment,
  dec: EFFECT.decrement,
  lea: EFFECT.lea,
  push: EFFECT.push,
  pop: EFFECT.pop,
  xchg: EFFECT.exchange,
  call: EFFECT.call,
};
const effectOf = ENCODINGS.map(effect);

function effect(e: Encoding): number {
  const own = EFFECT_OF[e.name];
  if (own !== undefined) return own;
  // Conditional jumps stand between the copies of a loop.
  if (WRITES_NO_REGISTER.has(e.name) || (e.name[0] === 'j' && e.name !== 'jmp')) return EFFECT.none;
  if (WRITES_FIRST.has(e.name) || e.name.startsWith('cmov') || e.name.startsWith('set')) return EFFECT.first;
  return EFFECT.any;
}

/** Follows registers through straight code: how often each was changed, and how far constants have moved it since. */
export class RegisterTrack {
  readonly versions: number[] = new Array<number>(16).fill(0);
  readonly offsets: number[] = new Array<number>(16).fill(0);
  #next = 1;

  change(r: number): void {
    this.versions[r] = this.#next++;
    this.offsets[r] = 0;
  }

  /** What the instruction does, its accesses having been looked at. */
  step(ins: Instruction): void {
    const how = effectOf[ins.encoding.id]!;
    if (how === EFFECT.none) return;
    const target = ins.operands[0];
    if (target?.kind === 'reg' && target.size === 64) {
      const by = this.#distance(ins, how);
      if (by !== undefined) {
        this.offsets[target.reg]! += by;
        return;
      }
    }
    switch (how) {
      case EFFECT.push:
        this.offsets[RSP]! -= ins.operandSize >> 3;
        return;
      case EFFECT.pop:
        if (target!.kind !== 'reg') this.change(RSP);
        else {
          this.offsets[RSP]! += ins.operandSize >> 3;
          this.change(target!.reg);
        }
        return;
      case EFFECT.exchange:
        for (const o of ins.operands) if (o.kind === 'reg') this.change(o.reg);
        return;
      case EFFECT.call:
      case EFFECT.any:
        for (let r = 0; r < 16; r++) this.change(r);
        return;
      default:
        if (target!.kind === 'reg') this.change(target!.reg);
    }
  }

  /** How far the instruction moves its 64-bit target by a constant. */
  #distance(ins: Instruction, how: number): number | undefined {
    switch (how) {
      case EFFECT.add:
        return ins.operands[1]!.kind === 'imm' ? ins.operands[1]!.value : undefined;
      case EFFECT.subtract:
        return ins.operands[1]!.kind === 'imm' ? -ins.operands[1]!.value : undefined;
      case EFFECT.increment:
        return 1;
      case EFFECT.decrement:
        return -1;
      case EFFECT.lea:
        return ins.base === ins.operands[0]!.reg && ins.index === NO_REGISTER ? ins.displacement : undefined;
      default:
        return undefined;
    }
  }
}

/** What the last instruction of a block does with the return address: `jmp` to a return thunk returns too. */
export type BlockEnd = 'call' | 'return' | undefined;

export function endOf(block: Block): BlockEnd {
  switch (block.terminator.kind) {
    case 'call':
    case 'inlined-call':
      return 'call';
    case 'return':
    case 'inlined-return':
      return 'return';
    default:
      return undefined;
  }
}

/** The accesses of straight code whose addresses can be compared with each other. */
export function accessesOfBlock(instructions: readonly Instruction[], end: BlockEnd): Access[] {
  const track = new RegisterTrack();
  const accesses: Access[] = [];
  const { versions, offsets } = track;
  const add = (
    position: number,
    key: number,
    ins: Instruction,
    at: number,
    bytes: number,
    write: boolean,
  ): void => {
    const base = key === 1 ? RSP : ins.base;
    const index = key === 1 ? NO_REGISTER : ins.index;
    const low = at + (base < 0 ? 0 : offsets[base]!) + (index < 0 ? 0 : offsets[index]! * 2 ** ins.scale);
    accesses.push({
      position,
      key,
      base,
      baseVersion: base < 0 ? 0 : versions[base]!,
      index,
      indexVersion: index < 0 ? 0 : versions[index]!,
      scale: index < 0 ? 0 : ins.scale,
      segment: key === 1 ? NO_REGISTER : ins.segment,
      low,
      high: low + bytes,
      write,
    });
  };
  for (let position = 0; position < instructions.length; position++) {
    const ins = instructions[position]!;
    const word = ins.operandSize >> 3;
    const how = effectOf[ins.encoding.id];
    if (ins.memory >= 0) {
      const memory = memoryOf[ins.encoding.id]!;
      const { size } = ins.operands[ins.memory]!;
      const isString = memory >= MEMORY.bits && ins.operands[1]!.kind === 'reg';
      if (memory !== MEMORY.none && !isString && !ins.address32 && size >= 8 && size <= 64) {
        const write = ins.memory === 0 && (memory === MEMORY.writes || memory === MEMORY.bits);
        add(position, 0, ins, ins.displacement, size >> 3, write);
      }
    }
    if (how === EFFECT.push) add(position, 1, ins, -word, word, true);
    else if (how === EFFECT.pop && ins.memory < 0) add(position, 1, ins, 0, word, false);
    if (position === instructions.length - 1) {
      if (end === 'call') add(position, 1, ins, -8, 8, true);
      else if (end === 'return') add(position, 1, ins, 0, 8, false);
    } else if (how !== EFFECT.call) track.step(ins);
  }
  return accesses;
}

export function sameBase(a: Access, b: Access): boolean {
  return (
    a.base === b.base &&
    a.baseVersion === b.baseVersion &&
    a.index === b.index &&
    a.indexVersion === b.indexVersion &&
    a.scale === b.scale &&
    a.segment === b.segment
  );
}

/** A plan over `count` instructions, filled by position. */
export class PlanTable implements AccessPlan {
  readonly #count: number;
  #entries: (Cover | undefined)[] | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  covers(position: number, key: number): Cover | undefined {
    // String operations have accesses 2 and 3, which are never shared.
    return key > 1 ? undefined : this.#entries?.[position * 2 + key];
  }

  put(access: Access, value: Cover): void {
    this.#entries ??= new Array<undefined>(this.#count * 2).fill(undefined);
    this.#entries[access.position * 2 + access.key] = value;
  }
}

/**
 * Accesses off one base within a few bytes of each other are checked together, at the first of them: the check is exact,
 * every byte from the lowest to the highest has to be valid. All accesses of a block are made unless one before them
 * faults, so code that is right never fails such a check for another reason; when one fails, the host judges the first
 * access on its own and steps. Accesses within `frame`, which is given as seen from the stack pointer at the block's start,
 * have been checked at the function's start.
 */
export function planAccesses(
  instructions: readonly Instruction[],
  end: BlockEnd,
  group: boolean,
  frame?: FrameRange,
): AccessPlan | undefined {
  const accesses = accessesOfBlock(instructions, end);
  if (accesses.length === 0) return undefined;
  const plan = new PlanTable(instructions.length);
  if (frame !== undefined)
    for (const a of accesses) if (inFrame(a, frame)) plan.put(a, { frame: a.low - frame.low });
  if (group) planGroups(frame === undefined ? accesses : accesses.filter((a) => !inFrame(a, frame)), plan);
  return plan;
}

/** Whether the check at the function's start has answered for an access. */
export function inFrame(a: Access, frame: FrameRange): boolean {
  return (
    a.base === RSP &&
    a.baseVersion === 0 &&
    a.index < 0 &&
    a.segment < 0 &&
    a.low >= frame.low &&
    a.high <= frame.high
  );
}

/** Cuts the accesses of each family (one base) into runs that one check can cover. */
export function planGroups(accesses: readonly Access[], plan: PlanTable): void {
  const families: Access[][] = [];
  for (const a of accesses) {
    const family = families.find((f) => sameBase(f[0]!, a));
    if (family === undefined) families.push([a]);
    else family.push(a);
  }
  for (const list of families) if (list.length > 1) planFamily(list, plan);
}

function planFamily(list: readonly Access[], plan: PlanTable): void {
  let signChecked: number | undefined;
  for (let i = 0; i < list.length; ) {
    const first = list[i]!;
    let low = first.low;
    let high = first.high;
    let write = first.write;
    let end = i + 1;
    while (end < list.length) {
      const a = list[end]!;
      const newLow = Math.min(low, a.low);
      const newHigh = Math.max(high, a.high);
      if (newHigh - newLow > SPAN) break;
      low = newLow;
      high = newHigh;
      write ||= a.write;
      end++;
    }
    const sign = first.base >= 0 && (signChecked === undefined || Math.abs(low - signChecked) > 2048);
    if (sign) signChecked = low;
    plan.put(first, { offset: low - first.low, bytes: high - low, write, sign });
    for (let k = i + 1; k < end; k++) plan.put(list[k]!, 'checked');
    i = end;
  }
}
