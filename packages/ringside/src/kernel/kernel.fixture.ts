import { asAddr, type GuestAddr } from '../bytes/index.ts';
import { type BootOptions, boot, type Machine } from '../machine/index.ts';
import { builtInSpecPath, openSpecFile } from '../node/index.ts';
import { RAX } from '../translate/index.ts';
import { call, type Routine } from './sched/routine.ts';
import type { Task } from './sched/task.ts';

/** A small machine on the built-in kernel, with its log as lines. */
export async function smallMachine(
  options: Partial<BootOptions> = {},
): Promise<{ readonly machine: Machine; readonly log: string[] }> {
  const log: string[] = [];
  const machine = await boot({
    spec: openSpecFile(builtInSpecPath()),
    memoryMb: 32,
    onLog: (record) => log.push(record.text),
    ...options,
  });
  return { machine, log };
}

/** Calls the kernel function `name` as guest code does; its result as an address or signed number. */
export function* native(machine: Machine, name: string, ...args: (number | bigint)[]): Routine<GuestAddr> {
  const { kernel } = machine;
  yield* call(kernel.natives.addressOf(name), ...args);
  return asAddr(kernel.cpu.regs.addr(RAX));
}

/** Starts `body` as a task of its own. */
export function spawn(machine: Machine, body: () => Routine<void>): Task {
  const task = machine.kernel.fork.createKthread('test');
  machine.kernel.sched.start(task, body());
  return task;
}

/** Runs `body` in a task until nothing is left to happen. */
export async function inTask(machine: Machine, body: () => Routine<void>): Promise<Task> {
  const task = spawn(machine, body);
  await machine.advance();
  return task;
}
