import { PAGE, PF, SCHED } from '../../abi/index.ts';
import { asAddr, type GuestAddr, InvariantError, NULL } from '../../bytes/index.ts';
import { PROT_RW } from '../../memory/index.ts';
import type { Kernel } from '../kernel.ts';
import { Task } from './task.ts';
import { TASK_FIELDS } from './task-fields.ts';

/** Creates tasks: the struct, the stack, the links between them. */
export class Fork {
  readonly #k: Kernel;
  /** 1 is the init process, which has no task here before there are user processes. */
  #nextPid = 2;
  /** Addresses of tasks' list links, newest last; the guest's list is the truth, this is its tail. */
  #tail: GuestAddr = NULL;

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** The idle task of CPU 0: `init_task`, at the image's address. */
  createIdle(addr: GuestAddr): Task {
    const task = this.#create(addr, 0, 'swapper/0', false);
    const { memory, layouts } = this.#k;
    const link = asAddr(addr + layouts.task.tasks);
    memory.writePtr(link, link);
    memory.writePtr(asAddr(link + 8), link);
    this.#tail = link;
    task.flags = PF.PF_KTHREAD;
    return task;
  }

  /** A kernel thread, not yet started. */
  createKthread(name: string): Task {
    const task = this.#allocate(name, false);
    task.flags = PF.PF_KTHREAD;
    return task;
  }

  /** A task that stands for a user process. */
  createProcess(name: string): Task {
    return this.#allocate(name, true);
  }

  /** Frees the struct and the stack of a task that is gone; what it held otherwise stays held. */
  release(task: Task): void {
    const { memory, layouts, vmalloc } = this.#k;
    if (task === this.#k.sched.idle) throw new InvariantError('the idle task does not end');
    const link = asAddr(task.addr + layouts.task.tasks);
    const next = memory.readPtr(link);
    const previous = memory.readPtr(asAddr(link + 8));
    memory.writePtr(previous, next);
    memory.writePtr(asAddr(next + 8), previous);
    if (this.#tail === link) this.#tail = previous;
    vmalloc.free(task.stack);
    this.#k.provided.close(task.addr);
    this.#k.slab.free(task.addr, this.#k.tracks.site());
  }

  #allocate(name: string, user: boolean): Task {
    const { slab, taskCache, memory, layouts } = this.#k;
    const object = slab.alloc(taskCache, taskCache.objectSize, true, this.#k.tracks.site());
    if (object === undefined) throw new InvariantError('no memory for a task');
    const task = this.#create(object.addr, this.#nextPid++, name, user);
    const link = asAddr(object.addr + layouts.task.tasks);
    const next = memory.readPtr(this.#tail);
    memory.writePtr(link, next);
    memory.writePtr(asAddr(link + 8), this.#tail);
    memory.writePtr(this.#tail, link);
    memory.writePtr(asAddr(next + 8), link);
    this.#tail = link;
    return task;
  }

  #create(addr: GuestAddr, pid: number, name: string, user: boolean): Task {
    const k = this.#k;
    const { memory, layouts } = k;
    const stack = k.vmalloc.alloc(PAGE.THREAD_SIZE, PROT_RW);
    if (stack === undefined) throw new InvariantError('no memory for a kernel stack');
    const task = new Task(k, addr, stack, PAGE.THREAD_SIZE, user);
    const at = (offset: number) => asAddr(addr + offset);
    memory.writeU32(at(layouts.task.pid), pid);
    memory.writeU32(at(layouts.task.tgid), pid);
    memory.writeU32(at(layouts.task.usage), 2);
    for (const field of ['prio', 'staticPrio', 'normalPrio'] as const)
      memory.writeU32(at(layouts.task[field]), SCHED.DEFAULT_PRIO);
    memory.writePtr(at(layouts.task.stack), stack);
    memory.writePtr(at(layouts.task.groupLeader), addr);
    const parent = k.sched.idle?.addr ?? addr;
    memory.writePtr(at(layouts.task.parent), parent);
    memory.writePtr(at(layouts.task.realParent), parent);
    memory.writePtr(at(layouts.task.cred), k.initCred);
    memory.writePtr(at(layouts.task.realCred), k.initCred);
    memory.writePtr(at(layouts.task.nsproxy), k.initNsproxy);
    memory.writeU64(at(layouts.task.startTime), BigInt(Math.floor(k.clock.nowNs)));
    memory.writeU64(at(layouts.task.startBoottime), BigInt(Math.floor(k.clock.nowNs)));
    memory.writeU32(at(layouts.task.cpusAllowed), k.percpu.cpuBases.length);
    // a kernel thread has no user memory, and its NULL says so
    k.provided.open(addr, 'task_struct', user ? TASK_FIELDS : [...TASK_FIELDS, 'mm', 'active_mm']);
    task.comm = name;
    k.sched.tasks.set(addr, task);
    return task;
  }
}
