import { showTrace, type TraceItem } from './call-trace.ts';
import { hex, KERN, type LogLine, line } from './log-line.ts';
import { type LinkedModules, printModules } from './modules-linked-in.ts';
import { type RegisterDump, shownCr2, showRegs } from './registers.ts';
import { showTaskInfo, type TaskInfo } from './task-info.ts';

/** The levels of the page table that a walk to an address reaches, in order. */
export interface PageTableEntry {
  readonly level: 'PGD' | 'P4D' | 'PUD' | 'PMD' | 'PTE';
  readonly value: bigint;
}

/** What went wrong. Error codes are as the processor pushes them. */
export type Fault =
  | {
      readonly kind: 'page-fault';
      readonly address: bigint;
      readonly errorCode: number;
      readonly pageTable: readonly PageTableEntry[];
      /** The page is present and has no-execute set; `uid` of who ran it. */
      readonly notExecutable?: { readonly uid: number };
      /** A page of user mode was executed that supervisor mode must not. */
      readonly userExecution?: { readonly uid: number };
      readonly stackCorrupted?: boolean;
    }
  | {
      readonly kind: 'general-protection';
      readonly errorCode: number;
      /** The instruction's memory operand, when it could be told; absent for others. */
      readonly operand?: { readonly address: bigint; readonly canonical: boolean };
    }
  /** `BUG()`: an `ud2` with an entry in a bug table. */
  | { readonly kind: 'bug'; readonly file: string | undefined; readonly line: number }
  /** Another exception by the kernel's name: `divide error`, `invalid opcode`, `stack segment`. */
  | { readonly kind: 'trap'; readonly name: string; readonly errorCode: number }
  /** The guard page below a stack was hit. */
  | {
      readonly kind: 'stack-overflow';
      readonly stack: string;
      /** In `%p` form, as the kernel hides them. */
      readonly address: string;
      readonly begin: string;
      readonly end: string;
    }
  | { readonly kind: 'double-fault'; readonly errorCode: number };

/** What the kernel was built and booted with, as the `Oops:` line tells. */
export interface BuildFlags {
  readonly preempt: '' | 'PREEMPT' | 'PREEMPT_RT';
  readonly smp: boolean;
  /** Page table isolation: undefined when not built in. */
  readonly pti: boolean | undefined;
}

/** Everything that an oops prints. */
export interface Oops {
  readonly fault: Fault;
  /** Counts oopses from 1. */
  readonly count: number;
  readonly flags: BuildFlags;
  readonly task: TaskInfo;
  readonly dump: RegisterDump;
  readonly trace: readonly TraceItem[];
  readonly modules: LinkedModules;
  /** What is repeated at the end: the registers of the first oops since boot; its system registers are not used. */
  readonly summary: RegisterDump;
}

/** Page fault error code bits. Source: SDM vol. 3, 4.7. */
const PF = { PROT: 1, WRITE: 2, USER: 4, RSVD: 8, INSTR: 16, PK: 32 } as const;
const PAGE_SIZE = 4096n;

/** Build flags out of a kernel configuration. `pti`: whether the processor needs page table isolation. */
export function buildFlags(config: ReadonlyMap<string, string>, pti: boolean): BuildFlags {
  const on = (name: string) => config.get(name) === 'y';
  const preempt = !on('CONFIG_PREEMPTION') ? '' : on('CONFIG_PREEMPT_RT') ? 'PREEMPT_RT' : 'PREEMPT';
  return { preempt, smp: on('CONFIG_SMP'), pti: on('CONFIG_PAGE_TABLE_ISOLATION') ? pti : undefined };
}

/** Every line of an oops, in order. Source: arch/x86/kernel/{dumpstack,traps}.c and arch/x86/mm/fault.c, 6.1. */
export function formatOops(oops: Oops): LogLine[] {
  const { fault, dump } = oops;
  const lines = [...announce(fault, dump), line(KERN.DEFAULT, dieHeader(oops))];
  lines.push(...showTaskInfo(oops.task, KERN.DEFAULT), ...showRegs(dump, mode(dump), KERN.DEFAULT));
  if (mode(dump) === 'all') lines.push(...showTrace(oops.trace, KERN.DEFAULT));
  lines.push(printModules(oops.modules));
  if (fault.kind === 'page-fault') lines.push(line(KERN.DEFAULT, `CR2: ${hex(fault.address, 16)}`));
  const system = { ...dump.system, cr2: shownCr2(dump) };
  lines.push(endMarker(), ...showRegs({ ...oops.summary, system }, 'all', KERN.DEFAULT));
  return lines;
}

function mode(dump: RegisterDump): 'all' | 'user' {
  return (dump.regs.cs & 3) === 3 ? 'user' : 'all';
}

