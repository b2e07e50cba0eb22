/** Log levels as numbers. Source: include/linux/kern_levels.h. */
export const LOGLEVEL = {
  LOGLEVEL_SCHED: -2,
  LOGLEVEL_DEFAULT: -1,
  LOGLEVEL_EMERG: 0,
  LOGLEVEL_ALERT: 1,
  LOGLEVEL_CRIT: 2,
  LOGLEVEL_ERR: 3,
  LOGLEVEL_WARNING: 4,
  LOGLEVEL_NOTICE: 5,
  LOGLEVEL_INFO: 6,
  LOGLEVEL_DEBUG: 7,
} as const;

/** Console log levels. Source: include/linux/printk.h. */
export const CONSOLE_LOGLEVEL = {
  CONSOLE_LOGLEVEL_SILENT: 0,
  CONSOLE_LOGLEVEL_MIN: 1,
  CONSOLE_LOGLEVEL_DEBUG: 10,
  CONSOLE_LOGLEVEL_MOTORMOUTH: 15,
  CONSOLE_LOGLEVEL_DEFAULT: 7,
  CONSOLE_LOGLEVEL_QUIET: 4,
  MESSAGE_LOGLEVEL_DEFAULT: 4,
} as const;

/** The prefixes of a format that say its level. Source: include/linux/kern_levels.h. */
export const KERN = {
  KERN_SOH: '\x01',
  KERN_EMERG: '\x010',
  KERN_ALERT: '\x011',
  KERN_CRIT: '\x012',
  KERN_ERR: '\x013',
  KERN_WARNING: '\x014',
  KERN_NOTICE: '\x015',
  KERN_INFO: '\x016',
  KERN_DEBUG: '\x017',
  KERN_DEFAULT: '',
  KERN_CONT: '\x01c',
} as const;
