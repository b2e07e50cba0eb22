import { LOGLEVEL } from '../../abi/index.ts';
import { type GuestAddr, NULL } from '../../bytes/index.ts';
import type { LoadInfo } from './load-info.ts';
import type { Module } from './module.ts';
import type { ModuleMember, ModuleStructs } from './module-struct.ts';

type EntrySize = number | keyof ModuleStructs['entrySize'];

/** Tables that modules bring along: section, entry size, and the members of struct module that get address and count. */
const TABLES: readonly (readonly [
  section: string,
  entry: EntrySize,
  at: ModuleMember,
  count: ModuleMember,
])[] = [
  ['__param', 'kernel_param', 'kp', 'num_kp'],
  ['__ksymtab', 'kernel_symbol', 'syms', 'num_syms'],
  ['__ksymtab_gpl', 'kernel_symbol', 'gpl_syms', 'num_gpl_syms'],
  ['.noinstr.text', 1, 'noinstr_text_start', 'noinstr_text_size'],
  ['__tracepoints_ptrs', 4, 'tracepoints_ptrs', 'num_tracepoints'],
  ['___srcu_struct_ptrs', 8, 'srcu_struct_ptrs', 'num_srcu_structs'],
  ['__bpf_raw_tp_map', 'bpf_raw_event_map', 'bpf_raw_events', 'num_bpf_raw_events'],
  ['__jump_table', 'jump_entry', 'jump_entries', 'num_jump_entries'],
  ['_ftrace_events', 8, 'trace_events', 'num_trace_events'],
  ['_ftrace_eval_map', 8, 'trace_evals', 'num_trace_evals'],
  ['__trace_printk_fmt', 8, 'trace_bprintk_fmt_start', 'num_trace_bprintk_fmt'],
  ['__mcount_loc', 8, 'ftrace_callsites', 'num_ftrace_callsites'],
  ['.kprobes.text', 1, 'kprobes_text_start', 'kprobes_text_size'],
  ['_kprobe_blacklist', 8, 'kprobe_blacklist', 'num_kprobe_blacklist'],
  ['.static_call_sites', 'static_call_site', 'static_call_sites', 'num_static_call_sites'],
  ['__ex_table', 'exception_table_entry', 'extable', 'num_exentries'],
];

/**
 * Writes address and length of every table the module brings into its struct. Source: kernel/module/main.c,
 * find_module_sections, with Debian's configuration.
 */
export function findModuleSections(info: LoadInfo, module: Module): void {
  for (const [name, entry, at, count] of TABLES) {
    const index = info.findSec(name);
    const section = info.section(index);
    const size = typeof entry === 'number' ? entry : info.structs.entrySize[entry];
    module.setPtr(at, index === 0 ? NULL : (section.addr ?? NULL));
    module.setU32(count, index === 0 ? 0 : Math.floor(section.size / size));
  }
  module.setPtr('crcs', sectionAddr(info, '__kcrctab'));
  module.setPtr('gpl_crcs', sectionAddr(info, '__kcrctab_gpl'));
  // .BTF is not loaded: its address is that of the copy, which is gone when init has run
  const btf = info.findAnySec('.BTF');
  module.setU32('btf_data_size', btf === 0 ? 0 : info.section(btf).size);
  if (sectionAddr(info, '__obsparm') !== NULL) {
    info.host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${module.name}: Ignoring obsolete parameters`);
  }
}

/** `section_addr`: where a loaded section is, NULL when the module has none of this name. */
export function sectionAddr(info: LoadInfo, name: string): GuestAddr {
  const index = info.findSec(name);
  return index === 0 ? NULL : (info.section(index).addr ?? NULL);
}
