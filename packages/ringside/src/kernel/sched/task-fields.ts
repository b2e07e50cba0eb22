/**
 * Members of `task_struct` that tell the truth here: those that `Fork` fills, and those whose 0 is right because what
 * they count or point to does not exist.
 */
export const TASK_FIELDS: readonly string[] = [
  'thread_info',
  '__state',
  'stack',
  'usage',
  'flags',
  'ptrace',
  'on_cpu',
  'prio',
  'static_prio',
  'normal_prio',
  'rt_priority',
  'policy',
  'nr_cpus_allowed',
  'tasks',
  'exit_state',
  'exit_code',
  'exit_signal',
  'pdeath_signal',
  'jobctl',
  'personality',
  'pid',
  'tgid',
  'real_parent',
  'parent',
  'group_leader',
  'start_time',
  'start_boottime',
  'real_cred',
  'cred',
  'comm',
  'nsproxy',
  'journal_info',
  'bio_list',
  'plug',
  'io_context',
  'vfork_done',
];

/** Members of `cred` that are right for root: all IDs are 0. */
export const CRED_FIELDS: readonly string[] = [
  'usage',
  'uid',
  'gid',
  'suid',
  'sgid',
  'euid',
  'egid',
  'fsuid',
  'fsgid',
  'securebits',
];

export const NSPROXY_FIELDS: readonly string[] = ['count', 'uts_ns'];
