import { FormatError } from '../bytes/index.ts';

/** Identifier octets of the ASN.1 values that certificates and signatures are made of. */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier octet of a context-specific tag: `[number]`, constructed unless told otherwise. */
export function contextTag(number: number, constructed = true): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

/** One tag-length-value: `content` without and `raw` with the header, both views into the input. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
  /** Offset of the header from the start of the outermost input, for error messages. */
  readonly offset: number;
}

/**
 * Reads the DER values of one constructed value, one after the other. Everything that is not DER with low tag
 * numbers and lengths below 2^31 throws `FormatError`.
 *
 * Deviation: the kernel's decoder also takes BER's indefinite lengths, which no signing tool writes here.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #base: number;
  #position = 0;
  #lastContent = 0;

  constructor(bytes: Uint8Array, what: string, base = 0) {
    this.#bytes = bytes;
    this.#what = what;
    this.#base = base;
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** The identifier octet of the next value; undefined at the end. */
  peekTag(): number | undefined {
    return this.#bytes[this.#position];
  }

  /** The next value, which must have the tag `tag` when one is given. */
  next(tag?: number): DerValue {
    const start = this.#position;
    const found = this.#byte();
    if (tag !== undefined && found !== tag) {
      this.#fail(`ASN.1 tag 0x${tag.toString(16)} expected, 0x${found.toString(16)} found`, start);
    }
    if ((found & 0x1f) === 0x1f) this.#fail('ASN.1 tag number is too large', start);
    const size = this.#length(start);
    const end = this.#position + size;
    if (end > this.#bytes.length) this.#fail(`ASN.1 value of ${size} bytes does not fit`, start);
    const content = this.#bytes.subarray(this.#position, end);
    this.#lastContent = this.#position;
    this.#position = end;
    return { tag: found, content, raw: this.#bytes.subarray(start, end), offset: this.#base + start };
  }

  /** Where the content of the value that was read last begins, from the start of the outermost input. */
  get lastContentOffset(): number {
    return this.#base + this.#lastContent;
  }

  /** The next value when it has the tag `tag`, undefined (and nothing consumed) otherwise. */
  optional(tag: number): DerValue | undefined {
    return this.peekTag() === tag ? this.next(tag) : undefined;
  }

  /** A reader over the content of a constructed value of this reader. */
  into(value: DerValue): DerReader {
    const header = value.raw.length - value.content.length;
    return new DerReader(value.content, this.#what, value.offset + header);
  }

  /** Enters the next value, which must have the tag `tag`. */
  enter(tag: number): DerReader {
    return this.into(this.next(tag));
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.atEnd) this.#fail('ASN.1 value has more members than it should', this.#position);
  }

  #byte(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) this.#fail('ASN.1 value is truncated', this.#position);
    this.#position += 1;
    return byte;
  }

  #length(start: number): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0) this.#fail('ASN.1 indefinite length', start);
    if (count > 4) this.#fail('ASN.1 length is too large', start);
    let size = 0;
    for (let i = 0; i < count; i += 1) size = size * 256 + this.#byte();
    return size;
  }

  #fail(message: string, position: number): never {
    throw new FormatError(message, { section: this.#what, offset: this.#base + position });
  }
}

/** The dotted form of an object identifier's content octets, e.g. `1.2.840.113549.1.7.2`. */
export function oidText(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) {
      const root = Math.min(Math.floor(arc / 40), 2);
      arcs.push(root, arc - root * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  return arcs.join('.');
}

/** The unsigned big-endian number these bytes spell. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex === '' ? 0n : BigInt(`0x${hex}`);
}

/** Whether two byte ranges hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
