import { asAddr, type GuestAddr } from '../../../bytes/index.ts';
import { PAGE_SIZE } from '../../../memory/index.ts';
import type { Kernel } from '../../kernel.ts';
import type { Module } from '../../module/module.ts';
import type { MemoryRegion, TrackReport } from './memory-report.ts';
import type { AllocationSite } from './track.ts';

/** What an address belongs to, belonged to, or is next to. */
export function regionOf(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  if (addr >= 0) return undefined;
  return (
    stackGuard(k, addr) ??
    slabObject(k, addr) ??
    perCpu(k, addr) ??
    pages(k, addr) ??
    formerOrPresentModule(k, addr) ??
    vmalloc(k, addr)
  );
}

function track(k: Kernel, site: AllocationSite | undefined): TrackReport | undefined {
  if (site === undefined) return undefined;
  const { pid, comm, stack } = site;
  return { pid, comm, stack: stack === undefined ? [] : k.tracks.depot.frames(stack) };
}

function lifetime(
  k: Kernel,
  { allocated, freed }: { allocated: AllocationSite | undefined; freed: AllocationSite | undefined },
): { allocated: TrackReport | undefined; freed: TrackReport | undefined } {
  return { allocated: track(k, allocated), freed: track(k, freed) };
}

/** The page below the running task's stack. */
function stackGuard(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  const { stack, stackSize } = k.sched.current;
  return addr < stack && addr >= stack - PAGE_SIZE
    ? { kind: 'stack', start: stack, size: stackSize }
    : undefined;
}

function slabObject(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  const object = k.slab.find(addr);
  if (object === undefined) return undefined;
  const { cache } = object;
  return {
    kind: 'slab',
    start: object.addr,
    size: object.size,
    cache: cache.name,
    cacheSize: cache.objectSize,
    ...lifetime(k, object),
  };
}

function perCpu(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  const place = k.percpu.placeOf(addr);
  const piece = place && k.percpu.pieceAt(place.offset);
  if (piece === undefined) return undefined;
  const { cpu, offset } = place!;
  return {
    kind: 'percpu',
    start: asAddr(addr - offset + piece.offset),
    size: piece.usable,
    cpu,
    ...lifetime(k, piece),
  };
}

/** The block of pages; of a free page that nobody is known to have had, the block before it. */
function pages(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  const before = asAddr((Math.floor(addr / PAGE_SIZE) - 1) * PAGE_SIZE);
  const block = k.pages.blockAt(addr) ?? k.pages.blockAt(before);
  if (block === undefined) return undefined;
  const { start, size, order, use } = block;
  return { kind: 'pages', start, size, order, use, ...lifetime(k, block) };
}

function formerOrPresentModule(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  const module = k.modules.addressOf(addr);
  if (module !== undefined) return inModule(k, module, addr);
  const former = k.modules.formerAt(addr);
  if (former === undefined) return undefined;
  const { start, size, moduleName, what } = former;
  return {
    kind: 'former-module',
    start,
    size,
    module: moduleName,
    what,
    symbol: former.symbolAt(addr)?.name,
  };
}

function inModule(k: Kernel, module: Module, addr: GuestAddr): MemoryRegion | undefined {
  const variable = k.globals.variableAt(module, addr);
  const section = module.sections.findLast((s) => s.addr <= addr && addr < s.addr + s.size);
  if (variable !== undefined && (section === undefined || variable.start >= section.addr)) {
    return { kind: 'variable', ...variable, module: module.name };
  }
  return (
    section && {
      kind: 'module',
      start: section.addr,
      size: section.size,
      module: module.name,
      section: section.name,
    }
  );
}

function vmalloc(k: Kernel, addr: GuestAddr): MemoryRegion | undefined {
  const range = k.vmalloc.rangeAt(addr);
  if (range === undefined) return undefined;
  return {
    kind: 'vmalloc',
    start: range.start,
    size: range.usable,
    mapped: range.size,
    ...lifetime(k, range),
  };
}
