import type { FlagName, FlagTables, PageFlagField } from './services.ts';

/** What the tables depend on beyond macros: enumerators and configuration of the image. */
export interface FlagFacts {
  findEnumValue(enumerator: string): number | undefined;
  /** A configuration option's value, by full name. */
  config(name: string): string | undefined;
}

/** Bits of `gfp_t`. Source: Linux 6.1 include/linux/gfp_types.h. */
const GFP_BITS = {
  __GFP_DMA: 0x1,
  __GFP_HIGHMEM: 0x2,
  __GFP_DMA32: 0x4,
  __GFP_MOVABLE: 0x8,
  __GFP_RECLAIMABLE: 0x10,
  __GFP_HIGH: 0x20,
  __GFP_IO: 0x40,
  __GFP_FS: 0x80,
  __GFP_ZERO: 0x100,
  __GFP_ATOMIC: 0x200,
  __GFP_DIRECT_RECLAIM: 0x400,
  __GFP_KSWAPD_RECLAIM: 0x800,
  __GFP_WRITE: 0x1000,
  __GFP_NOWARN: 0x2000,
  __GFP_RETRY_MAYFAIL: 0x4000,
  __GFP_NOFAIL: 0x8000,
  __GFP_NORETRY: 0x1_0000,
  __GFP_MEMALLOC: 0x2_0000,
  __GFP_COMP: 0x4_0000,
  __GFP_NOMEMALLOC: 0x8_0000,
  __GFP_HARDWALL: 0x10_0000,
  __GFP_THISNODE: 0x20_0000,
  __GFP_ACCOUNT: 0x40_0000,
  __GFP_ZEROTAGS: 0x80_0000,
} as const;

const B = GFP_BITS;
const RECLAIM = B.__GFP_DIRECT_RECLAIM | B.__GFP_KSWAPD_RECLAIM;
const KERNEL = RECLAIM | B.__GFP_IO | B.__GFP_FS;
const USER = KERNEL | B.__GFP_HARDWALL;
const HIGHUSER = USER | B.__GFP_HIGHMEM;
const HIGHUSER_MOVABLE = HIGHUSER | B.__GFP_MOVABLE;
const TRANSHUGE_LIGHT = (HIGHUSER_MOVABLE | B.__GFP_COMP | B.__GFP_NOMEMALLOC | B.__GFP_NOWARN) & ~RECLAIM;

/** Most bits first, so that a combination is named before its parts. Source: include/trace/events/mmflags.h. */
const GFP_NAMES: readonly (readonly [string, number])[] = [
  ['GFP_TRANSHUGE', TRANSHUGE_LIGHT | B.__GFP_DIRECT_RECLAIM],
  ['GFP_TRANSHUGE_LIGHT', TRANSHUGE_LIGHT],
  ['GFP_HIGHUSER_MOVABLE', HIGHUSER_MOVABLE],
  ['GFP_HIGHUSER', HIGHUSER],
  ['GFP_USER', USER],
  ['GFP_KERNEL_ACCOUNT', KERNEL | B.__GFP_ACCOUNT],
  ['GFP_KERNEL', KERNEL],
  ['GFP_NOFS', RECLAIM | B.__GFP_IO],
  ['GFP_ATOMIC', B.__GFP_HIGH | B.__GFP_ATOMIC | B.__GFP_KSWAPD_RECLAIM],
  ['GFP_NOIO', RECLAIM],
  ['GFP_NOWAIT', B.__GFP_KSWAPD_RECLAIM],
  ['GFP_DMA', B.__GFP_DMA],
  ['__GFP_HIGHMEM', B.__GFP_HIGHMEM],
  ['GFP_DMA32', B.__GFP_DMA32],
  ...(
    [
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
    ] as const
  ).map((name) => [name, B[name]] as const),
  ['__GFP_RECLAIM', RECLAIM],
  ['__GFP_DIRECT_RECLAIM', B.__GFP_DIRECT_RECLAIM],
  ['__GFP_KSWAPD_RECLAIM', B.__GFP_KSWAPD_RECLAIM],
  ['__GFP_ZEROTAGS', B.__GFP_ZEROTAGS],
];

/** Bits of `vm_flags` with the names that are printed. Source: include/linux/mm.h, mmflags.h. */
const VMA_NAMES: readonly (readonly [string, number, config?: string])[] = [
  ['read', 0],
  ['write', 1],
  ['exec', 2],
  ['shared', 3],
  ['mayread', 4],
  ['maywrite', 5],
  ['mayexec', 6],
  ['mayshare', 7],
  ['growsdown', 8],
  ['uffd_missing', 9],
  ['uffd_minor', 37, 'CONFIG_HAVE_ARCH_USERFAULTFD_MINOR'],
  ['pfnmap', 10],
  ['uffd_wp', 12],
  ['locked', 13],
  ['io', 14],
  ['seqread', 15],
  ['randread', 16],
  ['dontcopy', 17],
  ['dontexpand', 18],
  ['lockonfault', 19],
  ['account', 20],
  ['noreserve', 21],
  ['hugetlb', 22],
  ['sync', 23],
  ['pat', 24],
  ['wipeonfork', 25],
  ['dontdump', 26],
  ['softdirty', 27, 'CONFIG_MEM_SOFT_DIRTY'],
  ['mixedmap', 28],
  ['hugepage', 29],
  ['nohugepage', 30],
  ['mergeable', 31],
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
    gfp: GFP_NAMES.map(([name, mask]) => ({ name, mask: BigInt(mask) })),
    vma: VMA_NAMES.filter(([, , option]) => option === undefined || facts.config(option) === 'y').map(
      ([name, bit]) => ({ name, mask: 1n << BigInt(bit) }),
    ),
    page,
    pageFields: pageFields(facts, flagBits),
    pageFlagBits: flagBits,
  };
}
