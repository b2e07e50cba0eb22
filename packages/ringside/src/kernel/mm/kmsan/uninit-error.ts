import type { GuestAddr } from '../../../bytes/index.ts';
import type { Use } from '../../../translate/index.ts';
import type { Kernel } from '../../kernel.ts';
import { showTaskInfo } from '../../panic/task-info.ts';
import { taskInfo } from '../../traps/oops.ts';
import { isRip, traceFrom } from '../kasan/memory-error.ts';
import { frameLines, pointer } from '../kasan/report-text.ts';
import { type StackFrame, stackFrame } from '../kasan/stack-frame.ts';
import type { UninitBytes, UninitCreation, UninitReport } from './uninit-report.ts';

const KERN_ERR = 3;
/** Source: mm/kmsan/report.c. */
const RULE = '='.repeat(53);

/** What is known of a use of an undefined value. */
export interface UninitFinding {
  readonly use: Use;
  readonly stored: readonly (readonly StackFrame[])[];
  readonly created: UninitCreation | undefined;
  readonly bytes: UninitBytes | undefined;
}

/** A report about the current task, made while it happens. */
export class UninitError implements UninitReport {
  readonly kind = 'uninit-value';
  readonly bug = 'uninit-value';
  readonly use: Use;
  readonly place: StackFrame;
  readonly comm: string;
  readonly pid: number;
  readonly timeNs: number;
  readonly stack: readonly StackFrame[];
  readonly stored: readonly (readonly StackFrame[])[];
  readonly created: UninitCreation | undefined;
  readonly bytes: UninitBytes | undefined;
  count = 1;
  readonly #taskLines: readonly string[];
  #text: string | undefined;

  /** `ip` is what `MemoryError.codeAddress` gives. */
  constructor(k: Kernel, ip: GuestAddr, finding: UninitFinding) {
    const { current } = k.sched;
    this.use = finding.use;
    this.stored = finding.stored;
    this.created = finding.created;
    this.bytes = finding.bytes;
    this.comm = current.comm;
    this.pid = current.pid;
    this.timeNs = k.clock.nowNs;
    this.place = stackFrame(k, ip, !isRip(k, ip));
    this.stack = traceFrom(k, this.place).filter((item): item is StackFrame => !('remark' in item));
    this.#taskLines = showTaskInfo(taskInfo(k), KERN_ERR).map(({ text }) => text);
  }

  /** In the layout of KMSAN's reports. Source: mm/kmsan/report.c, 6.1. */
  get text(): string {
    this.#text ??= [
      RULE,
      `BUG: KMSAN: ${this.bug} in ${this.place.symbol}`,
      ...this.stack.flatMap(frameLines),
      '',
      ...this.stored.flatMap((stack) => [
        'Uninit was stored to memory at:',
        ...stack.flatMap(frameLines),
        '',
      ]),
      ...creationLines(this.created),
      ...bytesLines(this.bytes),
      ...this.#taskLines,
      RULE,
    ].join('\n');
    return this.#text;
  }
}

/** KMSAN knows the variable's name; from the binary only whose it is can be told. */
function creationLines(created: UninitCreation | undefined): string[] {
  if (created === undefined) return ['Uninit was created at:', ' (stack is not available)', ''];
  const what =
    created.kind === 'heap'
      ? 'Uninit was created at:'
      : `Local variable of ${created.stack[0]?.function ?? 'a function'} created at:`;
  return [what, ...created.stack.flatMap(frameLines), ''];
}

function bytesLines(bytes: UninitBytes | undefined): string[] {
  if (bytes === undefined) return [];
  const { start, end, size, address } = bytes;
  const which = end - start === 1 ? `Byte ${start}` : `Bytes ${start}-${end - 1}`;
  return [
    `${which} of ${size} ${end - start === 1 ? 'is' : 'are'} uninitialized`,
    `Memory access of size ${size} starts at ${pointer(address)}`,
    '',
  ];
}
