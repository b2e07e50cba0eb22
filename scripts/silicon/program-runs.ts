/**
 * Where the harness has things. The guest has them 2^32 higher up, at the same distances, so that addresses differ in
 * their upper halves alone.
 */
export const NATIVE = {
  text: 0xc000_0000,
  data: 0xd000_0000,
  dataBytes: 0x2000,
  readOnly: 0xd000_3000,
  stack: 0xe000_0000,
  stackBytes: 0x4000,
} as const;

/** What data and vector registers are like where a run begins. */
export interface Image {
  readonly data: Uint8Array;
  readonly fpu: Uint8Array;
}

export interface Run {
  /** Offset in the text. */
  readonly entry: number;
  readonly image: number;
  readonly fpu: number;
  /** Whether to count the instructions, with the trap flag. */
  readonly count: boolean;
  readonly regs: BigUint64Array;
  readonly flags: number;
  readonly fs: bigint;
  readonly gs: bigint;
}

export interface RunOutcome {
  readonly trap: number;
  readonly error: number;
  readonly address: bigint;
  readonly regs: BigUint64Array;
  readonly flags: number;
  readonly rip: bigint;
  readonly retired: number;
  readonly fpu: Uint8Array;
  /** Words of data and stack that are not as they were: address, value. */
  readonly changes: readonly (readonly [at: number, value: bigint])[];
}
