import { asAddr, type GuestAddr, InvariantError } from '../../bytes/index.ts';
import { GuestAccessFault } from '../../memory/index.ts';
import {
  FLAG,
  R8,
  R9,
  RAX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
  SLOT_GS_BASE,
  SLOT_RFLAGS,
  SLOT_RIP,
  type Stop,
} from '../../translate/index.ts';
import type { NativeResult } from '../exports.ts';
import type { HostFrame } from '../frames.ts';
import type { Kernel } from '../kernel.ts';
import { preemptCount } from '../percpu/preempt.ts';
import { NS_PER_INSTRUCTION } from '../time/clock.ts';
import { scheduleBug } from '../traps/oops.ts';
import type { ExecutionContext, GuestActivation, HostActivation } from './activation.ts';
import type { Effect, Routine } from './routine.ts';
import type { Task } from './task.ts';

const ARGUMENT_REGISTERS = [RDI, RSI, RDX, RCX, R8, R9] as const;
const RFLAGS_FIXED = 2;
/** Most guest instructions in one go, so that the host gets its turn. */
const SLICE = 1 << 22;
/** Most guest instructions in one go while an event waits for interrupts to be let in. */
const SHORT_SLICE = 10_000;
/** Virtual time of one round of a busy wait of ours, in nanoseconds. */
const SPIN_NS = 1000;
/** Most activations stepped in one go: routines of ours that wait busily retire no guest instruction. */
const MAX_STEPS = 20_000;

// biome-ignore lint/suspicious/noConfusingVoidType: routines of void functions return nothing
type AnyRoutine = Routine<NativeResult | void>;

/** Why `Scheduler.run` came back: nothing can run before an event of the clock, or the slice is over. */
export type RunResult = 'idle' | 'slice';

/**
 * Runs tasks: always the topmost activation of the current one, never by recursion. Guest code runs until it
 * stops; a routine of ours runs until it asks for something (`Effect`).
 */
export class Scheduler {
  readonly #k: Kernel;
  /** The run queue, in order. */
  readonly #ready = new Set<Task>();
  readonly tasks = new Map<GuestAddr, Task>();
  /** The task on the CPU; the idle task when nothing else can run. */
  current!: Task;
  idle!: Task;
  /** The routine whose code runs this moment, when it was started by a call from guest code. */
  #starting: HostActivation | undefined;

  constructor(k: Kernel) {
    this.#k = k;
  }

  // ---- the task's view

  /** Puts a task that may run at the end of the run queue. */
  enqueue(task: Task): void {
    if (task !== this.idle && task !== this.current) this.#ready.add(task);
  }

  /** Whether another task could run now. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** `try_to_wake_up`: makes a sleeping task runnable when its state is among `states`. */
  wakeUp(task: Task, states: number): boolean {
    if (task.exitCode !== undefined || (task.state & states) === 0) return false;
    task.state = 0;
    this.enqueue(task);
    return true;
  }

  /** Starts a task with a routine of ours as its outermost function. */
  start(task: Task, routine: AnyRoutine, frames: HostFrame[] = []): void {
    task.activations.push({
      kind: 'host',
      routine,
      pending: undefined,
      frames,
      end: 'exit',
      context: 'task',
    });
    task.state = 0;
    this.enqueue(task);
  }

