import { InvariantError } from '../bytes/index.ts';
import { ARITHMETIC } from './table/arithmetic.ts';
import { BITS } from './table/bits.ts';
import { CONTROL } from './table/control.ts';
import { MOVEMENT } from './table/movement.ts';
import { SIMD_FLOAT } from './table/simd-float.ts';
import { SIMD_INTEGER } from './table/simd-integer.ts';
import { SIMD_MMX } from './table/simd-mmx.ts';
import { STRING } from './table/string.ts';
import { SYSTEM } from './table/system.ts';
import { X87 } from './table/x87.ts';

/**
 * The instruction table. Every line of the files in `table/` is one encoding, in columns:
 *
 *   [prefix] [map] opcode [/digit|/r|byte] [mem|reg] [W0|W1]    operands    operation    flags    attributes
 *
 * prefix      66 F2 F3: needed; NP: none of them may be there
 * map         0F, 0F38, 0F3A; without it the one-byte map
 * opcode      `+r`: the low three bits are a register
 * /digit      the reg field of ModRM; `/r`: any; a byte: all of ModRM
 * operands    E register or memory, G register of ModRM.reg, Z register of the opcode, M memory, R register of
 *             ModRM.rm, I immediate, J relative target, O absolute address, S C D segment, control, debug register;
 *             V xmm register of ModRM.reg, W xmm register or memory, U xmm register of ModRM.rm; P Q N the same of mmx
 *             registers; T register of the x87 stack by ModRM.rm;
 *             then the size: b w d q o are 8 to 128 bits, v the operand size, z the same but at most 32, y 32 or 64,
 *             bs a byte that is sign-extended, none for no size. AL CL DX 1 rAX eAX ST stand for themselves.
 * flags       r= read, w= written with a defined value, u= left undefined; letters o s z a p c
 * attributes  lock: takes the prefix with a memory destination; rep: takes rep; d64, f64: 64-bit by default, always
 *
 * Source: SDM vol. 2, appendix A.
 */
export const FLAG_BITS = { c: 1, p: 4, a: 0x10, z: 0x40, s: 0x80, o: 0x800 } as const;
export const ALL_FLAGS = 0x8d5;

export interface OperandSpec {
  /** E G Z M R I J O S C D V W U P Q N T, or a fixed operand's name. */
  readonly kind: string;
  readonly size: string;
  /** The kind's number, for the decoder: its place in OPERAND_KINDS. */
  readonly code: number;
  /** Width in bits for operand sizes 16, 32, 64 without REX.W, then with it. */
  readonly widths: readonly number[];
}

export const OPERAND_KINDS = [
  'E',
  'G',
  'I',
  'J',
  'M',
  'Z',
  'W',
  'V',
  'R',
  'U',
  'P',
  'Q',
  'N',
  'T',
  'O',
  'S',
  'C',
  'D',
  'AL',
  'CL',
  'DX',
  '1',
  'rAX',
  'eAX',
  'ST',
] as const;

export interface Encoding {
  /** Its place in ENCODINGS. */
  readonly id: number;
  /** The line itself, for messages and tests. */
  readonly line: string;
  readonly family: string;
  readonly prefix: '' | 'NP' | '66' | 'F2' | 'F3';
  /** 0: one-byte map, 1: 0F, 2: 0F38, 3: 0F3A. */
  readonly map: number;
  readonly opcode: number;
  readonly plusRegister: boolean;
  readonly hasModRm: boolean;
  /** ModRM.reg, or -1. */
  readonly digit: number;
  /** All of ModRM, or -1. */
  readonly modRm: number;
  readonly form: '' | 'mem' | 'reg';
  /** REX.W that is needed, or -1. */
  readonly w: number;
  readonly operands: readonly OperandSpec[];
  readonly name: string;
  /** Masks of RFLAGS bits. */
  readonly flagsRead: number;
  readonly flagsWritten: number;
  readonly flagsUndefined: number;
  readonly lockable: boolean;
  readonly repeatable: boolean;
  readonly default64: boolean;
  readonly force64: boolean;
  /** The opcode alone says that it is this one. */
  readonly isPlain: boolean;
  /** Moves to and from control and debug registers have no memory form. */
  readonly ignoresMod: boolean;
}

const FIXED = new Set(['AL', 'CL', 'DX', '1', 'rAX', 'eAX', 'ST', 'b', 'v']);
const HEX = /^[0-9A-F]{2}$/;

function flagMask(column: string, key: string): number {
  const part = column.split(',').find((p) => p.startsWith(`${key}=`));
  let mask = 0;
  for (const letter of part?.slice(2) ?? '') mask |= FLAG_BITS[letter as keyof typeof FLAG_BITS];
  return mask;
}

/** Widths of sizes that depend on nothing. */
const FIXED_WIDTHS: Readonly<Record<string, number>> = { b: 8, w: 16, d: 32, q: 64, t: 80, o: 128 };

function widthsOf(size: string): readonly number[] {
  switch (size) {
    case 'v':
      return [16, 32, 64, 16, 32, 64];
    case 'z':
      return [16, 32, 32, 16, 32, 32];
    case 'y':
      return [32, 32, 32, 64, 64, 64];
    default:
      return new Array<number>(6).fill(FIXED_WIDTHS[size] ?? 0);
  }
}

