import { TASK } from '../../abi/index.ts';
import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { RAX } from '../../translate/index.ts';
import type { Kernel } from '../kernel.ts';
import { call, type Routine } from './routine.ts';

/** `wait_queue_entry.flags`. Source: include/linux/wait.h. */
const WQ_FLAG_EXCLUSIVE = 1;

/** Wait queues: `struct wait_queue_head` and its entries, linked in guest memory as modules' inline code sees them. */
export class WaitQueues {
  readonly #k: Kernel;
  readonly head: { readonly size: number; readonly lock: number; readonly list: number };
  readonly #entry: {
    readonly flags: number;
    readonly private_: number;
    readonly func: number;
    readonly list: number;
  };

  constructor(k: Kernel) {
    this.#k = k;
    const head = k.spec.types.struct('wait_queue_head');
    this.head = { size: head.size, lock: head.offsetOf('lock'), list: head.offsetOf('head') };
    const entry = k.spec.types.struct('wait_queue_entry');
    this.#entry = {
      flags: entry.offsetOf('flags'),
      private_: entry.offsetOf('private'),
      func: entry.offsetOf('func'),
      list: entry.offsetOf('entry'),
    };
  }

  init(queue: GuestAddr): void {
    this.#k.memory.fill(queue, 0, this.head.size);
    this.#initList(asAddr(queue + this.head.list));
  }

  /** `init_wait_entry`: for the current task, taken off the queue when it is woken. */
  initEntry(entry: GuestAddr, flags: number): void {
    const { memory, sched, natives } = this.#k;
    memory.writeU32(asAddr(entry + this.#entry.flags), flags);
    memory.writePtr(asAddr(entry + this.#entry.private_), sched.current.addr);
    memory.writePtr(asAddr(entry + this.#entry.func), natives.addressOf('autoremove_wake_function'));
    this.#initList(asAddr(entry + this.#entry.list));
  }

  isLinked(entry: GuestAddr): boolean {
    const list = asAddr(entry + this.#entry.list);
    return this.#k.memory.readPtr(list) !== list;
  }

  /** Links an entry: at the front, or at the end for exclusive waiters. */
  add(queue: GuestAddr, entry: GuestAddr, exclusive: boolean): void {
    const { memory } = this.#k;
    const flagsAt = asAddr(entry + this.#entry.flags);
    const flags = memory.readU32(flagsAt);
    memory.writeU32(flagsAt, exclusive ? flags | WQ_FLAG_EXCLUSIVE : flags & ~WQ_FLAG_EXCLUSIVE);
    const head = asAddr(queue + this.head.list);
    const list = asAddr(entry + this.#entry.list);
    const previous = exclusive ? memory.readPtr(asAddr(head + 8)) : head;
    const next = exclusive ? head : memory.readPtr(head);
    memory.writePtr(list, next);
    memory.writePtr(asAddr(list + 8), previous);
    memory.writePtr(previous, list);
    memory.writePtr(asAddr(next + 8), list);
  }

  /** `list_del_init`. */
  remove(entry: GuestAddr): void {
    const { memory } = this.#k;
    const list = asAddr(entry + this.#entry.list);
    const next = memory.readPtr(list);
    const previous = memory.readPtr(asAddr(list + 8));
    memory.writePtr(previous, next);
    memory.writePtr(asAddr(next + 8), previous);
    this.#initList(list);
  }

  /** `__wake_up`: calls each entry's function; `exclusive` of those that are, 0 for all. */
  *wake(queue: GuestAddr, mode: number, exclusive: number, key: GuestAddr): Routine<void> {
    const { memory, cpu } = this.#k;
    const head = asAddr(queue + this.head.list);
    let left = exclusive;
    for (let at = memory.readPtr(head); at !== head; ) {
      const next = memory.readPtr(at);
      const entry = asAddr(at - this.#entry.list);
      const flags = memory.readU32(asAddr(entry + this.#entry.flags));
      yield* call(memory.readPtr(asAddr(entry + this.#entry.func)), entry, mode, 0, key);
      const woken = cpu.regs.i32(RAX);
      if (woken < 0) return;
      if (woken !== 0 && flags & WQ_FLAG_EXCLUSIVE && --left === 0) return;
      at = next;
    }
  }

  /** `default_wake_function`: wakes the task that the entry is of. */
  wakeTask(entry: GuestAddr, mode: number): boolean {
    const addr = this.#k.memory.readPtr(asAddr(entry + this.#entry.private_));
    const task = addr === NULL ? undefined : this.#k.sched.tasks.get(addr);
    return task !== undefined && this.#k.sched.wakeUp(task, mode & TASK.TASK_NORMAL || mode);
  }

  #initList(list: GuestAddr): void {
    this.#k.memory.writePtr(list, list);
    this.#k.memory.writePtr(asAddr(list + 8), list);
  }
}
