import type { GuestAddr } from '../../bytes/index.ts';
import { PAGE_SIZE, PROT_RW } from '../../memory/index.ts';
import { FLAG, RAX, SLOT_RFLAGS } from '../../translate/index.ts';
import { decode, isInstruction } from '../../x86/index.ts';
import { frame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { format, ValueArguments } from '../lib/index.ts';
import { destroyParams, type ParamServices, parseArgs } from '../params/index.ts';
import { preemptCount } from '../percpu/preempt.ts';
import { call, type Routine } from '../sched/routine.ts';
import { WaitList } from '../sched/wait.ts';
import { showStack } from '../traps/oops.ts';
import { bootCpuHas, preemptStaticCall } from './boot-cpu.ts';
import type { ModuleEvents, ModuleHost } from './host.ts';

/** Bit of the preempt count that says whether to reschedule. Source: arch/x86/include/asm/preempt.h. */
const NEED_RESCHED = 0x8000_0000;

function* callInt(k: Kernel, addr: GuestAddr, args: readonly (number | bigint)[]): Routine<number> {
  yield* call(addr, ...args);
  return k.cpu.regs.i32(RAX);
}

/** What parameters need, out of a kernel. */
export function kernelParamServices(k: Kernel): ParamServices {
  return {
    memory: k.memory,
    types: k.spec.types,
    printk: (level, text) => void k.printk.emit(`${level}${text}`),
    kmalloc: (size) => k.kmalloc.alloc(size),
    kfree: (addr) => void k.kmalloc.free(addr),
    addTaint: (bit) => k.addTaint(bit),
    callInt: (addr, ...args) => callInt(k, addr, args),
  };
}

/** The model that `preempt=` on the command line, or else the configuration, chooses. */
function preemptModel(k: Kernel): 'none' | 'voluntary' | 'full' {
  const wanted = k.commandLine.get('preempt');
  if (wanted === 'none' || wanted === 'voluntary' || wanted === 'full') return wanted;
  const config = k.spec.config;
  if (config?.get('CONFIG_PREEMPT') === 'y') return 'full';
  return config?.get('CONFIG_PREEMPT_NONE') === 'y' ? 'none' : 'voluntary';
}

/** The kernel as the module loader sees it. */
export function kernelModuleHost(k: Kernel, events: ModuleEvents = {}): ModuleHost {
  const waiting = new WaitList();
  const params = kernelParamServices(k);
  let lockDebugging = true;
  return {
    spec: k.spec,
    memory: k.memory,
    machine: {
      hasFeature: bootCpuHas,
      staticCallTarget: (key) => preemptStaticCall(preemptModel(k), key),
      get possibleCpus() {
        return k.percpu.cpuBases.length;
      },
      instructionLength(bytes) {
        const decoded = decode(bytes, 0, 0);
        return isInstruction(decoded) ? decoded.length : undefined;
      },
    },
    printk: (level, text) => void k.printk.emit(`${text}\n`, { level }),
    hashedPointer: (addr) => hashedPointer(k, addr),
    // no allocation is larger than the machine's memory
    moduleAlloc: (size) =>
      size > k.pages.totalPages * PAGE_SIZE ? undefined : k.moduleAlloc.alloc(size, PROT_RW),
    // the address is what the module's own struct says, which the module can write
    moduleFree: (addr) => {
      if (k.moduleAlloc.sizeOf(addr) !== undefined) k.moduleAlloc.free(addr);
      else k.warnInKernel('__vunmap', `Trying to vfree() nonexistent vm area (${hashedPointer(k, addr)})`);
    },
    kmalloc: (size) => k.kmalloc.alloc(size),
    kfree: (addr) => void k.kmalloc.free(addr),
    percpuReserve: (size, align) => k.percpu.reserve(size, align),
    percpuRelease: (offset) => void k.percpu.release(offset),
    get cpuBases() {
      return k.percpu.cpuBases;
    },
    bootOption: (name) => k.commandLine.get(name),
    addTaint(bit, locksUnreliable = false) {
      // an oops has ended lock debugging without a word
      if (locksUnreliable && lockDebugging && k.oopsCount === 0) {
        lockDebugging = false;
        k.printk.emit('\x014Disabling lock debugging due to kernel taint\n');
      }
      k.addTaint(bit);
    },
    hasTaint: (bit) => (k.tainted & (1 << bit)) !== 0,
    bindExport: (name, addr) => k.natives.resolve(name, addr),
    callInt: (addr, ...args) => callInt(k, addr, args),
    frame: (name, callee, body) => frame(k, name, callee, body),
    waitForModules: (condition, timeoutNs) => waitForModules(k, waiting, condition, timeoutNs),
    moduleWake: () => waiting.wakeAll(k),
    *kthreadExit(code) {
      yield* call(k.natives.addressOf('kthread_exit'), code);
      throw new Error('kthread_exit came back');
    },
    parseArgs: (doing, args, table, count, unknown) =>
      parseArgs(params, args, { doing, params: table, count, unknown }),
    destroyParams: (table, count) => destroyParams(params, table, count),
    warn: (where, text) => k.warnInKernel(where, text ?? ''),
    dumpStack: () => showStack(k),
    get preemptCount() {
      return preemptCount(k);
    },
    set preemptCount(value) {
      const at = k.percpu.addressOf('__preempt_count');
      k.memory.writeU32(at, (k.memory.readU32(at) & NEED_RESCHED) | value);
    },
    get irqsDisabled() {
      return (k.cpu.regs.u32(SLOT_RFLAGS) & FLAG.IF) === 0;
    },
    set irqsDisabled(value) {
      const flags = k.cpu.regs.u32(SLOT_RFLAGS);
      k.cpu.regs.setU32(SLOT_RFLAGS, value ? flags & ~FLAG.IF : flags | FLAG.IF);
    },
    // Deviation: at once, where the real kernel leaves it to a work item that soon runs
    scheduleWork: (work) => work(),
    *asyncSynchronize() {},
    events,
  };
}

function hashedPointer(k: Kernel, addr: GuestAddr): string {
  return format(k.format, '%p', new ValueArguments([addr]), 32).text;
}

function* waitForModules(
  k: Kernel,
  waiting: WaitList,
  condition: () => boolean,
  timeoutNs: number | undefined,
): Routine<boolean> {
  let expired = false;
  const event =
    timeoutNs === undefined
      ? undefined
      : k.clock.at(k.clock.nowNs + timeoutNs, () => {
          expired = true;
          waiting.wakeAll(k);
        });
  let met = condition();
  if (!met) {
    yield* waiting.until(k, () => {
      met = condition();
      return met || expired;
    });
  }
  if (event !== undefined) k.clock.cancel(event);
  return met;
}
