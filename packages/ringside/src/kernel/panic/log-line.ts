/** The kernel's log levels; `default` is `KERN_DEFAULT`, which the image's configuration gives a number. */
export const KERN = {
  EMERG: 0,
  ALERT: 1,
  CRIT: 2,
  ERR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFO: 6,
  DEFAULT: 'default',
} as const;

export type LogLevel = (typeof KERN)[keyof typeof KERN];

/** One line for `printk`, without its line break. */
export interface LogLine {
  readonly level: LogLevel;
  readonly text: string;
}

export function line(level: LogLevel, text: string): LogLine {
  return { level, text };
}

/** Hexadecimal digits of a 64-bit value, `digits` at least. */
export function hex(value: bigint | number, digits = 1): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16).padStart(digits, '0');
}
