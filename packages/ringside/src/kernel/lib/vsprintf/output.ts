/**
 * Formatted text, one character a byte. Only the first `limit` characters are kept, but all are counted, as
 * `vsnprintf` does; so that a width of eight million costs nothing.
 */
export class Output {
  readonly limit: number;
  #text = '';
  #length = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** What has been kept. */
  get text(): string {
    return this.#text;
  }

  /** How long the text would be without the limit. */
  get length(): number {
    return this.#length;
  }

  put(text: string): void {
    const room = this.limit - this.#length;
    if (room > 0) this.#text += text.length <= room ? text : text.slice(0, room);
    this.#length += text.length;
  }

  /** Appends `count` times the same character; nothing when `count` is not positive. */
  pad(char: string, count: number): void {
    if (count <= 0) return;
    const room = Math.min(count, this.limit - this.#length);
    if (room > 0) this.#text += char.repeat(room);
    this.#length += count;
  }
}
