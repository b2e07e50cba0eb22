/**
 * The machine that Ringside presents: QEMU's default PC with its default CPU, which is also what conformance is
 * recorded on. Values are those the guest of such a machine reads.
 */
export const MACHINE_MODEL = {
  /** DMI system vendor, product, BIOS version and date, as an oops prints them. */
  hardwareName: 'QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014',
  /** CR0 with PE MP ET NE WP AM PG. */
  cr0: 0x8005_0033n,
  /** CR4 with PSE PAE MCE PGE PSE, OSFXSR, OSXMMEXCPT. */
  cr4: 0x6f0n,
  /** Physical address of the top page table. `Deviation:` there are no page tables; the value is a place in RAM. */
  cr3: 0x10_0000n,
  /** Page table isolation is off: the CPU is not among those that leak. */
  pti: false,
} as const;

/** Kernel segment selectors. Source: arch/x86/include/asm/segment.h. */
export const KERNEL_CS = 0x10;
export const KERNEL_DS = 0x18;
