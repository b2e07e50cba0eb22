/** Modules. Source: include/uapi/linux/module.h, include/linux/moduleparam.h, include/linux/module.h. */
export const MODULE = {
  MODULE_INIT_IGNORE_MODVERSIONS: 1,
  MODULE_INIT_IGNORE_VERMAGIC: 2,
  MODULE_INIT_COMPRESSED_FILE: 4,
  MODULE_NAME_LEN: 56,
  KSYM_NAME_LEN: 512,
  KSYM_SYMBOL_LEN: 666,
  TASK_COMM_LEN: 16,
  KMOD_PATH_LEN: 256,
  __NEW_UTS_LEN: 64,
} as const;

/** Flags of a module parameter. Source: include/linux/moduleparam.h. */
export const KERNEL_PARAM = {
  KERNEL_PARAM_OPS_FL_NOARG: 1,
  KERNEL_PARAM_FL_UNSAFE: 1,
  KERNEL_PARAM_FL_HWPARAM: 2,
} as const;

/** What a notifier returns. Source: include/linux/notifier.h. */
export const NOTIFY = {
  NOTIFY_DONE: 0,
  NOTIFY_OK: 1,
  NOTIFY_STOP_MASK: 32768,
  NOTIFY_BAD: 32770,
  NOTIFY_STOP: 32769,
} as const;

/**
 * Sections of a module file that the loader knows by name.
 * Source: kernel/module/main.c, arch/x86/kernel/module.c, scripts/module.lds.S.
 */
export const MODULE_SECTION = {
  thisModule: '.gnu.linkonce.this_module',
  modinfo: '.modinfo',
  versions: '__versions',
  params: '__param',
  modver: '__modver',
  exports: '__ksymtab',
  gplExports: '__ksymtab_gpl',
  exportStrings: '__ksymtab_strings',
  crcs: '__kcrctab',
  gplCrcs: '__kcrctab_gpl',
  exceptionTable: '__ex_table',
  bugTable: '__bug_table',
  jumpTable: '__jump_table',
  alternatives: '.altinstructions',
  alternativeReplacements: '.altinstr_replacement',
  retpolineSites: '.retpoline_sites',
  returnSites: '.return_sites',
  callSites: '.call_sites',
  smpLocks: '.smp_locks',
  paravirtSites: '.parainstructions',
  staticCallSites: '.static_call_sites',
  staticCallTrampolines: '.static_call.text',
  ftraceSites: '__mcount_loc',
  orcIp: '.orc_unwind_ip',
  orc: '.orc_unwind',
  dynamicDebug: '__dyndbg',
  tracepoints: '__tracepoints_ptrs',
  traceEvents: '_ftrace_events',
  traceEvalMaps: '_ftrace_eval_map',
  tracePrintkFormats: '__trace_printk_fmt',
  bpfRawTracepoints: '__bpf_raw_tp_map',
  srcuStructs: '___srcu_struct_ptrs',
  kprobeBlacklist: '_kprobe_blacklist',
  kprobesText: '.kprobes.text',
  noinstrText: '.noinstr.text',
  errorInjection: '_error_injection_whitelist',
  perCpu: '.data..percpu',
  readOnlyAfterInit: '.data..ro_after_init',
  initText: '.init.text',
  exitText: '.exit.text',
  its: '.its_pages',
  btf: '.BTF',
  alternativeAux: '.altinstr_aux',
} as const;
