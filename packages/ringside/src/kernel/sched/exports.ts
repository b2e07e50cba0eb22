import { TASK } from '../../abi/index.ts';
import { asAddr, NULL } from '../../bytes/index.ts';
import { data, type ExportTable, fn, partial } from '../exports.ts';

/** kernel/sched/core.c, kernel/fork.c, kernel/cpu.c, arch/x86/kernel/setup_percpu.c */
export const schedExports: ExportTable = {
  init_task: data('struct task_struct init_task', () => {
    // set up when the idle task is made: the scheduler needs it before any export
  }),
  schedule: fn('void schedule(void)', function* () {
    yield { kind: 'schedule' };
  }),
  __cond_resched: fn('int __cond_resched(void)', function* (k) {
    if (!k.sched.hasReady) return 0;
    yield { kind: 'schedule' };
    return 1;
  }),
  yield: fn('void yield(void)', function* (k) {
    k.sched.current.state = TASK.TASK_RUNNING;
    yield { kind: 'schedule' };
  }),
  wake_up_process: fn('int wake_up_process(struct task_struct *p)', (k) => {
    const task = k.sched.tasks.get(k.args.addr(0));
    return task === undefined ? 0 : k.sched.wakeUp(task, TASK.TASK_NORMAL) ? 1 : 0;
  }),
  preempt_schedule: partial(
    'void preempt_schedule(void)',
    'does not switch: the preemption model is voluntary',
    () => undefined,
  ),
  preempt_schedule_notrace: partial(
    'void preempt_schedule_notrace(void)',
    'does not switch: the preemption model is voluntary',
    () => undefined,
  ),
  __per_cpu_offset: data('unsigned long __per_cpu_offset[NR_CPUS]', (k, addr) => {
    for (const [cpu, base] of k.percpu.cpuBases.entries()) k.memory.writePtr(asAddr(addr + 8 * cpu), base);
  }),
  nr_cpu_ids: data('unsigned int nr_cpu_ids', (k, addr) => k.memory.writeU32(addr, k.percpu.cpuBases.length)),
  __cpu_possible_mask: data('struct cpumask __cpu_possible_mask', (k, addr) =>
    k.memory.writeU32(addr, k.cpuMask),
  ),
  __cpu_online_mask: data('struct cpumask __cpu_online_mask', (k, addr) =>
    k.memory.writeU32(addr, k.cpuMask),
  ),
  __cpu_present_mask: data('struct cpumask __cpu_present_mask', (k, addr) =>
    k.memory.writeU32(addr, k.cpuMask),
  ),
  __cpu_active_mask: data('struct cpumask __cpu_active_mask', (k, addr) =>
    k.memory.writeU32(addr, k.cpuMask),
  ),
  __num_online_cpus: data('atomic_t __num_online_cpus', (k, addr) =>
    k.memory.writeU32(addr, k.percpu.cpuBases.length),
  ),
  init_uts_ns: data('struct uts_namespace init_uts_ns', (k, addr) => {
    const layout = k.spec.types.struct('uts_namespace');
    const put = (field: string, text: string) =>
      k.memory.writeBytes(asAddr(addr + layout.offsetOf(`name.${field}`)), new TextEncoder().encode(text));
    put('sysname', 'Linux');
    put('nodename', '(none)');
    put('release', k.spec.release);
    put('version', k.spec.version);
    put('machine', k.spec.machine);
    put('domainname', '(none)');
  }),
  __task_pid_nr_ns: fn(
    'pid_t __task_pid_nr_ns(struct task_struct *task, enum pid_type type, struct pid_namespace *ns)',
    (k) => (k.args.addr(0) === NULL ? 0 : k.memory.readI32(asAddr(k.args.addr(0) + k.layouts.task.pid))),
  ),
};
