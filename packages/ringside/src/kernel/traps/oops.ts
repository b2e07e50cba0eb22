import { BUGFLAG, SIGNAL, TAINT } from '../../abi/index.ts';
import { addrFromU64, addrToU64, asAddr, type GuestAddr, isCanonical } from '../../bytes/index.ts';
import { GuestAccessFault, PAGE_SIZE } from '../../memory/index.ts';
import {
  type CpuException,
  FLAG,
  type RegisterState,
  SLOT_FS_BASE,
  SLOT_GS_BASE,
  SLOT_RFLAGS,
  SLOT_RIP,
  STATE_SLOTS,
  VECTOR,
} from '../../translate/index.ts';
import { type HostFrame, returnAddress } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { format, ValueArguments } from '../lib/index.ts';
import type { ModuleBug } from '../module/index.ts';
import {
  CODE_PROLOGUE,
  CODE_SIZE,
  CUT_HERE,
  diesWithIrqsDisabled,
  dumpStack,
  type Fault,
  formatOops,
  formatPanic,
  formatTaskDeath,
  formatWarning,
  type LogLine,
  type PageTableEntry,
  type PtRegs,
  printModules,
  type RegisterDump,
  type TaskInfo,
  type TraceItem,
} from '../panic/index.ts';
import { preemptCount } from '../percpu/preempt.ts';
import { backtrace, type TraceEntry } from './backtrace.ts';
import { type Crash, codePlace, holdersOf, ownerOf, runningNow } from './crash.ts';
import { KERNEL_CS, KERNEL_DS, MACHINE_MODEL } from './machine-model.ts';

/** The part of the preempt count that is not about interrupts. Source: include/linux/preempt.h, PREEMPT_MASK. */
const PREEMPT_MASK = 0xff;
const PF_INSTRUCTION = 0x10;
const PF_PROTECTION = 1;
const PF_WRITE = 2;

/** The stack fault, which the CPU raises for non-canonical stack addresses. Source: SDM vol. 3, table 6-1. */
const VECTOR_SS = 12;

/** Names of exceptions as the kernel's `die` prints them. Source: arch/x86/kernel/traps.c. */
const TRAP_NAMES: Readonly<Record<number, string>> = {
  [VECTOR.DE]: 'divide error',
  [VECTOR.BP]: 'int3',
  [VECTOR.OF]: 'overflow',
  [VECTOR.UD]: 'invalid opcode',
  [VECTOR_SS]: 'stack segment',
  [VECTOR.AC]: 'alignment check',
  [VECTOR.MF]: 'fpu exception',
  [VECTOR.XM]: 'simd exception',
};

/** Who runs, as the first line of every dump says. */
export function taskInfo(k: Kernel): TaskInfo {
  const task = k.sched.current;
  const base = {
    cpu: 0,
    pid: task.pid,
    comm: task.comm,
    tainted: k.tainted,
    release: k.spec.release,
    version: k.spec.version,
    hardwareName: MACHINE_MODEL.hardwareName,
  };
  const work = task.work;
  return work === undefined
    ? base
    : { ...base, worker: { name: work.queue, work: k.kallsyms.name(work.func), description: work.queue } };
}

/**
 * The call trace of the current task. `skipFirst` leaves out the frame that a RIP line has shown; `innermost` are
 * frames of the function of ours that prints, inside all others.
 */
export function callTrace(
  k: Kernel,
  skipFirst: boolean,
  innermost: readonly HostFrame[] = [],
): { items: TraceItem[]; ips: GuestAddr[] } {
  const items: TraceItem[] = [];
  const ips: GuestAddr[] = [];
  // a function of ours is named by the RIP line, the first frame is its caller
  let skip = skipFirst && k.natives.nameAt(k.cpu.regs.rip) === undefined;
  const [mark, ...entries] = backtrace(k);
  const inner: TraceEntry[] = [];
  for (const frame of innermost) {
    const ip = returnAddress(k, frame);
    if (ip !== undefined) inner.push({ kind: 'frame', ip, reliable: true });
  }
  for (const entry of [...(mark === undefined ? [] : [mark]), ...inner, ...entries]) {
    if (entry.kind === 'mark') items.push({ kind: 'mark', text: entry.text });
    else if (entry.kind === 'interrupted') items.push({ kind: 'registers', dump: interruptedDump(k, entry) });
    else if (skip) skip = false;
    else {
      items.push({ kind: 'frame', symbol: k.kallsyms.describeReturn(entry.ip), reliable: entry.reliable });
      ips.push(entry.ip);
    }
  }
  return { items, ips };
}

