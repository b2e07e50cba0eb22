/** Registers that an ORC entry counts from. Source: arch/x86/include/asm/orc_types.h, 6.1. */
export const ORC_REG = {
  UNDEFINED: 0,
  PREV_SP: 1,
  DX: 2,
  DI: 3,
  BP: 4,
  SP: 5,
  R10: 6,
  R13: 7,
  BP_INDIRECT: 8,
  SP_INDIRECT: 9,
} as const;

/** What an ORC entry leads to. Source: include/linux/objtool.h, 6.1. */
export const UNWIND_HINT_TYPE = { CALL: 0, REGS: 1, REGS_PARTIAL: 2 } as const;

/** The fields of `struct orc_entry`: how to find the caller's stack and frame pointer. Offsets in bytes. */
export interface OrcRule {
  readonly spOffset: number;
  readonly bpOffset: number;
  /** `ORC_REG.*` */
  readonly spReg: number;
  /** `ORC_REG.*` */
  readonly bpReg: number;
  /** `UNWIND_HINT_TYPE.*` */
  readonly type: number;
  /** Nothing called this code: the trace ends well. */
  readonly end: boolean;
}

/** After a call through a NULL pointer: nothing was pushed but the return address. */
export const NULL_CALL: OrcRule = {
  spReg: ORC_REG.SP,
  spOffset: 8,
  bpReg: ORC_REG.UNDEFINED,
  bpOffset: 0,
  type: UNWIND_HINT_TYPE.CALL,
  end: false,
};

/** The guess for code without ORC data: that RBP is a frame pointer. */
export const FRAME_POINTER: OrcRule = {
  spReg: ORC_REG.BP,
  spOffset: 16,
  bpReg: ORC_REG.PREV_SP,
  bpOffset: -16,
  type: UNWIND_HINT_TYPE.CALL,
  end: false,
};
