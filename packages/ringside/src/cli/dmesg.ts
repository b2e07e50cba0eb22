/** What a log line needs; the kernel's records have more. */
export interface LogLine {
  /** 0 (emergency) to 7 (debug). */
  readonly level: number;
  /** Nanoseconds since boot. */
  readonly timeNs: number;
  readonly text: string;
}

/** Terminal codes (SGR) in the order in which util-linux's dmesg writes them. */
type Style = readonly number[];
const GREEN: Style = [32];
const YELLOW: Style = [33];

/** As dmesg colours the text after the prefix, by level; 0 and what is not listed stay plain. */
const LEVEL_STYLE: Readonly<Record<number, Style>> = {
  1: [7, 31],
  2: [1, 31],
  3: [31],
  4: [1],
};
const SEGFAULT: Style = [2, 31];

/** One record as `dmesg` prints it, each line of it with the time in front, ended by a newline. */
export function formatRecord(record: LogLine, colour: boolean): string {
  const time = formatTime(record.timeNs);
  return decodeLogText(record.text)
    .split('\n')
    .map((line) => {
      const text = escapeControls(line);
      return colour ? `${paint(GREEN, `${time} `)}${paintText(text, record.level)}\n` : `${time} ${text}\n`;
    })
    .join('');
}

/** `[    1.000042]`, cut off at microseconds as the kernel does. */
export function formatTime(timeNs: number): string {
  const seconds = Math.floor(timeNs / 1e9);
  const micros = Math.floor((timeNs % 1e9) / 1e3);
  return `[${String(seconds).padStart(5)}.${String(micros).padStart(6, '0')}]`;
}

/** The log holds bytes (here as Latin-1); modules write UTF-8. A byte that is none stays visible as `\xNN`. */
export function decodeLogText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is nothing to decode
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(text, (char) => char.charCodeAt(0)),
    );
  } catch {
    return text.replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
  }
}

/** What a module logs must not reach the terminal as commands to it. */
export function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function paintText(text: string, level: number): string {
  const prefix = /^.*?:(?=[ \t])/.exec(text)?.[0] ?? '';
  const gap = prefix === '' ? '' : text[prefix.length]!;
  const rest = text.slice(prefix.length + gap.length);
  const style = LEVEL_STYLE[level] ?? (text.includes('segfault at') ? SEGFAULT : undefined);
  const painted = style === undefined || rest === '' ? rest : paint(style, rest);
  return prefix === '' ? painted : `${paint(YELLOW, prefix + gap)}${painted}`;
}

function paint(style: Style, text: string): string {
  return `${style.map((code) => `\x1b[${code}m`).join('')}${text}\x1b[0m`;
}