  /** The activation of the function of ours that runs now. */
  hostActivation(): HostActivation {
    if (this.#starting !== undefined) return this.#starting;
    const top = this.current.activations.at(-1);
    if (top?.kind !== 'host') throw new InvariantError('no function of ours is running');
    return top;
  }

  /** `hardirq` when an interrupt handler runs, `softirq` in a softirq, else `task`. */
  get context(): ExecutionContext {
    let context: ExecutionContext = 'task';
    for (const activation of this.current.activations) {
      if (activation.kind === 'host' && activation.context !== 'task') context = activation.context;
    }
    return context;
  }

  /** RFLAGS.IF of the guest code that runs, or called the function of ours that runs. */
  get interruptsEnabled(): boolean {
    const guest = this.#lastGuest();
    if (guest === undefined) return true;
    const rflags =
      guest.state === undefined ? this.#k.cpu.regs.u32(SLOT_RFLAGS) : Number(guest.state[SLOT_RFLAGS]!);
    return (rflags & FLAG.IF) !== 0;
  }

  // ---- calls between guest and host

  /**
   * Called by guest code: runs a routine of ours until it ends or first asks for something. True when it ended.
   * When not, it has become the task's topmost activation.
   */
  enterNative(name: string, routine: AnyRoutine): boolean {
    const activation: HostActivation = {
      kind: 'host',
      routine,
      pending: undefined,
      frames: [{ name, callee: '*' }],
      end: 'return',
      context: 'task',
    };
    const outer = this.#starting;
    this.#starting = activation;
    // biome-ignore lint/suspicious/noConfusingVoidType: routines of void functions return nothing
    let step: IteratorResult<Effect, NativeResult | void>;
    try {
      step = routine.next();
    } finally {
      this.#starting = outer;
    }
    if (step.done) {
      this.setResult(step.value);
      return true;
    }
    activation.pending = step.value;
    this.#suspendGuest();
    this.current.activations.push(activation);
    return false;
  }

  /** Puts a function's result into RAX as the C calling convention has it. */
  // biome-ignore lint/suspicious/noConfusingVoidType: routines of void functions return nothing
  setResult(value: NativeResult | void): void {
    const { regs } = this.#k.cpu;
    if (typeof value === 'number') regs.setAddr(RAX, value);
    else if (typeof value === 'bigint') regs.setU64(RAX, BigInt.asUintN(64, value));
    else if (typeof value === 'boolean') regs.setU32(RAX, value ? 1 : 0);
  }

  /** Puts a routine on top of whatever the current task does, as an interrupt. */
  interrupt(context: ExecutionContext, frames: HostFrame[], routine: AnyRoutine): void {
    this.#suspendGuest();
    this.current.activations.push({
      kind: 'host',
      routine,
      pending: undefined,
      frames,
      end: 'resume',
      context,
    });
  }

  /** Drops everything the current task was doing, without running any of it, and ends it. */
  killCurrent(exitCode: number): void {
    const task = this.current;
    task.activations.length = 0;
    this.#exit(task, exitCode);
  }

  /**
   * Ends what an interrupt handler of the guest was doing, as if it had returned, and lets ours go on; false when no
   * interrupt is being handled.
   */
  abandonInterrupt(): boolean {
    const { activations } = this.current;
    const at = activations.findLastIndex((a) => a.kind === 'host' && a.context !== 'task');
    if (at < 0) return false;
    activations.length = at + 1;
    const handler = activations[at]!;
    if (handler.kind === 'host') handler.pending = undefined;
    return true;
  }

  // ---- the dispatcher

  /** Runs until the CPU is idle or about a slice has been used up, by guest instructions or by functions of ours. */
  run(done: () => boolean = () => false): RunResult {
    const { clock } = this.#k;
    const { cpu, natives } = this.#k;
    const end = cpu.retired * NS_PER_INSTRUCTION + natives.spentNs + SLICE;
    let steps = 0;
    for (;;) {
      if (this.#k.halted || done()) return 'slice';
      const { mayInterrupt } = this;
      if (this.interruptsEnabled) this.#k.jiffies.update();
      if (mayInterrupt && clock.due()) clock.fire();
      if (this.current === this.idle && this.idle.activations.length === 0 && !this.#pick()) return 'idle';
      try {
        this.#step();
      } catch (error) {
        // the machinery itself met what the guest has broken: a stack pointer, a table of the module's
        if (!(error instanceof GuestAccessFault)) throw error;
        this.#k.traps.brokenGuest(error);
      }
      if (cpu.retired * NS_PER_INSTRUCTION + natives.spentNs >= end || ++steps >= MAX_STEPS) return 'slice';
    }
  }

  get mayInterrupt(): boolean {
    return this.context === 'task' && this.interruptsEnabled;
  }

  #lastGuest(): GuestActivation | undefined {
    return this.current.activations.findLast((a): a is GuestActivation => a.kind === 'guest');
  }

  /** Makes the next ready task current; the idle task when there is none. */
  #pick(): boolean {
    const next: Task = this.#ready.values().next().value ?? this.idle;
    this.#ready.delete(next);
    if (next !== this.current) {
      this.#suspendGuest();
      this.#switchTo(next);
    }
    return next !== this.idle || next.activations.length > 0;
  }

  #switchTo(task: Task): void {
    this.current = task;
    this.#k.percpu.setCurrent(task.addr, task.stackTop);
    this.#resumeGuest();
  }