/** The line that ends every oops and every warning. */
export function endMarker(): LogLine {
  return line(KERN.WARNING, `---[ end trace ${hex(0, 16)} ]---`);
}

export const CUT_HERE = '------------[ cut here ]------------';

/** The lines before the `Oops:` line. */
function announce(fault: Fault, dump: RegisterDump): LogLine[] {
  switch (fault.kind) {
    case 'page-fault':
      return announcePageFault(fault, (dump.regs.cs & 3) === 3);
    case 'bug': {
      const where =
        fault.file === undefined
          ? `Kernel BUG at ${dump.symbol} [verbose debug info unavailable]`
          : `kernel BUG at ${fault.file}:${fault.line}!`;
      return [line(KERN.DEFAULT, CUT_HERE), line(KERN.CRIT, where)];
    }
    case 'stack-overflow': {
      const range = `(stack is ${fault.begin}..${fault.end})`;
      return [line(KERN.EMERG, `BUG: ${fault.stack} stack guard page was hit at ${fault.address} ${range}`)];
    }
    case 'double-fault':
      return [line(KERN.EMERG, `PANIC: double fault, error_code: 0x${hex(fault.errorCode)}`)];
    case 'general-protection':
    case 'trap':
      return [];
  }
}

function announcePageFault(fault: Fault & { kind: 'page-fault' }, userMode: boolean): LogLine[] {
  const { address, errorCode } = fault;
  const lines: LogLine[] = [];
  if (fault.notExecutable !== undefined) {
    const who = `(uid: ${fault.notExecutable.uid})`;
    lines.push(line(KERN.CRIT, `kernel tried to execute NX-protected page - exploit attempt? ${who}`));
  }
  if (fault.userExecution !== undefined) {
    lines.push(line(KERN.CRIT, `unable to execute userspace code (SMEP?) (uid: ${fault.userExecution.uid})`));
  }
  const null_ = address < PAGE_SIZE && !userMode;
  const what = null_ ? 'kernel NULL pointer dereference, address' : 'unable to handle page fault for address';
  const who = errorCode & PF.USER ? 'user' : 'supervisor';
  const table = fault.pageTable.map((entry) => `${entry.level} ${hex(entry.value)}`).join(' ');
  // Every level but the last is followed by a blank, whether another comes or not.
  const blank = fault.pageTable.at(-1)?.level === 'PTE' ? '' : ' ';
  lines.push(
    line(KERN.ALERT, `BUG: ${what}: ${hex(address, 16)}`),
    line(KERN.ALERT, `#PF: ${who} ${access(errorCode)} in ${userMode ? 'user' : 'kernel'} mode`),
    line(KERN.ALERT, `#PF: error_code(0x${hex(errorCode, 4)}) - ${reason(errorCode)}`),
    line(KERN.INFO, `${table}${blank}`),
  );
  if (fault.stackCorrupted) lines.push(line(KERN.EMERG, 'Thread overran stack, or stack corrupted'));
  return lines;
}

function access(errorCode: number): string {
  if (errorCode & PF.INSTR) return 'instruction fetch';
  return errorCode & PF.WRITE ? 'write access' : 'read access';
}

function reason(errorCode: number): string {
  if (!(errorCode & PF.PROT)) return 'not-present page';
  if (errorCode & PF.RSVD) return 'reserved bit violation';
  return errorCode & PF.PK ? 'protection keys violation' : 'permissions violation';
}

/** `Oops: 0002 [#1] PREEMPT SMP NOPTI`. */
function dieHeader({ fault, count, flags }: Oops): string {
  const [name, errorCode] = dieName(fault);
  const words = [`${name}: ${hex(errorCode & 0xffff, 4)} [#${count}]`];
  if (flags.preempt !== '') words.push(flags.preempt);
  if (flags.smp) words.push('SMP');
  if (flags.pti !== undefined) words.push(flags.pti ? 'PTI' : 'NOPTI');
  return words.join(' ');
}

function dieName(fault: Fault): [name: string, errorCode: number] {
  switch (fault.kind) {
    case 'page-fault':
      return ['Oops', fault.errorCode];
    case 'general-protection':
      return [generalProtectionName(fault), fault.errorCode];
    case 'bug':
      return ['invalid opcode', 0];
    case 'trap':
      return [fault.name, fault.errorCode];
    case 'stack-overflow':
      return ['stack guard page', 0];
    case 'double-fault':
      return ['double fault', fault.errorCode];
  }
}

function generalProtectionName(fault: Fault & { kind: 'general-protection' }): string {
  const name = 'general protection fault';
  if (fault.errorCode !== 0) return `segment-related ${name}`;
  if (fault.operand === undefined) return name;
  const { address, canonical } = fault.operand;
  return `${name}, ${canonical ? 'maybe for address' : 'probably for non-canonical address'} 0x${hex(address)}`;
}
