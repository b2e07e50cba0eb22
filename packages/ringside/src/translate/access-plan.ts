import { type Instruction, NO_REGISTER } from '../x86/index.ts';
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

/** Which accesses of a block share a check. */
export interface AccessPlan {
  /** `checked`: an earlier check covers it; a group: check this and it covers the later ones; undefined: on its own. */
  covers(ins: Instruction, key: number): 'checked' | GroupCheck | undefined;
}

/** One access whose address is a register version, an index version and a constant. */
interface Access {
  readonly ins: Instruction;
  readonly key: number;
  readonly low: number;
  readonly high: number;
  readonly write: boolean;
}

/** Bytes that one load of the shadow answers for, wherever they begin. */
const SPAN = 57;

const NO_ACCESS = new Set('lea nop prefetch prefetchw invlpg clflush clflushopt clwb ud1 ud0'.split(' '));
const READS_ONLY = new Set(
  'cmp test bt imul1 imul2 imul3 mul div idiv push call jmp movzx movsx movsxd'.split(' '),
);

/**
 * Accesses off one base within a few bytes of each other are checked together, at the first of them: the check is exact,
 * every byte from the lowest to the highest has to be valid. All accesses of a block are made unless one before them
 * faults, so code that is right never fails such a check for another reason; when one fails, the host judges the first
 * access on its own and steps.
 */
export function planAccesses(instructions: readonly Instruction[]): AccessPlan | undefined {
  const versions = new Array<number>(16).fill(0);
  const offsets = new Array<number>(16).fill(0);
  const families = new Map<string, Access[]>();
  let nextVersion = 1;
  const record = (
    ins: Instruction,
    key: number,
    base: number,
    index: number,
    rest: string,
    at: number,
    bytes: number,
    write: boolean,
  ): void => {
    const name = `${base},${base < 0 ? 0 : versions[base]},${index},${index < 0 ? 0 : `${versions[index]}/${offsets[index]}`},${rest}`;
    const low = at + (base < 0 ? 0 : offsets[base]!);
    let list = families.get(name);
    if (list === undefined) {
      list = [];
      families.set(name, list);
    }
    list.push({ ins, key, low, high: low + bytes, write });
  };
  for (const ins of instructions) {
    const word = ins.operandSize >> 3;
    const memory = ins.operands.findIndex((o) => o.kind === 'mem');
    if (
      memory >= 0 &&
      !NO_ACCESS.has(ins.name) &&
      !ins.encoding.repeatable &&
      !ins.address32 &&
      ins.operands[memory]!.size >= 8 &&
      ins.operands[memory]!.size <= 64 &&
      ins.name !== 'pop' &&
      ins.encoding.family !== 'x87' &&
      !(ins.name.startsWith('bt') && ins.operands[1]!.kind === 'reg')
    ) {
      const write = memory === 0 && !READS_ONLY.has(ins.name);
      record(
        ins,
        0,
        ins.base,
        ins.index,
        `${ins.scale},${ins.segment}`,
        ins.displacement,
        ins.operands[memory]!.size >> 3,
        write,
      );
    }
    switch (ins.name) {
      case 'push':
        record(ins, 1, RSP, NO_REGISTER, '0,-1', -word, word, true);
        offsets[RSP]! -= word;
        continue;
      case 'call':
        record(ins, 1, RSP, NO_REGISTER, '0,-1', -8, 8, true);
        continue;
      case 'ret':
        record(ins, 1, RSP, NO_REGISTER, '0,-1', 0, 8, false);
        continue;
      case 'pop':
        if (ins.operands[0]!.kind === 'reg') {
          record(ins, 1, RSP, NO_REGISTER, '0,-1', 0, word, false);
          offsets[RSP]! += word;
        } else versions[RSP] = nextVersion++;
        break;
      default:
    }
    nextVersion = step(ins, versions, offsets, nextVersion);
  }
  return chunk(families);
}

/** What the instruction does to the registers' versions and known distances. */
function step(ins: Instruction, versions: number[], offsets: number[], next: number): number {
  let nextVersion = next;
  const change = (r: number): void => {
    versions[r] = nextVersion++;
    offsets[r] = 0;
  };
  const target = ins.operands[0];
  if (
    (ins.name === 'add' || ins.name === 'sub') &&
    target?.kind === 'reg' &&
    target.size === 64 &&
    ins.operands[1]!.kind === 'imm'
  ) {
    const by = ins.operands[1]!.value;
    offsets[target.reg]! += ins.name === 'add' ? by : -by;
    return nextVersion;
  }
  if (ins.name === 'lea' && target!.size === 64 && ins.base === target!.reg && ins.index === NO_REGISTER) {
    offsets[ins.base]! += ins.displacement;
    return nextVersion;
  }
  switch (ins.name) {
    case 'cmp':
    case 'test':
    case 'push':
    case 'nop':
    case 'bt':
      return nextVersion;
    default:
  }
  for (const o of ins.operands) if (o.kind === 'reg') change(o.reg);
  // Registers that are written without being operands.
  switch (ins.name) {
    case 'mov':
    case 'movzx':
    case 'movsx':
    case 'movsxd':
    case 'add':
    case 'sub':
    case 'and':
    case 'or':
    case 'xor':
    case 'lea':
    case 'shl':
    case 'shr':
    case 'sar':
    case 'rol':
    case 'ror':
    case 'imul2':
    case 'imul3':
    case 'inc':
    case 'dec':
    case 'neg':
    case 'not':
    case 'adc':
    case 'sbb':
    case 'pop':
    case 'xchg':
    case 'bswap':
      break;
    default:
      if (ins.name.startsWith('cmov') || ins.name.startsWith('set')) break;
      for (let r = 0; r < 16; r++) change(r);
  }
  return nextVersion;
}

/** Cuts each family into runs that one check can cover. */
function chunk(families: ReadonlyMap<string, readonly Access[]>): AccessPlan | undefined {
  const groups = new Map<Instruction, Map<number, 'checked' | GroupCheck>>();
  let any = false;
  for (const [name, list] of families) {
    if (list.length < 2) continue;
    const noBase = name.startsWith('-1,');
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
      const sign = !noBase && (signChecked === undefined || Math.abs(low - signChecked) > 2048);
      if (sign) signChecked = low;
      const put = (a: Access, value: 'checked' | GroupCheck): void => {
        let of = groups.get(a.ins);
        if (of === undefined) {
          of = new Map();
          groups.set(a.ins, of);
        }
        of.set(a.key, value);
        any = true;
      };
      put(first, { offset: low - first.low, bytes: high - low, write, sign });
      for (let k = i + 1; k < end; k++) put(list[k]!, 'checked');
      i = end;
    }
  }
  if (!any) return undefined;
  return { covers: (ins, key) => groups.get(ins)?.get(key) };
}