/** Registers as an interrupt has saved them; of the idle task's code, which is not here, all but RIP are 0. */
function interruptedDump(k: Kernel, entry: Extract<TraceEntry, { kind: 'interrupted' }>): RegisterDump {
  const slots = entry.state ?? new BigUint64Array(STATE_SLOTS);
  const state = slots.slice();
  state[SLOT_RIP] = addrToU64(entry.ip);
  if (entry.state === undefined) state[SLOT_RFLAGS] = BigInt(FLAG.IF | 2);
  return {
    ...dump(k, k.lastCr2),
    regs: ptRegs(state),
    symbol: k.kallsyms.describe(entry.ip),
    code: codeAround(k, entry.ip),
  };
}

function registers(k: Kernel): PtRegs {
  return ptRegs(k.cpu.regs.save());
}

function ptRegs(state: RegisterState): PtRegs {
  const [ax, cx, dx, bx, sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15] = [...state.slice(0, 16)] as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return {
    ax,
    cx,
    dx,
    bx,
    sp,
    bp,
    si,
    di,
    r8,
    r9,
    r10,
    r11,
    r12,
    r13,
    r14,
    r15,
    orig_ax: 2n ** 64n - 1n,
    ip: state[SLOT_RIP]!,
    cs: KERNEL_CS,
    flags: state[SLOT_RFLAGS]!,
    ss: KERNEL_DS,
  };
}

/** The bytes around RIP; undefined when one of them cannot be read, as for text at the start of its mapping. */
function codeAround(k: Kernel, ip: GuestAddr): Uint8Array | undefined {
  const start = asAddr(ip - CODE_PROLOGUE);
  if (!isCanonical(ip) || !k.memory.canRead(start, CODE_SIZE)) return undefined;
  return k.memory.raw.slice(start >>> 0, (start >>> 0) + CODE_SIZE);
}

function dump(k: Kernel, cr2: bigint): RegisterDump {
  const regs = registers(k);
  const ip = addrFromU64(regs.ip);
  const code = codeAround(k, ip);
  return {
    regs,
    symbol: k.kallsyms.describe(ip),
    code,
    system: {
      fsBase: k.cpu.regs.u64(SLOT_FS_BASE),
      fsIndex: 0,
      gsBase: k.cpu.regs.u64(SLOT_GS_BASE),
      gsIndex: 0,
      kernelGsBase: 0n,
      ds: 0,
      es: 0,
      cr0: MACHINE_MODEL.cr0,
      cr2,
      cr3: MACHINE_MODEL.cr3,
      cr4: MACHINE_MODEL.cr4,
    },
  };
}

/**
 * The page table's levels for an address. `Deviation:` there are no page tables; which levels are shown, and whether
 * the last is present, is right, the physical addresses in them are not the real kernel's.
 */
function pageTable(k: Kernel, address: GuestAddr): PageTableEntry[] {
  const table = (n: number) => MACHINE_MODEL.cr3 + BigInt(n * 0x1000) + 0x67n;
  if (address >= 0) {
    return [
      { level: 'PGD', value: 0n },
      { level: 'P4D', value: 0n },
    ];
  }
  const present = k.memory.isPresent(address);
  const noExecute = k.memory.isExecutable(address) ? 0n : 1n << 63n;
  const flags = 0x121n | (k.memory.isWritable(address) ? 0x42n : 0n);
  const entries: PageTableEntry[] = [
    { level: 'PGD', value: table(1) },
    { level: 'P4D', value: table(1) },
    { level: 'PUD', value: table(2) },
    { level: 'PMD', value: table(3) },
  ];
  entries.push({ level: 'PTE', value: present ? BigInt((address >>> 12) * 4096) + flags + noExecute : 0n });
  return entries;
}

/** Whether the fault is a push onto the guard page below the task's stack, which the CPU turns into a double fault. */
function stackOverflow(k: Kernel, stop: CpuException): Fault | undefined {
  const { stack, stackSize } = k.sched.current;
  if (stop.vector !== VECTOR.PF || stop.address === undefined) return undefined;
  if (stop.address >= stack || stop.address < stack - PAGE_SIZE) return undefined;
  const hashed = (addr: number) => format(k.format, '%p', new ValueArguments([addr]), 32).text;
  return {
    kind: 'stack-overflow',
    stack: 'TASK',
    address: hashed(stop.address),
    begin: hashed(stack),
    end: hashed(stack + stackSize - 1),
  };
}