  #step(): void {
    const top = this.current.activations.at(-1);
    if (top === undefined) {
      this.#pick();
    } else if (top.kind === 'guest') this.#runGuest();
    else if (top.pending !== undefined) this.#perform(top, top.pending);
    else this.#resume(top);
  }

  #runGuest(): void {
    const { cpu, clock } = this.#k;
    // an event that cannot be let in must not cut the run into single instructions
    const most = clock.due() ? SHORT_SLICE : clock.instructionsToNextEvent();
    this.#stopped(cpu.run(Math.max(1, Math.min(SLICE, most))));
  }

  #stopped(stop: Stop): void {
    const k = this.#k;
    switch (stop.kind) {
      case 'fuel':
        return;
      case 'watchpoint':
        k.onDebugStop?.(stop);
        return;
      case 'breakpoint': {
        k.onDebugStop?.(stop);
        const next = k.cpu.step();
        if (next !== undefined) this.#stopped(next);
        return;
      }
      case 'native':
        if (k.cpu.regs.rip === k.natives.returnAddress) this.#guestReturned();
        else k.traps.nativeStopped();
        return;
      case 'exception':
        k.traps.exception(stop);
        return;
      case 'poison': {
        const next = k.traps.poison(stop);
        if (next !== undefined) this.#stopped(next);
        return;
      }
      case 'unsupported':
        k.unsupported(stop.error);
        return;
    }
  }

  #guestReturned(): void {
    const { activations } = this.current;
    activations.pop();
    const below = activations.at(-1);
    if (below?.kind !== 'host') throw new InvariantError('guest code returned to nobody');
    below.pending = undefined;
  }

  #perform(activation: HostActivation, effect: Effect): void {
    switch (effect.kind) {
      case 'call':
        this.#callGuest(effect.addr, effect.args);
        return;
      case 'spin':
        activation.pending = undefined;
        this.#k.clock.spend(SPIN_NS);
        return;
      case 'schedule': {
        activation.pending = undefined;
        const task = this.current;
        if (preemptCount(this.#k) !== 0) scheduleBug(this.#k);
        if (task === this.idle) {
          // an interrupt handler that sleeps on top of the idle task: nothing else can run, so it waits busily
          task.state = 0;
          this.#k.clock.spend(SPIN_NS);
          return;
        }
        if (task.state === 0) this.#ready.add(task);
        else this.#k.workqueues.sleeping(task);
        this.#pick();
        return;
      }
    }
  }

  #callGuest(addr: GuestAddr, args: readonly (number | bigint)[]): void {
    const k = this.#k;
    const { regs } = k.cpu;
    const task = this.current;
    if (args.length > ARGUMENT_REGISTERS.length)
      throw new InvariantError('guest calls take at most 6 arguments');
    const below = this.#lastGuest();
    const base =
      below?.state === undefined ? task.stackTop : Number(BigInt.asIntN(64, below.state[RSP]!)) - 64;
    const rflags =
      below?.state === undefined
        ? BigInt(FLAG.IF | RFLAGS_FIXED)
        : (below.state[SLOT_RFLAGS]! & BigInt(FLAG.IF)) | BigInt(RFLAGS_FIXED);
    const rsp = asAddr(Math.floor(base / 16) * 16 - 8);
    k.memory.writePtr(rsp, k.natives.returnAddress);
    regs.slots.fill(0n, 0, 16);
    k.kmsan?.begins();
    regs.setU64(SLOT_RFLAGS, rflags);
    regs.setAddr(SLOT_GS_BASE, k.percpu.base);
    regs.rsp = rsp;
    regs.rip = addr;
    args.forEach((value, i) => {
      const slot = ARGUMENT_REGISTERS[i]!;
      if (typeof value === 'bigint') regs.setU64(slot, BigInt.asUintN(64, value));
      else regs.setAddr(slot, value);
    });
    task.activations.push({ kind: 'guest', state: undefined });
  }

  #resume(activation: HostActivation): void {
    const k = this.#k;
    const task = this.current;
    const step = k.traps.guard(activation, () => activation.routine.next());
    if (step === undefined) return;
    if (!step.done) {
      activation.pending = step.value;
      return;
    }
    // an oops inside the routine may have ended the task
    if (task.exitCode !== undefined || task.activations.at(-1) !== activation) return;
    task.activations.pop();
    switch (activation.end) {
      case 'exit':
        this.#exit(task, 0);
        return;
      case 'resume':
        this.#resumeGuest();
        return;
      case 'return': {
        this.#resumeGuest();
        const { regs } = k.cpu;
        regs.rip = k.memory.readPtr(regs.rsp);
        regs.rsp = asAddr(regs.rsp + 8);
        this.setResult(step.value);
        return;
      }
    }
  }

  #exit(task: Task, exitCode: number): void {
    task.exitCode = exitCode;
    this.tasks.delete(task.addr);
    this.#switchTo(this.idle);
    this.#k.taskExited(task);
    this.#k.fork.release(task);
    this.#pick();
  }

  /** Saves the registers of the guest code that is on the CPU, if its activation is topmost. */
  #suspendGuest(): void {
    const top = this.current?.activations.at(-1);
    if (top?.kind === 'guest') top.state = this.#k.cpu.regs.save();
  }

  #resumeGuest(): void {
    const top = this.current.activations.at(-1);
    if (top?.kind === 'guest' && top.state !== undefined) {
      this.#k.cpu.regs.load(top.state);
      top.state = undefined;
    }
  }

  /** RIP of the guest code that is running or called the function of ours that is. */
  get guestRip(): GuestAddr {
    const guest = this.#lastGuest();
    if (guest?.state === undefined) return this.#k.cpu.regs.rip;
    return asAddr(Number(BigInt.asIntN(64, guest.state[SLOT_RIP]!)));
  }
}
