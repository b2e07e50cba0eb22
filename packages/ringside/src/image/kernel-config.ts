import type { KernelConfig } from './kernel-spec.ts';

/** A `.config` text. Lines that set nothing (comments, `is not set`) are dropped. */
export class TextKernelConfig implements KernelConfig {
  readonly text: string;
  #values: Map<string, string> | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get(name: string): string | undefined {
    return this.#all().get(name);
  }

  entries(): Iterable<readonly [name: string, value: string]> {
    return this.#all();
  }

  /** The lines that set something, in their order. */
  get settings(): string {
    return this.text
      .split('\n')
      .filter((line) => SETTING.test(line))
      .map((line) => `${line}\n`)
      .join('');
  }

  #all(): Map<string, string> {
    if (this.#values === undefined) {
      this.#values = new Map();
      for (const line of this.text.split('\n')) {
        const match = SETTING.exec(line);
        if (match !== null) this.#values.set(match[1]!, unquote(match[2]!));
      }
    }
    return this.#values;
  }
}

const SETTING = /^(CONFIG_\w+)=(.*)$/;

function unquote(value: string): string {
  return value.startsWith('"') && value.endsWith('"') && value.length >= 2
    ? value.slice(1, -1).replace(/\\(.)/g, '$1')
    : value;
}