function faultOf(k: Kernel, stop: CpuException, bug: ModuleBug | undefined): Fault {
  if (bug !== undefined) return { kind: 'bug', file: bug.file, line: bug.line };
  switch (stop.vector) {
    case VECTOR.PF: {
      const address = stop.address ?? asAddr(0);
      const base = {
        kind: 'page-fault',
        address: addrToU64(address),
        errorCode: stop.errorCode,
        pageTable: pageTable(k, address),
      } as const;
      const notExecutable =
        (stop.errorCode & (PF_INSTRUCTION | PF_PROTECTION)) === (PF_INSTRUCTION | PF_PROTECTION);
      return notExecutable ? { ...base, notExecutable: { uid: 0 } } : base;
    }
    case VECTOR.GP:
      return stop.address === undefined
        ? { kind: 'general-protection', errorCode: stop.errorCode }
        : {
            kind: 'general-protection',
            errorCode: stop.errorCode,
            operand: { address: addrToU64(stop.address), canonical: isCanonical(stop.address) },
          };
    default:
      return {
        kind: 'trap',
        name: TRAP_NAMES[stop.vector] ?? `trap ${stop.vector}`,
        errorCode: stop.errorCode,
      };
  }
}

function accessOf(stop: CpuException): Crash['access'] {
  if (stop.vector !== VECTOR.PF) return undefined;
  if (stop.errorCode & PF_INSTRUCTION) return 'execute';
  return stop.errorCode & PF_WRITE ? 'write' : 'read';
}

function crashHere(
  k: Kernel,
  kind: Crash['kind'],
  ip: GuestAddr,
  callers: readonly GuestAddr[],
): Omit<Crash, 'registers'> {
  return {
    kind,
    fault: undefined,
    place: codePlace(k, ip, false),
    address: undefined,
    access: undefined,
    owner: undefined,
    holders: [],
    running: runningNow(k),
    comm: k.sched.current.comm,
    pid: k.sched.current.pid,
    callers: callers.map((caller) => codePlace(k, caller, true)),
  };
}

function emit(k: Kernel, lines: readonly LogLine[]): void {
  for (const { level, text } of lines) k.log(level, text);
}

/** An exception that nothing handles: the oops, and the end of the task. Source: arch/x86/kernel/dumpstack.c, oops_end. */
export function die(k: Kernel, stop: CpuException, bug: ModuleBug | undefined): void {
  const task = k.sched.current;
  const overflow = stackOverflow(k, stop);
  const fault = overflow ?? faultOf(k, stop, bug);
  const now = dump(k, stop.address === undefined ? k.lastCr2 : addrToU64(stop.address));
  if (stop.vector === VECTOR.PF) k.lastCr2 = addrToU64(stop.address ?? asAddr(0));
  const { items, ips } = callTrace(k, true);
  k.oopsCount++;
  k.oopsSummary ??= now;
  const preempt = k.spec.config?.get('CONFIG_PREEMPTION') === 'y';
  emit(
    k,
    formatOops({
      fault,
      count: k.oopsCount,
      flags: {
        preempt: preempt ? 'PREEMPT' : '',
        smp: k.spec.config?.get('CONFIG_SMP') === 'y',
        pti: MACHINE_MODEL.pti,
      },
      task: taskInfo(k),
      dump: now,
      trace: items,
      modules: k.text.linked(),
      summary: k.oopsSummary,
    }),
  );
  k.addTaint(TAINT.TAINT_DIE);
  const owner = stop.address === undefined ? undefined : ownerOf(k, stop.address);
  k.crashed({
    kind: 'oops',
    fault,
    place: codePlace(k, addrFromU64(now.regs.ip), false),
    address: stop.address,
    access: accessOf(stop),
    owner,
    holders: stop.address !== undefined && owner?.kind === 'former-module' ? holdersOf(k, stop.address) : [],
    running: runningNow(k),
    comm: task.comm,
    pid: task.pid,
    callers: ips.map((ip) => codePlace(k, ip, true)),
    registers: now.regs,
  });
  // the double fault handler runs on a stack of its own, as interrupts do
  const fatal = overflow === undefined ? fatalReason(k, task.pid) : 'Fatal exception in interrupt';
  if (fatal !== undefined) {
    panic(k, fatal);
    return;
  }
  const count = preemptCount(k);
  emit(
    k,
    formatTaskDeath({
      comm: task.comm,
      pid: task.pid,
      irqsDisabled: diesWithIrqsDisabled(fault, {
        irqsEnabled: (k.cpu.regs.u32(SLOT_RFLAGS) & FLAG.IF) !== 0,
        hasMm: task.user,
        pageFaultsDisabled: false,
      }),
      preemptCount: count,
    }),
  );
  k.resetPreemptCount();
  k.sched.killCurrent(stop.vector === VECTOR.PF ? SIGNAL.SIGKILL : SIGNAL.SIGSEGV);
}