function operandSpec(text: string): OperandSpec {
  const [kind, size] = FIXED.has(text) ? [text, ''] : [text[0]!, text.slice(1)];
  return { kind, size, code: OPERAND_KINDS.indexOf(kind as never), widths: widthsOf(size) };
}

let nextId = 0;

function parseLine(line: string, family: string): Encoding {
  const cells = line.trim().split(/ {2,}/);
  // The opcode column is separated by two or more blanks only when it is short; cut by position instead.
  const opcodeText = line.slice(0, 17).trim();
  const rest = line.slice(17).trim();
  const operandsText = rest.split(/ {2,}|(?<=^-) /)[0]!;
  const after = rest.slice(operandsText.length).trim().split(/\s+/);
  const [name, flags = '-', attribute = ''] = after;
  if (name === undefined || cells.length < 2)
    throw new InvariantError(`instruction table: bad line "${line}"`);
  const tokens = opcodeText.split(' ');
  let prefix: Encoding['prefix'] = '';
  if (/^(NP|66|F2|F3)$/.test(tokens[0]!) && tokens.length > 1 && /^(0F(38|3A)?|90)$/.test(tokens[1]!)) {
    prefix = tokens.shift() as Encoding['prefix'];
  }
  let map = 0;
  if (tokens.length > 1 && tokens[0]!.startsWith('0F') && /^[0-9A-F]{2}(\+r)?$/.test(tokens[1]!)) {
    map = tokens[0] === '0F' ? 1 : tokens[0] === '0F38' ? 2 : 3;
    tokens.shift();
  }
  const opcodeToken = tokens.shift()!;
  let digit = -1;
  let modRm = -1;
  let form: Encoding['form'] = '';
  let w = -1;
  let hasModRm = false;
  for (const token of tokens) {
    if (token === '/r') hasModRm = true;
    else if (token.startsWith('/')) {
      hasModRm = true;
      digit = Number(token.slice(1));
    } else if (HEX.test(token)) {
      hasModRm = true;
      modRm = Number.parseInt(token, 16);
    } else if (token === 'mem' || token === 'reg') form = token;
    else if (token === 'W0' || token === 'W1') w = Number(token[1]);
    else throw new InvariantError(`instruction table: "${token}" in "${line}"`);
  }
  const operands = operandsText === '-' ? [] : operandsText.split(' ').map(operandSpec);
  return {
    id: nextId++,
    isPlain: prefix === '' && modRm < 0 && digit < 0 && form === '' && w < 0,
    ignoresMod: operands.some((o) => o.kind === 'C' || o.kind === 'D'),
    line: line.trim(),
    family,
    prefix,
    map,
    opcode: Number.parseInt(opcodeToken, 16),
    plusRegister: opcodeToken.endsWith('+r'),
    hasModRm,
    digit,
    modRm,
    form,
    w,
    operands,
    name,
    flagsRead: flagMask(flags, 'r'),
    flagsWritten: flagMask(flags, 'w'),
    flagsUndefined: flagMask(flags, 'u'),
    lockable: attribute === 'lock',
    repeatable: attribute === 'rep',
    default64: attribute === 'd64',
    force64: attribute === 'f64',
  };
}

function parseTable(text: string, family: string): Encoding[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseLine(line, family));
}

/** Every encoding Ringside decodes, in table order. */
export const ENCODINGS: readonly Encoding[] = [
  ...parseTable(ARITHMETIC, 'arithmetic'),
  ...parseTable(BITS, 'bits'),
  ...parseTable(MOVEMENT, 'movement'),
  ...parseTable(CONTROL, 'control'),
  ...parseTable(STRING, 'string'),
  ...parseTable(SYSTEM, 'system'),
  ...parseTable(SIMD_FLOAT, 'simd'),
  ...parseTable(SIMD_INTEGER, 'simd'),
  ...parseTable(SIMD_MMX, 'mmx'),
  ...parseTable(X87, 'x87'),
];

/** `LOOKUP[map * 256 + opcode]`: the encodings to try, those with a needed prefix first. */
export const LOOKUP: readonly (readonly Encoding[] | undefined)[] = buildLookup();

function buildLookup(): (Encoding[] | undefined)[] {
  const table: (Encoding[] | undefined)[] = new Array(4 * 256).fill(undefined);
  const specificity = (e: Encoding): number =>
    (e.prefix !== '' && e.prefix !== 'NP' ? 4 : 0) +
    (e.modRm >= 0 ? 2 : 0) +
    (e.form !== '' || e.w >= 0 ? 1 : 0);
  for (const encoding of ENCODINGS) {
    for (let i = 0; i < (encoding.plusRegister ? 8 : 1); i++) {
      const slot = encoding.map * 256 + encoding.opcode + i;
      const list = table[slot] ?? [];
      list.push(encoding);
      list.sort((a, b) => specificity(b) - specificity(a));
      table[slot] = list;
    }
  }
  return table;
}
