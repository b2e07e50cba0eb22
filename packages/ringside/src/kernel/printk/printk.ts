import { CONSOLE_LOGLEVEL, LOGLEVEL } from '../../abi/index.ts';
import { parsePrefix } from './levels.ts';
import type { DeviceInfo, LogRecord, RecordTextOptions } from './record.ts';
import { CONSOLE_LOG_MAX, recordText } from './record.ts';
import { RecordRing } from './ring-buffer.ts';

/** Longest text of one record, with a NUL: CONSOLE_LOG_MAX without the longest prefix. Source: PREFIX_MAX. */
export const LOG_LINE_MAX = CONSOLE_LOG_MAX - 32;
/** How much of a text decides on its level: what fits `vprintk_store`'s buffer of 8 bytes. */
const PREFIX_LOOK_AHEAD = 7;

export interface PrintkOptions {
  /** The log's clock: nanoseconds since boot. */
  readonly clock: { readonly nowNs: number };
  /** Who prints: the PID of the current task, or 0x80000000 plus the CPU in interrupts. */
  readonly callerId?: () => number;
  /** Level of messages that have none: CONFIG_MESSAGE_LOGLEVEL_DEFAULT. */
  readonly defaultLevel?: number;
  /** Consoles show messages below this level: CONFIG_CONSOLE_LOGLEVEL_DEFAULT. */
  readonly consoleLoglevel?: number;
  /** `log_buf_len`: 2 to the power of CONFIG_LOG_BUF_SHIFT. */
  readonly logBufferBytes?: number;
}

export interface EmitOptions {
  /** 0, the kernel, by default; others do not have their text's prefixes read. */
  readonly facility?: number;
  /** `LOGLEVEL_DEFAULT`, or a level that the text's own prefix does not change. */
  readonly level?: number;
  readonly device?: DeviceInfo | undefined;
  /** Length of the whole text, when `text` holds only its first `LOG_LINE_MAX` characters. */
  readonly length?: number;
}

/** Told of a record when it is finished. */
export type LogListener = (record: LogRecord) => void;

/**
 * The kernel's log. Text is Latin-1, one character a byte, with `KERN_*` prefixes at its start.
 *
 * A message without newline stays open: `KERN_CONT` from the same caller extends it, anything else finishes it,
 * and until then no reader sees it. Source: Linux 6.1 kernel/printk/printk.c, printk_ringbuffer.c.
 */
export class Printk {
  readonly #clock: { readonly nowNs: number };
  readonly #callerId: () => number;
  readonly #ring: RecordRing;
  readonly #listeners = new Set<LogListener>();
  /** `kernel.printk`, the second number. */
  defaultLevel: number;
  /** `kernel.printk`, the first number. */
  consoleLoglevel: number;
  /** `suppress_printk`: drops everything. */
  suppressed = false;

  constructor(options: PrintkOptions) {
    this.#clock = options.clock;
    this.#callerId = options.callerId ?? (() => 0);
    this.defaultLevel = options.defaultLevel ?? CONSOLE_LOGLEVEL.MESSAGE_LOGLEVEL_DEFAULT;
    this.consoleLoglevel = options.consoleLoglevel ?? CONSOLE_LOGLEVEL.CONSOLE_LOGLEVEL_DEFAULT;
    this.#ring = new RecordRing(options.logBufferBytes ?? 2 ** 17, (record) => {
      for (const listener of this.#listeners) listener(record);
    });
  }

  /**
   * A message of our own code.
   * @param level One of the `KERN_*` constants; '' when the text brings its own.
   */
  printk(level: string, text: string): number {
    return this.emit(level + text);
  }

  /**
   * `vprintk_emit`, after the text has been formatted.
   * @returns Characters stored.
   */
  emit(text: string, options: EmitOptions = {}): number {
    if (this.suppressed) return 0;
    const timeNs = this.#clock.nowNs;
    const callerId = this.#callerId();
    const facility = options.facility ?? 0;
    // The size is kept in 16 bits, before it is limited.
    const reserved = Math.min((((options.length ?? text.length) + 1) & 0xffff) >>> 0, LOG_LINE_MAX);
    let level = options.level ?? LOGLEVEL.LOGLEVEL_DEFAULT;
    let cont = false;
    if (facility === 0) {
      const prefix = parsePrefix(text.slice(0, PREFIX_LOOK_AHEAD));
      if (level < 0) level = prefix.level ?? LOGLEVEL.LOGLEVEL_DEFAULT;
      cont = prefix.cont;
    }
    if (level < 0) level = this.defaultLevel;

    let stored = text.slice(0, Math.max(0, reserved - 1));
    let newline = options.device !== undefined;
    if (stored.endsWith('\n')) {
      stored = stored.slice(0, -1);
      newline = true;
    }
    if (facility === 0) stored = stored.slice(parsePrefix(stored).length);

    const { open } = this.#ring;
    if (
      cont &&
      open !== undefined &&
      open.callerId === callerId &&
      open.text.length + reserved <= LOG_LINE_MAX
    ) {
      this.#ring.extend(stored, reserved);
      if (newline) this.#ring.finish();
      return stored.length;
    }
    const device = options.device;
    const record = { timeNs, facility, level: level & 7, cont, callerId, text: stored, device };
    this.#ring.append(record, reserved, newline);
    return stored.length;
  }

  /** Calls `listener` with every record from now on, when it is finished. Returns how to stop that. */
  subscribe(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether consoles show a message of this level. */
  isShownOnConsole(level: number): boolean {
    return level < this.consoleLoglevel;
  }

  /** Finished records from a sequence number on, the oldest that is left first. */
  records(fromSeq = 0): Iterable<LogRecord> {
    return this.#ring.from(fromSeq);
  }

  /** Sequence numbers: of the oldest record that is left, and of the next one. */
  get firstSeq(): number {
    return this.#ring.firstSeq;
  }

  get nextSeq(): number {
    return this.#ring.nextSeq;
  }

  /** Text of a message that has no newline yet and that nobody sees; the real kernel shows it with the next one. */
  get openText(): string | undefined {
    return this.#ring.open?.text;
  }

  /** What `dmesg` prints. */
  dmesg(fromSeq = 0, options: RecordTextOptions = {}): string {
    let out = '';
    for (const record of this.records(fromSeq)) out += recordText(record, options);
    return out;
  }
}
