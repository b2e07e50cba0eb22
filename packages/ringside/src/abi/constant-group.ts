/** Macros and enumerators of one kind. */
export interface ConstantGroup {
  readonly name: string;
  /** The header to include for them, as in `#include <...>`. */
  readonly header: string;
  /** By the kernel's own name. Values that no double holds exactly are bigints, unsigned; others may be negative. */
  readonly values: Readonly<Record<string, number | bigint>>;
}
