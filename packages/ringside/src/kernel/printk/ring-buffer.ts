import type { LogRecord } from './record.ts';

/** A record that its writer may still extend. */
export type OpenRecord = { -readonly [K in keyof LogRecord]: LogRecord[K] };

/** Bytes that a record's text takes in the kernel's ring: its id before it, both aligned. */
function blockSize(textSize: number): number {
  return textSize === 0 ? 0 : 8 + ((textSize + 7) & ~7);
}

/**
 * The log's records, oldest first, within the kernel's limits of bytes and of records. The newest may be open: its
 * writer can extend it, and readers do not see it until it is finished.
 *
 * Deviation: the real ring loses a little sooner what it loses, since a block does not wrap around its end.
 */
export class RecordRing {
  readonly #records: (LogRecord & { readonly size: number })[] = [];
  readonly #bytes: number;
  readonly #count: number;
  #used = 0;
  #firstIndex = 0;
  #nextSeq = 0;
  #open: { record: OpenRecord; size: number } | undefined;
  readonly onFinished: (record: LogRecord) => void;

  /**
   * @param bytes Of the text ring, `log_buf_len`.
   * @param onFinished Called with each record when readers can see it.
   */
  constructor(bytes: number, onFinished: (record: LogRecord) => void) {
    this.#bytes = bytes;
    // One descriptor for 32 bytes of text. Source: PRB_AVGBITS of kernel/printk/printk.c.
    this.#count = bytes >>> 5;
    this.onFinished = onFinished;
  }

  /** Sequence number of the oldest record that is still there. */
  get firstSeq(): number {
    return this.#records[this.#firstIndex]?.seq ?? this.#nextSeq - (this.#open ? 1 : 0);
  }

  /** Sequence number that the next finished record has. */
  get nextSeq(): number {
    return this.#nextSeq - (this.#open ? 1 : 0);
  }

  get open(): Readonly<OpenRecord> | undefined {
    return this.#open?.record;
  }

  /** Finished records from a sequence number on. */
  *from(seq: number): Generator<LogRecord> {
    for (let at = Math.max(seq, this.firstSeq); at < this.nextSeq; at++) {
      const record = this.#records[this.#firstIndex + at - this.firstSeq];
      if (record !== undefined) yield record;
    }
  }

  /**
   * Adds a record; the one before is finished by that, whoever wrote it.
   * @param size Bytes reserved for its text.
   */
  append(record: Omit<LogRecord, 'seq'>, size: number, finished: boolean): void {
    this.finish();
    this.#open = { record: { ...record, seq: this.#nextSeq++ }, size };
    if (finished) this.finish();
  }

  /** Extends the open record. Preconditions: there is one. */
  extend(text: string, reserved: number): void {
    this.#open!.size = this.#open!.record.text.length + reserved;
    this.#open!.record.text += text;
  }

  /** Finishes the open record, if there is one. */
  finish(): void {
    if (this.#open === undefined) return;
    const { record, size } = this.#open;
    this.#open = undefined;
    this.#records.push({ ...record, size });
    this.#used += blockSize(size);
    while (this.#used > this.#bytes || this.#records.length - this.#firstIndex > this.#count) {
      this.#used -= blockSize(this.#records[this.#firstIndex++]!.size);
    }
    if (this.#firstIndex > this.#count) {
      this.#records.splice(0, this.#firstIndex);
      this.#firstIndex = 0;
    }
    this.onFinished(record);
  }
}
