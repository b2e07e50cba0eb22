import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { Kernel } from '../kernel.ts';
import type { Activation } from './activation.ts';

/**
 * A task: a `task_struct`, a kernel stack and credentials in guest memory, and the stack of activations that is
 * its continuation. What modules can see (`__state`, `comm`, `pid`, list links) is read from and written to the
 * guest's struct; it exists nowhere else.
 */
export class Task {
  readonly addr: GuestAddr;
  /** Lowest address of the kernel stack, and its size in bytes. */
  readonly stack: GuestAddr;
  readonly stackSize: number;
  readonly activations: Activation[] = [];
  /** A user process (`insmod`), as against a kernel thread. */
  readonly user: boolean;
  /** The work item that a worker runs, for the `Workqueue:` line of dumps. */
  work: { readonly queue: string; readonly func: GuestAddr } | undefined;
  /** Set when the task is gone: its exit code as `wait` would give it. */
  exitCode: number | undefined;
  readonly #k: Kernel;

  constructor(k: Kernel, addr: GuestAddr, stack: GuestAddr, stackSize: number, user: boolean) {
    this.#k = k;
    this.addr = addr;
    this.stack = stack;
    this.stackSize = stackSize;
    this.user = user;
  }

  get pid(): number {
    return this.#k.memory.readI32(asAddr(this.addr + this.#k.layouts.task.pid));
  }

  get comm(): string {
    return this.#k.memory.readString(asAddr(this.addr + this.#k.layouts.task.comm), 16);
  }

  set comm(name: string) {
    const bytes = new Uint8Array(16);
    for (let i = 0; i < Math.min(15, name.length); i++) bytes[i] = name.charCodeAt(i);
    this.#k.memory.writeBytes(asAddr(this.addr + this.#k.layouts.task.comm), bytes);
  }

  /** `__state`: 0 is TASK_RUNNING. */
  get state(): number {
    return this.#k.memory.readU32(asAddr(this.addr + this.#k.layouts.task.state));
  }

  set state(value: number) {
    this.#k.memory.writeU32(asAddr(this.addr + this.#k.layouts.task.state), value);
  }

  get flags(): number {
    return this.#k.memory.readU32(asAddr(this.addr + this.#k.layouts.task.flags));
  }

  set flags(value: number) {
    this.#k.memory.writeU32(asAddr(this.addr + this.#k.layouts.task.flags), value);
  }

  /** Where the first frame starts: below the saved user registers, as `task_pt_regs` has it. */
  get stackTop(): GuestAddr {
    return asAddr(this.stack + this.stackSize - this.#k.layouts.ptRegsSize);
  }
}
