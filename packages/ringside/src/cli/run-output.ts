import { decodeLogText, escapeControls, formatRecord, type LogLine } from './dmesg.ts';

/** A function on a stack; `inline` ones stand before the function that they are part of. */
export interface JsonStackFrame {
  readonly address: string;
  readonly function?: string;
  readonly offset?: number;
  readonly size?: number;
  readonly module?: string;
  readonly file?: string;
  readonly line?: number;
  readonly inline?: true;
}

interface JsonTrack {
  readonly comm: string;
  readonly pid: number;
  readonly stack: readonly JsonStackFrame[];
}

/** What an address belongs to, belonged to, or is next to. */
export interface JsonRegion {
  readonly kind: string;
  readonly start: string;
  readonly size: number;
  /** Of the address from the start. */
  readonly offset: number;
  readonly cache?: string;
  readonly cacheSize?: number;
  readonly name?: string;
  readonly module?: string;
  readonly part?: 'core' | 'init';
  readonly allocated?: JsonTrack;
  readonly freed?: JsonTrack;
}

/** A memory error as data. */
export interface JsonReport {
  readonly bug: string;
  readonly access: string;
  readonly size: number;
  readonly address: string;
  readonly task: { readonly comm: string; readonly pid: number };
  readonly place: JsonStackFrame;
  readonly stack: readonly JsonStackFrame[];
  readonly region?: JsonRegion;
}

/** A use of an uninitialised value as data. */
export interface JsonUninit {
  readonly bug: string;
  readonly use: string;
  readonly task: { readonly comm: string; readonly pid: number };
  readonly place: JsonStackFrame;
  readonly stack: readonly JsonStackFrame[];
  /** Stacks, the last store first. */
  readonly stored: readonly (readonly JsonStackFrame[])[];
  readonly created?: { readonly kind: string; readonly stack: readonly JsonStackFrame[] };
  /** What a function of ours has read: `start` and `end` are the undefined bytes of it. */
  readonly bytes?: {
    readonly address: string;
    readonly size: number;
    readonly start: number;
    readonly end: number;
  };
}

/** What `ringside run` tells, besides the log; with `--json` each is printed as it stands here (docs/json.md). */
export type RunEvent =
  | {
      readonly type: 'loaded' | 'unloaded';
      readonly timeNs: number;
      readonly module: string;
      readonly file: string;
    }
  | {
      /** The kernel said no. `errno` is positive. */
      readonly type: 'refused';
      readonly timeNs: number;
      readonly action: 'insmod' | 'rmmod';
      readonly file: string;
      readonly errno: number;
      readonly message: string;
      readonly advice?: string;
    }
  | {
      /** The process in the kernel did not come back: an oops killed it, or it waits for ever. */
      readonly type: 'lost';
      readonly timeNs: number;
      readonly action: 'insmod' | 'rmmod';
      readonly file: string;
      readonly reason: 'killed' | 'blocked' | 'stopped';
      readonly message: string;
    }
  | {
      /** What the kernel could not have said: a memory error, or an explanation of what it logged. */
      readonly type: 'report';
      readonly timeNs: number;
      readonly kind: string;
      readonly message: string;
      /** Of a memory error. */
      readonly memory?: JsonReport;
      /** Of a use of an uninitialised value. */
      readonly uninit?: JsonUninit;
    }
  | {
      /** At the end: a memory error that was seen more than once at its place. */
      readonly type: 'repeated';
      readonly timeNs: number;
      readonly kind: string;
      readonly bug: string;
      readonly place: string;
      readonly count: number;
      readonly message: string;
    }
  | { readonly type: 'unsupported'; readonly timeNs: number; readonly message: string }
  | { readonly type: 'end'; readonly timeNs: number; readonly status: number; readonly tainted: number };

export interface RunOutput {
  log(line: LogLine): void;
  event(event: RunEvent): void;
}

interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** The log on stdout as dmesg prints it; everything else on stderr. */
export function textOutput(
  { stdout, stderr }: Streams,
  options: { colour: boolean; explain: boolean },
): RunOutput {
  const tell = (message: string) => stderr.write(`${escapeControls(message)}\n`);
  return {
    log: (line) => stdout.write(formatRecord(line, options.colour)),
    event: (event) => {
      switch (event.type) {
        case 'refused':
          tell(event.message);
          if (event.advice !== undefined) tell(event.advice);
          return;
        case 'lost':
          return void tell(event.message);
        case 'unsupported':
          return void tell(`ringside: ${event.message}`);
        case 'report':
          // a memory error as it stands: scripts know the kernel's form
          if (event.memory !== undefined) tell(event.message);
          else if (options.explain) tell(event.message.replace(/^/gm, 'ringside: '));
          return;
        case 'repeated':
          return void tell(`ringside: ${event.message}`);
        case 'loaded':
        case 'unloaded':
        case 'end':
          return;
      }
    },
  };
}

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** One JSON object a line, all on stdout. */
export function jsonOutput({ stdout }: Streams): RunOutput {
  const print = (value: object) => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    log: ({ level, timeNs, text }) =>
      print({ type: 'log', timeNs, level, levelName: LEVELS[level] ?? 'info', text: decodeLogText(text) }),
    event: print,
  };
}
