/** The device that `dev_printk` speaks for. */
export interface DeviceInfo {
  readonly subsystem: string;
  readonly device: string;
}

/** One finished message of the kernel's log. */
export interface LogRecord {
  /** Sequence number, from 0 at boot. */
  readonly seq: number;
  readonly timeNs: number;
  /** 0 for the kernel itself. */
  readonly facility: number;
  /** 0 (emergency) to 7 (debug). */
  readonly level: number;
  /** The message was meant to continue another one, but could not. */
  readonly cont: boolean;
  /** PID of the task that printed it, or 0x80000000 plus the CPU outside tasks. */
  readonly callerId: number;
  /** Latin-1, without the newline at its end; may have newlines inside. */
  readonly text: string;
  readonly device: DeviceInfo | undefined;
}

export interface RecordTextOptions {
  /** Begin each line with `<priority>`, as the system log call does. */
  readonly priority?: boolean;
  /** Begin each line with the time, as `printk.time=1` does. */
  readonly time?: boolean;
}

/** Space for one record with its prefixes, with a NUL. Source: CONSOLE_LOG_MAX of Linux 6.1 kernel/printk/printk.c. */
export const CONSOLE_LOG_MAX = 1024;

/** `[    1.234567]`. */
export function formatTime(timeNs: number): string {
  const seconds = Math.floor(timeNs / 1e9);
  const micros = Math.floor((timeNs - seconds * 1e9) / 1000);
  return `[${`${seconds}`.padStart(5)}.${`${micros}`.padStart(6, '0')}]`;
}

/**
 * The lines of a record as consoles and `dmesg` show them, each with the prefix and a newline. Lines that do not
 * fit `CONSOLE_LOG_MAX` together with the prefixes are dropped; a line that does not fit alone is cut.
 */
export function recordText(record: LogRecord, options: RecordTextOptions = {}): string {
  const { priority = false, time = true } = options;
  let prefix = priority ? `<${(record.facility << 3) | record.level}>` : '';
  if (time) prefix += `${formatTime(record.timeNs)} `;
  let text = record.text;
  let out = '';
  let truncated = false;
  for (;;) {
    const newline = text.indexOf('\n');
    // The rest of a text that was cut is not a whole line.
    if (newline < 0 && truncated) break;
    const lineLength = newline < 0 ? text.length : newline;
    if (out.length + prefix.length + text.length + 2 > CONSOLE_LOG_MAX) {
      if (out.length + prefix.length + lineLength + 2 > CONSOLE_LOG_MAX) break;
      text = text.slice(0, CONSOLE_LOG_MAX - out.length - prefix.length - 2);
      truncated = true;
    }
    out += `${prefix}${text.slice(0, lineLength)}\n`;
    if (text.length === lineLength) break;
    text = text.slice(lineLength + 1);
  }
  return out;
}

function escaped(text: string): string {
  let out = '';
  for (const char of text) {
    const byte = char.charCodeAt(0);
    const plain = byte >= 0x20 && byte < 0x7f && char !== '\\';
    out += plain ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return out;
}

/** The record as a read of `/dev/kmsg` gives it: `priority,seq,microseconds,flag;text`, then the device's lines. */
export function kmsgText(record: LogRecord): string {
  const micros = Math.floor(record.timeNs / 1000);
  const priority = (record.facility << 3) | record.level;
  let out = `${priority},${record.seq},${micros},${record.cont ? 'c' : '-'};${escaped(record.text)}\n`;
  if (record.device?.subsystem) out += ` SUBSYSTEM=${escaped(record.device.subsystem)}\n`;
  if (record.device?.device) out += ` DEVICE=${escaped(record.device.device)}\n`;
  return out;
}
