/** Log level prefixes of a message: ASCII SOH and a digit. Source: Linux 6.1 include/linux/kern_levels.h. */
export const KERN_SOH = '\x01';
export const KERN_EMERG = '\x010';
export const KERN_ALERT = '\x011';
export const KERN_CRIT = '\x012';
export const KERN_ERR = '\x013';
export const KERN_WARNING = '\x014';
export const KERN_NOTICE = '\x015';
export const KERN_INFO = '\x016';
export const KERN_DEBUG = '\x017';
export const KERN_DEFAULT = '';
/** Continues the caller's last message, if that had no newline. */
export const KERN_CONT = '\x01c';

/** Takes the level from the text, or the default. */
export const LOGLEVEL_DEFAULT = -1;
/** As `LOGLEVEL_DEFAULT`; consoles are served later, not by the caller. */
export const LOGLEVEL_SCHED = -2;

export const LEVEL_NAMES = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'] as const;

/** Syslog facilities by number, as `dmesg -x` names them. Source: uapi syslog.h of glibc. */
export const FACILITY_NAMES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
] as const;

/** What the control characters at the start of a message say. */
export interface MessagePrefix {
  /** The first level that is given. */
  readonly level: number | undefined;
  readonly cont: boolean;
  /** Characters of the prefix. */
  readonly length: number;
}

/** Reads any number of `KERN_*` prefixes. */
export function parsePrefix(text: string): MessagePrefix {
  let level: number | undefined;
  let cont = false;
  let length = 0;
  while (text[length] === KERN_SOH) {
    const control = text[length + 1] ?? '';
    if (control === 'c') cont = true;
    else if (control >= '0' && control <= '7' && control !== '') level ??= Number(control);
    else break;
    length += 2;
  }
  return { level, cont, length };
}
