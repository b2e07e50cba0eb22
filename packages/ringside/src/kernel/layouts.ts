import type { Btf } from '../btf/index.ts';

/**
 * Offsets that the kernel's core uses all the time, read from the image's BTF once. Structs of a subsystem that
 * only it uses are looked up there.
 */
export interface Layouts {
  readonly task: {
    readonly size: number;
    readonly pid: number;
    readonly tgid: number;
    readonly comm: number;
    readonly state: number;
    readonly flags: number;
    readonly stack: number;
    readonly tasks: number;
    readonly groupLeader: number;
    readonly parent: number;
    readonly realParent: number;
    readonly cpu: number;
    readonly usage: number;
    readonly prio: number;
    readonly staticPrio: number;
    readonly normalPrio: number;
    readonly cred: number;
    readonly realCred: number;
    readonly threadInfoFlags: number;
    readonly nsproxy: number;
    readonly startTime: number;
    readonly startBoottime: number;
    readonly cpusAllowed: number;
  };
  readonly ptRegsSize: number;
}

export function readLayouts(types: Btf): Layouts {
  const task = types.struct('task_struct');
  return {
    task: {
      size: task.size,
      pid: task.offsetOf('pid'),
      tgid: task.offsetOf('tgid'),
      comm: task.offsetOf('comm'),
      state: task.offsetOf('__state'),
      flags: task.offsetOf('flags'),
      stack: task.offsetOf('stack'),
      tasks: task.offsetOf('tasks'),
      groupLeader: task.offsetOf('group_leader'),
      parent: task.offsetOf('parent'),
      realParent: task.offsetOf('real_parent'),
      cpu: task.offsetOf('thread_info.cpu'),
      usage: task.offsetOf('usage'),
      prio: task.offsetOf('prio'),
      staticPrio: task.offsetOf('static_prio'),
      normalPrio: task.offsetOf('normal_prio'),
      cred: task.offsetOf('cred'),
      realCred: task.offsetOf('real_cred'),
      threadInfoFlags: task.offsetOf('thread_info.flags'),
      nsproxy: task.offsetOf('nsproxy'),
      startTime: task.offsetOf('start_time'),
      startBoottime: task.offsetOf('start_boottime'),
      cpusAllowed: task.offsetOf('nr_cpus_allowed'),
    },
    ptRegsSize: types.struct('pt_regs').size,
  };
}
