import { asAddr } from '../../bytes/index.ts';
import { type DataExport, data } from '../exports.ts';

/**
 * The functions behind `pv_ops` on a machine without a paravirtualising hypervisor, by member. Members left out do
 * nothing (`_paravirt_nop`) or give back their argument. Source: arch/x86/kernel/paravirt.c; read out of the real
 * kernel under QEMU.
 */
const FUNCTIONS: Readonly<Record<string, string>> = {
  'cpu.io_delay': 'native_io_delay',
  'cpu.get_debugreg': 'pv_native_get_debugreg',
  'cpu.set_debugreg': 'pv_native_set_debugreg',
  'cpu.read_cr0': 'native_read_cr0',
  'cpu.write_cr0': 'native_write_cr0',
  'cpu.write_cr4': 'native_write_cr4',
  'cpu.load_tr_desc': 'native_load_tr_desc',
  'cpu.load_gdt': 'native_load_gdt',
  'cpu.load_idt': 'native_load_idt',
  'cpu.set_ldt': 'native_set_ldt',
  'cpu.store_tr': 'native_store_tr',
  'cpu.load_tls': 'native_load_tls',
  'cpu.load_gs_index': 'native_load_gs_index',
  'cpu.write_ldt_entry': 'native_write_ldt_entry',
  'cpu.write_gdt_entry': 'native_write_gdt_entry',
  'cpu.write_idt_entry': 'native_write_idt_entry',
  'cpu.load_sp0': 'native_load_sp0',
  'cpu.invalidate_io_bitmap': 'native_tss_invalidate_io_bitmap',
  'cpu.update_io_bitmap': 'native_tss_update_io_bitmap',
  'cpu.wbinvd': 'native_wbinvd',
  'cpu.cpuid': 'native_cpuid',
  'cpu.read_msr': 'native_read_msr',
  'cpu.write_msr': 'native_write_msr',
  'cpu.read_msr_safe': 'native_read_msr_safe',
  'cpu.write_msr_safe': 'native_write_msr_safe',
  'cpu.read_pmc': 'native_read_pmc',
  'irq.save_fl': 'native_save_fl',
  'irq.irq_disable': 'pv_native_irq_disable',
  'irq.irq_enable': 'pv_native_irq_enable',
  'irq.safe_halt': 'native_safe_halt',
  'irq.halt': 'native_halt',
  'mmu.flush_tlb_user': 'native_flush_tlb_local',
  'mmu.flush_tlb_kernel': 'native_flush_tlb_global',
  'mmu.flush_tlb_one_user': 'native_flush_tlb_one_user',
  'mmu.flush_tlb_multi': 'native_flush_tlb_multi',
  'mmu.tlb_remove_table': 'tlb_remove_page',
  'mmu.read_cr2': 'pv_native_read_cr2',
  'mmu.write_cr2': 'pv_native_write_cr2',
  'mmu.read_cr3': '__native_read_cr3',
  'mmu.write_cr3': 'native_write_cr3',
  'mmu.pgd_alloc': '__paravirt_pgd_alloc',
  'mmu.set_pte': 'native_set_pte',
  'mmu.set_pmd': 'native_set_pmd',
  'mmu.ptep_modify_prot_start': '__ptep_modify_prot_start',
  'mmu.ptep_modify_prot_commit': '__ptep_modify_prot_commit',
  'mmu.pte_val': '_paravirt_ident_64',
  'mmu.make_pte': '_paravirt_ident_64',
  'mmu.pgd_val': '_paravirt_ident_64',
  'mmu.make_pgd': '_paravirt_ident_64',
  'mmu.set_pud': 'native_set_pud',
  'mmu.pmd_val': '_paravirt_ident_64',
  'mmu.make_pmd': '_paravirt_ident_64',
  'mmu.pud_val': '_paravirt_ident_64',
  'mmu.make_pud': '_paravirt_ident_64',
  'mmu.set_p4d': 'native_set_p4d',
  'mmu.p4d_val': '_paravirt_ident_64',
  'mmu.make_p4d': '_paravirt_ident_64',
  'mmu.set_pgd': 'native_set_pgd',
  'mmu.set_fixmap': 'native_set_fixmap',
  'lock.queued_spin_lock_slowpath': 'native_queued_spin_lock_slowpath',
  'lock.queued_spin_unlock': '__raw_callee_save___native_queued_spin_unlock',
  'lock.vcpu_is_preempted': '__raw_callee_save___native_vcpu_is_preempted',
};

/** `pv_ops`: a table of function pointers, each slot filled. */
export const pvOps: DataExport = data('struct paravirt_patch_template pv_ops', (k, addr) => {
  const { memory, spec } = k;
  const layout = spec.types.struct('paravirt_patch_template');
  const nop = spec.symbols.lookup('_paravirt_nop')?.address;
  if (nop === undefined) return;
  for (let at = 0; at < layout.size; at += 8) memory.writePtr(asAddr(addr + at), nop);
  for (const [member, name] of Object.entries(FUNCTIONS)) {
    const place = layout.find(member);
    const target = spec.symbols.lookup(name)?.address;
    if (place !== undefined && target !== undefined) memory.writePtr(asAddr(addr + place.offset), target);
  }
});