/** Why the oops ends the machine, or undefined when only the task dies. */
function fatalReason(k: Kernel, pid: number): string | undefined {
  // in_interrupt(): also where softirqs are held off
  if (k.sched.context !== 'task' || preemptCount(k) > PREEMPT_MASK) return 'Fatal exception in interrupt';
  if (k.commandLine.get('oops') === 'panic') return 'Fatal exception';
  if (k.commandLine.has('panic_on_oops') && k.commandLine.get('panic_on_oops') !== '0')
    return 'Fatal exception';
  return pid === 0 ? 'Attempted to kill the idle task!' : undefined;
}

/** `panic()`: the machine stops. */
export function panic(k: Kernel, message: string): void {
  const seconds = Number(k.commandLine.get('panic') ?? k.spec.config?.get('CONFIG_PANIC_TIMEOUT') ?? 0);
  // a panic that follows an oops does not show its stack again
  const died = (k.tainted & (1 << TAINT.TAINT_DIE)) !== 0;
  const stackDump = died ? [] : stackLinesIfAny(k);
  emit(k, formatPanic(message, { timeoutSeconds: seconds, stackDump }));
  k.halted = true;
  try {
    k.crashed({ ...crashHere(k, 'panic', k.cpu.regs.rip, []), message, registers: undefined });
  } catch (error) {
    // what the guest has broken cannot be described; the machine has stopped all the same
    if (!(error instanceof GuestAccessFault)) throw error;
  }
}

/** `WARN()`: prints, taints, and the code goes on behind its `ud2`. */
export function warn(k: Kernel, bug: ModuleBug): void {
  const now = dump(k, k.lastCr2);
  const { items, ips } = callTrace(k, true);
  emit(
    k,
    formatWarning({
      file: bug.file,
      line: bug.line,
      symbol: now.symbol,
      cutHereShown: (bug.flags & BUGFLAG.BUGFLAG_NO_CUT_HERE) !== 0,
      task: taskInfo(k),
      dump: now,
      trace: items,
      modules: k.text.linked(),
    }),
  );
  // the taint stands above the flags; Source: include/asm-generic/bug.h, BUG_GET_TAINT
  k.addTaint(bug.flags >>> 8);
  k.crashed({ ...crashHere(k, 'warning', addrFromU64(now.regs.ip), ips), registers: now.regs });
  checkPanicOnWarn(k, 'kernel');
}

/** A warning of a function of ours that stands for the kernel's own code: `where` is the function that warns. */
export function warnInKernel(k: Kernel, where: string, text: string): void {
  const { items, ips } = callTrace(k, false);
  if (text !== '')
    emit(k, [
      { level: 4, text: CUT_HERE },
      { level: 4, text },
    ]);
  const site = k.spec.symbols.lookup(where);
  emit(
    k,
    formatWarning({
      file: undefined,
      line: 0,
      symbol: site === undefined ? where : k.kallsyms.describe(site.address),
      cutHereShown: text !== '',
      task: taskInfo(k),
      dump: undefined,
      trace: items,
      modules: k.text.linked(),
    }),
  );
  k.addTaint(TAINT.TAINT_WARN);
  k.crashed({ ...crashHere(k, 'warning', site?.address ?? k.cpu.regs.rip, ips), registers: undefined });
  checkPanicOnWarn(k, 'kernel');
}

/** A task gives the CPU away where it must not. Source: kernel/sched/core.c, __schedule_bug. */
export function scheduleBug(k: Kernel): void {
  const task = k.sched.current;
  // one more: schedule() itself has disabled preemption when it looks
  const count = (preemptCount(k) + 1).toString(16).padStart(8, '0');
  emit(k, [
    { level: 3, text: `BUG: scheduling while atomic: ${task.comm}/${task.pid}/0x${count}` },
    printModules(k.text.linked()),
  ]);
  checkPanicOnWarn(k, 'scheduling while atomic');
  if (k.halted) return;
  showStack(k);
  k.addTaint(TAINT.TAINT_WARN);
  k.resetPreemptCount();
}

function checkPanicOnWarn(k: Kernel, origin: string): void {
  const onWarn = k.commandLine.get('panic_on_warn');
  if (onWarn !== undefined && onWarn !== '0') panic(k, `${origin}: panic_on_warn set ...`);
}

/** `dump_stack()`. */
export function showStack(k: Kernel): void {
  emit(k, stackLines(k));
}

/** Nothing when even that faults. */
function stackLinesIfAny(k: Kernel): LogLine[] {
  try {
    return stackLines(k);
  } catch (error) {
    if (!(error instanceof GuestAccessFault)) throw error;
    return [];
  }
}

function stackLines(k: Kernel): LogLine[] {
  const innermost = [{ name: 'dump_stack_lvl', callee: 'show_stack' }];
  return dumpStack(taskInfo(k), callTrace(k, false, innermost).items);
}
