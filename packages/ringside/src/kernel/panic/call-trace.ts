import { type LogLevel, type LogLine, line } from './log-line.ts';
import { type RegisterDump, showRegs } from './registers.ts';

/** What stands in a call trace, from the innermost frame on. */
export type TraceItem =
  | {
      readonly kind: 'frame';
      /** The return address in `%pB` form: looked up at the call before it. */
      readonly symbol: string;
      /** False for a text address that only happens to be on the stack. */
      readonly reliable: boolean;
    }
  /** The begin or end of a stack other than the thread's bare one: `<TASK>`, `</IRQ>`. */
  | { readonly kind: 'mark'; readonly text: string }
  /** Registers that an exception or interrupt saved within the trace. */
  | { readonly kind: 'registers'; readonly dump: RegisterDump };

/** `show_trace_log_lvl`. Source: arch/x86/kernel/dumpstack.c, 6.1. */
export function showTrace(items: readonly TraceItem[], level: LogLevel): LogLine[] {
  return [line(level, 'Call Trace:'), ...items.flatMap((item) => showItem(item, level))];
}

function showItem(item: TraceItem, level: LogLevel): LogLine[] {
  switch (item.kind) {
    case 'frame':
      return [line(level, ` ${item.reliable ? '' : '? '}${item.symbol}`)];
    case 'mark':
      return [line(level, ` ${item.text}`)];
    case 'registers':
      return showRegs(item.dump, 'short', level);
  }
}
