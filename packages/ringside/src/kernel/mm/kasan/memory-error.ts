import { asAddr, type GuestAddr, isCanonical } from '../../../bytes/index.ts';
import type { Kernel } from '../../kernel.ts';
import { showTrace } from '../../panic/call-trace.ts';
import { showTaskInfo } from '../../panic/task-info.ts';
import { callTrace, taskInfo } from '../../traps/oops.ts';
import type { BugType, MemoryRegion, MemoryReport, ShadowRow, TraceRemark } from './memory-report.ts';
import { type ReportContext, reportText } from './report-text.ts';
import { type StackFrame, stackFrame } from './stack-frame.ts';

/** Shadow bytes of a row, and rows before and behind the one in question. Source: mm/kasan/kasan.h. */
const BYTES_PER_ROW = 16;
const GRANULE = 8;
const ROWS_AROUND = 2;
const ROW_MEMORY = BYTES_PER_ROW * GRANULE;
const KERN_ERR = 3;

/** What is wrong with an access or a free. */
export interface Finding {
  readonly address: GuestAddr;
  readonly size: number;
  readonly access: MemoryReport['access'];
  readonly firstBad: GuestAddr;
  readonly region: MemoryRegion | undefined;
  readonly bug: BugType;
}

/** A report about the current task, made while it happens. */
export class MemoryError implements MemoryReport {
  readonly kind: MemoryReport['kind'];
  readonly bug: BugType;
  readonly access: MemoryReport['access'];
  readonly size: number;
  readonly address: GuestAddr;
  readonly firstBad: GuestAddr;
  readonly place: StackFrame;
  readonly comm: string;
  readonly pid: number;
  readonly timeNs: number;
  readonly stack: readonly StackFrame[];
  readonly region: MemoryRegion | undefined;
  readonly shadow: readonly ShadowRow[];
  count = 1;
  readonly #context: ReportContext;
  #text: string | undefined;

  /** `ip` is what `codeAddress` gives. */
  constructor(k: Kernel, kind: MemoryReport['kind'], ip: GuestAddr, finding: Finding) {
    const { current } = k.sched;
    this.kind = kind;
    this.bug = finding.bug;
    this.access = finding.access;
    this.size = finding.size;
    this.address = finding.address;
    this.firstBad = finding.firstBad;
    this.region = finding.region;
    this.comm = current.comm;
    this.pid = current.pid;
    this.timeNs = k.clock.nowNs;
    this.place = stackFrame(k, ip, !isRip(k, ip));
    const trace = finding.access === 'execute' ? traceOfJump(k) : traceFrom(k, this.place);
    this.stack = trace.filter((item): item is StackFrame => !('remark' in item));
    this.shadow = shadowAround(k, finding.firstBad);
    this.#context = {
      taskLines: showTaskInfo(taskInfo(k), KERN_ERR).map(({ text }) => text),
      trace,
      pageStructSize: k.spec.types.struct('page').size,
    };
  }

  get text(): string {
    this.#text ??= reportText(this, this.#context);
    return this.#text;
  }

  /**
   * The instruction that makes an access, or a return address: of the call of a function of ours that makes it, and of
   * the call that led to a place where nothing can run.
   */
  static codeAddress(k: Kernel, access: MemoryReport['access'], address: GuestAddr): GuestAddr {
    const { regs } = k.cpu;
    const { memory } = k;
    const calling =
      k.natives.nameAt(regs.rip) !== undefined || (access === 'execute' && regs.rip === address);
    const inGuest = k.sched.current.activations.at(-1)?.kind === 'guest';
    if (!inGuest) return firstFrame(k);
    const caller = calling && memory.canRead(regs.rsp, 8) ? memory.readPtr(regs.rsp) : regs.rip;
    return caller === k.natives.returnAddress ? regs.rip : caller;
  }
}

/** Whether code at this address was interrupted in it, not in a call that it had made. */
export function isRip(k: Kernel, ip: GuestAddr): boolean {
  return ip === k.cpu.regs.rip;
}

/** The function of ours that runs, when no guest code has just called it. */
function firstFrame(k: Kernel): GuestAddr {
  return callTrace(k, false).ips[0] ?? k.cpu.regs.rip;
}

/** The call trace from `place` on; before it the function of ours that it has called. */
export function traceFrom(k: Kernel, place: StackFrame): (StackFrame | TraceRemark)[] {
  const { rip } = k.cpu.regs;
  const inGuest = k.sched.current.activations.at(-1)?.kind === 'guest';
  const lead = !inGuest ? [] : rip === place.address ? [place] : [stackFrame(k, rip, false), place];
  const { items, ips } = callTrace(k, inGuest);
  let frame = 0;
  let started = false;
  const trace: (StackFrame | TraceRemark)[] = [];
  for (const item of items) {
    if (item.kind !== 'frame') {
      const lines = showTrace([item], KERN_ERR).slice(1);
      trace.push({ remark: lines.map(({ text }) => text) });
      if (item.kind === 'mark' && !started) trace.push(...lead);
      started = true;
      continue;
    }
    const ip = ips[frame++]!;
    if (lead.length === 2 && frame === 1 && ip === place.address) continue;
    if (item.reliable) trace.push(stackFrame(k, ip, true));
    else trace.push({ remark: [` ? ${item.symbol}`] });
  }
  return trace;
}

/**
 * The same after a call of what is no code: the kernel's unwinder is lost there, but the caller is known, and from it
 * on the stack is in order.
 */
function traceOfJump(k: Kernel): (StackFrame | TraceRemark)[] {
  const marks = callTrace(k, false).items.filter((item) => item.kind === 'mark');
  const remark = (mark: (typeof marks)[number] | undefined): TraceRemark => ({
    remark: [` ${mark?.text ?? ''}`],
  });
  return [
    remark(marks[0]),
    stackFrame(k, k.cpu.regs.rip, false),
    ...k.tracks.depot.frames(k.tracks.depot.capture(true)),
    remark(marks.at(-1)),
  ];
}

/** Our shadow in KASAN's encoding, where memory that may be used is 0. */
function shadowAround(k: Kernel, bad: GuestAddr): ShadowRow[] {
  if (!isCanonical(bad) || bad >= 0 || !k.memory.isPresent(bad)) return [];
  const guilty = Math.floor(bad / ROW_MEMORY) * ROW_MEMORY;
  const rows: ShadowRow[] = [];
  for (let i = -ROWS_AROUND; i <= ROWS_AROUND; i++) {
    const address = asAddr(guilty + i * ROW_MEMORY);
    const bytes = Array.from({ length: BYTES_PER_ROW }, (_, j) => {
      const at = asAddr(address + j * GRANULE);
      // nothing is mapped there: as KASAN marks what is between areas
      if (!k.memory.isPresent(at)) return 0xf8;
      const value = k.memory.shadowAt(at);
      return value >= GRANULE ? 0 : value & 0xff;
    });
    rows.push({ address, bytes });
  }
  return rows;
}
