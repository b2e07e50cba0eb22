import type { Encoding } from './encodings.ts';

/** `st`: a register of the x87 stack, counted from its top. */
export type OperandKind =
  | 'reg'
  | 'mem'
  | 'imm'
  | 'rel'
  | 'segment'
  | 'control'
  | 'debug'
  | 'xmm'
  | 'mmx'
  | 'st';

/** One operand. Registers are numbered as the encoding has them; `high` marks ah, ch, dh, bh (registers 0 to 3). */
export interface Operand {
  readonly kind: OperandKind;
  /** Width in bits; 0 where the operand has none (`lea`, `invlpg`). */
  readonly size: number;
  readonly reg: number;
  readonly high: boolean;
  /** The signed value of an immediate; a branch's target address. Exact unless `big` is there. */
  readonly value: number;
  /** A 64-bit immediate that has no exact number. */
  readonly big: bigint | undefined;
}

export const NO_REGISTER = -1;
export const FS = 4;
export const GS = 5;

/** A decoded instruction. */
export interface Instruction {
  /** Where it is, and how many bytes it has. */
  readonly addr: number;
  readonly length: number;
  readonly encoding: Encoding;
  /** The operation's name in the table: a mnemonic, with a suffix where forms differ (`imul1`). */
  readonly name: string;
  /** Width of the operation in bits: 8 is in the operands, here it is 16, 32 or 64. */
  readonly operandSize: 16 | 32 | 64;
  readonly operands: readonly Operand[];
  /** Which operand is in memory, or -1. */
  readonly memory: number;
  /** Base and index register of the memory operand, or NO_REGISTER; `scale` is 0 to 3 (a shift). */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** Displacement; of a RIP-relative operand the absolute address. */
  readonly displacement: number;
  readonly ripRelative: boolean;
  /** FS, GS or NO_REGISTER: other segments have base 0. */
  readonly segment: number;
  /** 32-bit addressing (prefix 67). */
  readonly address32: boolean;
  readonly lock: boolean;
  /** Prefix F3 or F2 that is not part of the opcode. */
  readonly rep: boolean;
  readonly repne: boolean;
}

/** Bytes that are no instruction. `invalid` ones raise #UD on every CPU; `unknown` ones Ringside has no line for. */
export interface Undecodable {
  readonly addr: number;
  readonly reason: 'invalid' | 'unknown' | 'truncated' | 'too-long';
  /** Bytes read until it was clear. */
  readonly length: number;
}

export function isInstruction(decoded: Instruction | Undecodable): decoded is Instruction {
  return 'encoding' in decoded;
}
