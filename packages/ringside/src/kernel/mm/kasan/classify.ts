import { type GuestAddr, isCanonical } from '../../../bytes/index.ts';
import { type Access, type GuestMemory, PAGE_SIZE, POISON, SHADOW_RW } from '../../../memory/index.ts';
import type { BugType, MemoryRegion } from './memory-report.ts';

/** Where user addresses end. Source: arch/x86/include/asm/page_64_types.h, TASK_SIZE with four levels. */
const TASK_SIZE = 0x7fff_ffff_f000;
const GRANULE = 8;

/** The first byte of an access that the shadow forbids. */
export function firstPoisoned(memory: GuestMemory, addr: GuestAddr, size: number): GuestAddr {
  let at: number = addr;
  while (at < addr + size) {
    const granule = Math.floor(at / GRANULE) * GRANULE;
    const value = memory.shadowAt(at as GuestAddr);
    if (value > 0 && value < SHADOW_RW) {
      const bad = Math.max(at, granule + value);
      if (bad < granule + GRANULE) return bad as GuestAddr;
    } else if (value <= 0) return at as GuestAddr;
    at = granule + GRANULE;
  }
  return addr;
}

/** What an access to poisoned memory is. Source: mm/kasan/report_generic.c, get_shadow_bug_type. */
export function poisonType(memory: GuestMemory, bad: GuestAddr, region: MemoryRegion | undefined): BugType {
  let shadow = memory.shadowAt(bad);
  // the rest of a granule that is valid in part: what follows tells whose it is
  if (shadow > 0 && shadow < SHADOW_RW) shadow = memory.shadowAt((bad + GRANULE) as GuestAddr);
  switch (shadow) {
    case POISON.page:
      // Deviation: KASAN calls every free page freed, also those that nobody ever had
      if (region === undefined) return 'wild-memory-access';
      return region.kind === 'pages' && region.freed === undefined ? 'out-of-bounds' : 'use-after-free';
    case POISON.pageRedzone:
    case POISON.slabRedzone:
      return 'slab-out-of-bounds';
    case POISON.slabFreed:
    case POISON.slabFreeTrack:
      return 'use-after-free';
    case POISON.globalRedzone:
      return 'global-out-of-bounds';
    case POISON.vmallocInvalid:
      return 'vmalloc-out-of-bounds';
    case POISON.percpuFree:
      return region?.kind === 'percpu' && region.freed !== undefined
        ? 'use-after-free'
        : 'percpu-out-of-bounds';
    case POISON.notProvided:
      return 'unknown-crash';
    default:
      return byRegion(region);
  }
}

/** Two objects may follow each other without a redzone that the shadow could show: the region tells. */
function byRegion(region: MemoryRegion | undefined): BugType {
  switch (region?.kind) {
    case 'slab':
      return 'slab-out-of-bounds';
    case 'variable':
      return 'global-out-of-bounds';
    case 'percpu':
      return 'percpu-out-of-bounds';
    case 'vmalloc':
      return 'vmalloc-out-of-bounds';
    default:
      return 'out-of-bounds';
  }
}

/** What an access is that the processor does not allow. Source: mm/kasan/report_generic.c, get_wild_bug_type. */
export function faultType(
  memory: GuestMemory,
  addr: GuestAddr,
  access: Access,
  region: MemoryRegion | undefined,
): BugType {
  if (!isCanonical(addr)) return 'wild-memory-access';
  if (addr >= 0 && addr < PAGE_SIZE) return 'null-ptr-deref';
  if (addr >= 0) return addr < TASK_SIZE ? 'user-memory-access' : 'wild-memory-access';
  if (memory.isPresent(addr)) return access === 'execute' ? 'data-execution' : 'read-only-write';
  switch (region?.kind) {
    case 'stack':
      return 'stack-overflow';
    case 'former-module':
      return 'use-after-free';
    case 'vmalloc':
      return region.freed === undefined ? 'vmalloc-out-of-bounds' : 'use-after-free';
    default:
      return 'wild-memory-access';
  }
}
