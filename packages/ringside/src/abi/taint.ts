/** Bit numbers of the kernel's taint flags. Source: include/linux/panic.h. */
export const TAINT = {
  TAINT_PROPRIETARY_MODULE: 0,
  TAINT_FORCED_MODULE: 1,
  TAINT_CPU_OUT_OF_SPEC: 2,
  TAINT_FORCED_RMMOD: 3,
  TAINT_MACHINE_CHECK: 4,
  TAINT_BAD_PAGE: 5,
  TAINT_USER: 6,
  TAINT_DIE: 7,
  TAINT_OVERRIDDEN_ACPI_TABLE: 8,
  TAINT_WARN: 9,
  TAINT_CRAP: 10,
  TAINT_FIRMWARE_WORKAROUND: 11,
  TAINT_OOT_MODULE: 12,
  TAINT_UNSIGNED_MODULE: 13,
  TAINT_SOFTLOCKUP: 14,
  TAINT_LIVEPATCH: 15,
  TAINT_AUX: 16,
  TAINT_RANDSTRUCT: 17,
  TAINT_TEST: 18,
  TAINT_FLAGS_COUNT: 19,
  TAINT_FLAGS_MAX: 524287,
} as const;

export type TaintName = keyof typeof TAINT;

export interface TaintFlag {
  readonly bit: number;
  readonly name: TaintName;
  /** Printed when the bit is set, and when it is not. */
  readonly set: string;
  readonly unset: string;
  /** Whether a module can have it: then it also stands behind the module's name. */
  readonly module: boolean;
}

/** Source: kernel/panic.c `taint_flags`. */
export const TAINT_FLAGS: readonly TaintFlag[] = [
  {
    bit: TAINT.TAINT_PROPRIETARY_MODULE,
    name: 'TAINT_PROPRIETARY_MODULE',
    set: 'P',
    unset: 'G',
    module: true,
  },
  { bit: TAINT.TAINT_FORCED_MODULE, name: 'TAINT_FORCED_MODULE', set: 'F', unset: ' ', module: true },
  { bit: TAINT.TAINT_CPU_OUT_OF_SPEC, name: 'TAINT_CPU_OUT_OF_SPEC', set: 'S', unset: ' ', module: false },
  { bit: TAINT.TAINT_FORCED_RMMOD, name: 'TAINT_FORCED_RMMOD', set: 'R', unset: ' ', module: false },
  { bit: TAINT.TAINT_MACHINE_CHECK, name: 'TAINT_MACHINE_CHECK', set: 'M', unset: ' ', module: false },
  { bit: TAINT.TAINT_BAD_PAGE, name: 'TAINT_BAD_PAGE', set: 'B', unset: ' ', module: false },
  { bit: TAINT.TAINT_USER, name: 'TAINT_USER', set: 'U', unset: ' ', module: false },
  { bit: TAINT.TAINT_DIE, name: 'TAINT_DIE', set: 'D', unset: ' ', module: false },
  {
    bit: TAINT.TAINT_OVERRIDDEN_ACPI_TABLE,
    name: 'TAINT_OVERRIDDEN_ACPI_TABLE',
    set: 'A',
    unset: ' ',
    module: false,
  },
  { bit: TAINT.TAINT_WARN, name: 'TAINT_WARN', set: 'W', unset: ' ', module: false },
  { bit: TAINT.TAINT_CRAP, name: 'TAINT_CRAP', set: 'C', unset: ' ', module: true },
  {
    bit: TAINT.TAINT_FIRMWARE_WORKAROUND,
    name: 'TAINT_FIRMWARE_WORKAROUND',
    set: 'I',
    unset: ' ',
    module: false,
  },
  { bit: TAINT.TAINT_OOT_MODULE, name: 'TAINT_OOT_MODULE', set: 'O', unset: ' ', module: true },
  { bit: TAINT.TAINT_UNSIGNED_MODULE, name: 'TAINT_UNSIGNED_MODULE', set: 'E', unset: ' ', module: true },
  { bit: TAINT.TAINT_SOFTLOCKUP, name: 'TAINT_SOFTLOCKUP', set: 'L', unset: ' ', module: false },
  { bit: TAINT.TAINT_LIVEPATCH, name: 'TAINT_LIVEPATCH', set: 'K', unset: ' ', module: true },
  { bit: TAINT.TAINT_AUX, name: 'TAINT_AUX', set: 'X', unset: ' ', module: true },
  { bit: TAINT.TAINT_RANDSTRUCT, name: 'TAINT_RANDSTRUCT', set: 'T', unset: ' ', module: true },
  { bit: TAINT.TAINT_TEST, name: 'TAINT_TEST', set: 'N', unset: ' ', module: true },
];
