import type { Btf } from '../../btf/index.ts';

/** Members of `struct module` that the loader reads or writes; a kernel without one of them cannot load modules here. */
const MEMBERS = [
  'state',
  'list',
  'name',
  'version',
  'srcversion',
  'syms',
  'crcs',
  'num_syms',
  'param_lock',
  'kp',
  'num_kp',
  'num_gpl_syms',
  'gpl_syms',
  'gpl_crcs',
  'using_gplonly_symbols',
  'sig_ok',
  'async_probe_requested',
  'num_exentries',
  'extable',
  'init',
  'core_layout',
  'init_layout',
  'taints',
  'num_bugs',
  'bug_list',
  'bug_table',
  'kallsyms',
  'core_kallsyms',
  'args',
  'percpu',
  'percpu_size',
  'noinstr_text_start',
  'noinstr_text_size',
  'num_tracepoints',
  'tracepoints_ptrs',
  'num_srcu_structs',
  'srcu_struct_ptrs',
  'num_bpf_raw_events',
  'bpf_raw_events',
  'btf_data_size',
  'btf_data',
  'jump_entries',
  'num_jump_entries',
  'num_trace_bprintk_fmt',
  'trace_bprintk_fmt_start',
  'trace_events',
  'num_trace_events',
  'trace_evals',
  'num_trace_evals',
  'num_ftrace_callsites',
  'ftrace_callsites',
  'kprobes_text_start',
  'kprobes_text_size',
  'kprobe_blacklist',
  'num_kprobe_blacklist',
  'num_static_call_sites',
  'static_call_sites',
  'klp',
  'source_list',
  'target_list',
  'exit',
  'refcnt',
] as const;

export type ModuleMember = (typeof MEMBERS)[number];

/** Where things are in the guest structs of the module subsystem: read from the image's BTF once per kernel. */
export interface ModuleStructs {
  /** `sizeof(struct module)` */
  readonly size: number;
  readonly alignment: number;
  readonly module: Readonly<Record<ModuleMember, number>>;
  /** `sizeof(module.name)`: MODULE_NAME_LEN. */
  readonly nameSize: number;
  readonly layout: Readonly<Record<'base' | 'size' | 'text_size' | 'ro_size' | 'ro_after_init_size', number>>;
  readonly kallsyms: Readonly<Record<'symtab' | 'num_symtab' | 'strtab' | 'typetab', number>> & {
    readonly size: number;
  };
  readonly use: Readonly<Record<'source_list' | 'target_list' | 'source' | 'target', number>> & {
    readonly size: number;
  };
  readonly arch: Readonly<Record<'num_orcs' | 'orc_unwind_ip' | 'orc_unwind', number>>;
  /** `sizeof` of the entries of tables that modules bring along. */
  readonly entrySize: Readonly<
    Record<
      | 'kernel_param'
      | 'kernel_symbol'
      | 'exception_table_entry'
      | 'bug_entry'
      | 'jump_entry'
      | 'static_call_site'
      | 'bpf_raw_event_map'
      | 'modversion_info'
      | 'alt_instr'
      | 'orc_entry'
      | 'paravirt_patch_site',
      number
    >
  >;
  readonly state: Readonly<Record<'live' | 'coming' | 'going' | 'unformed', number>>;
}

const cache = new WeakMap<Btf, ModuleStructs>();

export function moduleStructs(types: Btf): ModuleStructs {
  let structs = cache.get(types);
  if (structs === undefined) {
    structs = read(types);
    cache.set(types, structs);
  }
  return structs;
}

function read(types: Btf): ModuleStructs {
  const module = types.struct('module');
  const offsets = <const K extends string>(
    name: string,
    members: readonly K[],
    base = 0,
  ): Record<K, number> => {
    const layout = types.struct(name);
    return Object.fromEntries(members.map((m) => [m, base + layout.offsetOf(m)])) as Record<K, number>;
  };
  const size = (name: string): number => types.struct(name).size;
  return {
    size: module.size,
    // struct module is ____cacheline_aligned, which BTF does not tell
    alignment: 64,
    module: offsets('module', MEMBERS),
    nameSize: module.member('name').sizeBytes,
    layout: offsets('module_layout', ['base', 'size', 'text_size', 'ro_size', 'ro_after_init_size']),
    kallsyms: {
      ...offsets('mod_kallsyms', ['symtab', 'num_symtab', 'strtab', 'typetab']),
      size: size('mod_kallsyms'),
    },
    use: {
      ...offsets('module_use', ['source_list', 'target_list', 'source', 'target']),
      size: size('module_use'),
    },
    arch: offsets('mod_arch_specific', ['num_orcs', 'orc_unwind_ip', 'orc_unwind'], module.offsetOf('arch')),
    entrySize: {
      kernel_param: size('kernel_param'),
      kernel_symbol: size('kernel_symbol'),
      exception_table_entry: size('exception_table_entry'),
      bug_entry: size('bug_entry'),
      jump_entry: size('jump_entry'),
      static_call_site: size('static_call_site'),
      bpf_raw_event_map: size('bpf_raw_event_map'),
      modversion_info: size('modversion_info'),
      alt_instr: size('alt_instr'),
      orc_entry: size('orc_entry'),
      paravirt_patch_site: size('paravirt_patch_site'),
    },
    state: {
      live: types.enumValue('MODULE_STATE_LIVE'),
      coming: types.enumValue('MODULE_STATE_COMING'),
      going: types.enumValue('MODULE_STATE_GOING'),
      unformed: types.enumValue('MODULE_STATE_UNFORMED'),
    },
  };
}
