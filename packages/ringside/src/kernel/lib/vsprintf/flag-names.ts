import { GFP, VM } from '../../../abi/index.ts';
import type { FlagName, FlagTables, PageFlagField } from './services.ts';

/** What the tables depend on beyond macros: enumerators and configuration of the image. */
export interface FlagFacts {
  findEnumValue(enumerator: string): number | undefined;
  /** A configuration option's value, by full name. */
  config(name: string): string | undefined;
}

/** Most bits first, so that a combination is named before its parts. Source: include/trace/events/mmflags.h. */
const GFP_NAMES = [
  'GFP_TRANSHUGE',
  'GFP_TRANSHUGE_LIGHT',
  'GFP_HIGHUSER_MOVABLE',
  'GFP_HIGHUSER',
  'GFP_USER',
  'GFP_KERNEL_ACCOUNT',
  'GFP_KERNEL',
  'GFP_NOFS',
  'GFP_ATOMIC',
  'GFP_NOIO',
  'GFP_NOWAIT',
  'GFP_DMA',
  '__GFP_HIGHMEM',
  'GFP_DMA32',
  '__GFP_HIGH',
  '__GFP_ATOMIC',
  '__GFP_IO',
  '__GFP_FS',
  '__GFP_NOWARN',
  '__GFP_RETRY_MAYFAIL',
  '__GFP_NOFAIL',
  '__GFP_NORETRY',
  '__GFP_COMP',
  '__GFP_ZERO',
  '__GFP_NOMEMALLOC',
  '__GFP_MEMALLOC',
  '__GFP_HARDWALL',
  '__GFP_THISNODE',
  '__GFP_RECLAIMABLE',
  '__GFP_MOVABLE',
  '__GFP_ACCOUNT',
  '__GFP_WRITE',
  '__GFP_RECLAIM',
  '__GFP_DIRECT_RECLAIM',
  '__GFP_KSWAPD_RECLAIM',
  '__GFP_ZEROTAGS',
] as const satisfies readonly (keyof typeof GFP)[];

/** The bits of `vm_flags` with the names that are printed, in the kernel's order. Source: mmflags.h. */
const VMA_NAMES: readonly (readonly [name: string, mask: number, config?: string])[] = [
  ['read', VM.VM_READ],
  ['write', VM.VM_WRITE],
  ['exec', VM.VM_EXEC],
  ['shared', VM.VM_SHARED],
  ['mayread', VM.VM_MAYREAD],
  ['maywrite', VM.VM_MAYWRITE],
  ['mayexec', VM.VM_MAYEXEC],
  ['mayshare', VM.VM_MAYSHARE],
  ['growsdown', VM.VM_GROWSDOWN],
  ['uffd_missing', VM.VM_UFFD_MISSING],
  ['uffd_minor', VM.VM_UFFD_MINOR, 'CONFIG_HAVE_ARCH_USERFAULTFD_MINOR'],
  ['pfnmap', VM.VM_PFNMAP],
  ['uffd_wp', VM.VM_UFFD_WP],
  ['locked', VM.VM_LOCKED],
  ['io', VM.VM_IO],
  ['seqread', VM.VM_SEQ_READ],
  ['randread', VM.VM_RAND_READ],
  ['dontcopy', VM.VM_DONTCOPY],
  ['dontexpand', VM.VM_DONTEXPAND],
  ['lockonfault', VM.VM_LOCKONFAULT],
  ['account', VM.VM_ACCOUNT],
  ['noreserve', VM.VM_NORESERVE],
  ['hugetlb', VM.VM_HUGETLB],
  ['sync', VM.VM_SYNC],
  ['pat', VM.VM_ARCH_1],
  ['wipeonfork', VM.VM_WIPEONFORK],
  ['dontdump', VM.VM_DONTDUMP],
  ['softdirty', VM.VM_SOFTDIRTY, 'CONFIG_MEM_SOFT_DIRTY'],
  ['mixedmap', VM.VM_MIXEDMAP],
  ['hugepage', VM.VM_HUGEPAGE],
  ['nohugepage', VM.VM_NOHUGEPAGE],
  ['mergeable', VM.VM_MERGEABLE],
];

/** The named page flags, in the order they are printed: enumerators `PG_<name>`. Source: mmflags.h. */
const PAGE_NAMES = [
  'locked waiters error referenced uptodate dirty lru active workingset slab owner_priv_1 arch_1 reserved private',
  'private_2 writeback head mappedtodisk reclaim swapbacked unevictable mlocked uncached hwpoison young idle arch_2',
]
  .join(' ')
  .split(' ');

function log2Ceil(value: number): number {
  return Math.ceil(Math.log2(value));
}

/** Where zone, node and last CPU are kept in `page->flags`. Source: include/linux/page-flags-layout.h. */
function pageFields(facts: FlagFacts, flagBits: number): PageFlagField[] {
  const enabled = (name: string): boolean => facts.config(name) === 'y';
  const zones = log2Ceil(facts.findEnumValue('__MAX_NR_ZONES') ?? 1);
  const nodes = Number(facts.config('CONFIG_NODES_SHIFT') ?? 0);
  // MAX_NR_GENS is 4: five values, in three bits.
  const generations = enabled('CONFIG_LRU_GEN') ? 3 : 0;
  const cpuid = enabled('CONFIG_NUMA_BALANCING')
    ? 8 + log2Ceil(Number(facts.config('CONFIG_NR_CPUS') ?? 1))
    : 0;
  const lastCpupid = zones + generations + nodes + cpuid <= 64 - flagBits ? cpuid : 0;
  return [
    { name: 'node', shift: 64 - nodes, width: nodes, hex: false },
    { name: 'zone', shift: 64 - nodes - zones, width: zones, hex: false },
    { name: 'lastcpupid', shift: 64 - nodes - zones - lastCpupid, width: lastCpupid, hex: true },
  ];
}

/** The tables of `%pG` for one kernel. Preconditions: SPARSEMEM_VMEMMAP, no KASAN tags, as on x86-64. */
export function flagTables(facts: FlagFacts): FlagTables {
  const flagBits = facts.findEnumValue('__NR_PAGEFLAGS') ?? 0;
  const page: FlagName[] = [];
  for (const name of PAGE_NAMES) {
    const bit = facts.findEnumValue(`PG_${name}`);
    if (bit !== undefined) page.push({ name, mask: 1n << BigInt(bit) });
  }
  return {
    gfp: GFP_NAMES.map((name) => ({ name, mask: BigInt(GFP[name]) })),
    vma: VMA_NAMES.filter(([, , option]) => option === undefined || facts.config(option) === 'y').map(
      ([name, mask]) => ({ name, mask: BigInt(mask) }),
    ),
    page,
    pageFields: pageFields(facts, flagBits),
    pageFlagBits: flagBits,
  };
}
