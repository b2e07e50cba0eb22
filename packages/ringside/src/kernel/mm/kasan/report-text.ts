import { addrToU64, type GuestAddr } from '../../../bytes/index.ts';
import { DIRECT_MAP, PAGE_SHIFT, PAGE_SIZE, VMEMMAP } from '../../../memory/index.ts';
import type { MemoryRegion, MemoryReport, ShadowRow, TraceRemark, TrackReport } from './memory-report.ts';
import type { StackFrame } from './stack-frame.ts';

const RULE = '='.repeat(66);
const ACCESS = { read: 'Read', write: 'Write', execute: 'Execute', free: 'Free' } as const;
/** Memory that one shadow byte and one row of them stand for. */
const GRANULE = 8;

/** What the text needs beyond the report itself. */
export interface ReportContext {
  /** Who runs on what, as every dump of the kernel begins. */
  readonly taskLines: readonly string[];
  /** The call trace: frames, and what stands between them. */
  readonly trace: readonly (StackFrame | TraceRemark)[];
  /** Bytes of `struct page`. */
  readonly pageStructSize: number;
}

/**
 * A report in the layout of KASAN's, so that people and scripts recognise it. Added is what does not disturb
 * them: source places behind frames of modules and lines for inlined calls (as syzkaller's symbolizer writes them),
 * and lines about things that KASAN does not know. The line about the region is that of 6.3 and later, which knows
 * the size asked for. Source: mm/kasan/report.c, 6.1.
 */
export function reportText(report: Omit<MemoryReport, 'text'>, context: ReportContext): string {
  const { region } = report;
  const lines = [
    RULE,
    `BUG: KASAN: ${report.bug} in ${report.place.symbol}`,
    accessLine(report),
    '',
    ...context.taskLines,
    'Call Trace:',
    ...context.trace.flatMap((item) => ('remark' in item ? item.remark : frameLines(item))),
    '',
  ];
  if (region !== undefined) {
    lines.push(...histories(region), ...describe(report, region), '');
    lines.push(...physicalPage(report.address, region, context.pageStructSize));
  }
  if (report.shadow.length > 0) lines.push(...memoryState(report.shadow, report.firstBad));
  else if (lines.at(-1) === '') lines.pop();
  lines.push(RULE);
  return lines.join('\n');
}

/** `%px` */
export function pointer(addr: GuestAddr | number): string {
  return addrToU64(addr as GuestAddr)
    .toString(16)
    .padStart(16, '0');
}

function accessLine({ access, size, address, comm, pid }: Omit<MemoryReport, 'text'>): string {
  const who = `by task ${comm}/${pid}`;
  if (access === 'free') return `Free of addr ${pointer(address)} ${who}`;
  return `${ACCESS[access]}${size === 0 ? '' : ` of size ${size}`} at addr ${pointer(address)} ${who}`;
}

/** A frame of a call trace, and before it the functions that were inlined there. */
export function frameLines(frame: StackFrame): string[] {
  const { source } = frame;
  if (source === undefined) return [` ${frame.symbol}`];
  const places = [source, ...source.inlinedFrom];
  return places.map(({ function: name, file, line }, i) =>
    i === places.length - 1
      ? ` ${frame.symbol} ${file}:${line}`
      : ` ${name ?? 'a function'} ${file}:${line} [inline]`,
  );
}

function stackLines(prefix: string, track: TrackReport | undefined): string[] {
  if (track === undefined) return [];
  const frames = track.stack.length === 0 ? ['(stack is not available)'] : track.stack.flatMap(frameLines);
  return [`${prefix} by task ${track.pid}:`, ...frames, ''];
}

/** Page blocks tell theirs below, as page_owner does. */
function histories(region: MemoryRegion): string[] {
  if (!('allocated' in region) || region.kind === 'pages') return [];
  return [...stackLines('Allocated', region.allocated), ...stackLines('Freed', region.freed)];
}

/** `N bytes to the right of`, and which region. */
function located(address: GuestAddr, start: GuestAddr, size: number, what: string): string[] {
  const [bytes, relation] =
    address < start
      ? [start - address, 'to the left']
      : address >= start + size
        ? [address - (start + size), 'to the right']
        : [address - start, 'inside'];
  return [
    `The buggy address is located ${bytes} bytes ${relation} of`,
    ` ${what} [${pointer(start)}, ${pointer(start + size)})`,
  ];
}

function describe({ address }: Omit<MemoryReport, 'text'>, region: MemoryRegion): string[] {
  const { start, size } = region;
  const state = 'freed' in region && region.freed !== undefined ? 'freed' : 'allocated';
  const relative = located(address, start, size, `${state} ${size}-byte region`);
  switch (region.kind) {
    case 'slab':
      return [
        `The buggy address belongs to the object at ${pointer(start)}`,
        ` which belongs to the cache ${region.cache} of size ${region.cacheSize}`,
        ...relative,
      ];
    case 'pages':
      return relative;
    case 'percpu':
      return [`The buggy address belongs to per-CPU memory of CPU ${region.cpu}`, ...relative];
    case 'vmalloc': {
      const by = region.allocated?.stack[0]?.symbol;
      return [
        `The buggy address belongs to a ${region.mapped / PAGE_SIZE}-page vmalloc region starting at 0x${pointer(start)}` +
          (by === undefined ? '' : ` allocated at ${by}`),
        ...relative,
      ];
    }
    case 'variable':
      return [
        'The buggy address belongs to the variable:',
        ` ${region.name}+0x${(address - start).toString(16)}/0x${size.toString(16)} [${region.module}]`,
        '',
        ...located(address, start, size, `global variable '${region.name}' of size ${size}`),
      ];
    case 'stack':
      return [
        `The buggy address belongs to the guard page below the stack [${pointer(start)}, ${pointer(start + size)})`,
      ];
    case 'former-module': {
      const name = region.symbol === undefined ? '' : `${region.symbol} in `;
      return [
        `The buggy address belongs to ${name}` +
          (region.what === 'init'
            ? `the init memory of module ${region.module}, which is freed when init has returned`
            : `module ${region.module}, which has been unloaded`),
      ];
    }
    case 'module':
      return [`The buggy address belongs to section ${region.section} of module ${region.module}`];
  }
}

/** What is known of the page: of memory in the direct map. */
function physicalPage(address: GuestAddr, region: MemoryRegion, pageStructSize: number): string[] {
  if (region.kind !== 'slab' && region.kind !== 'pages') return [];
  const frame = Math.floor((address - DIRECT_MAP.start) / 2 ** PAGE_SHIFT);
  const lines = [
    'The buggy address belongs to the physical page:',
    `page:${pointer(VMEMMAP.start + frame * pageStructSize)} pfn:0x${frame.toString(16)}`,
    'page dumped because: kasan: bad access detected',
  ];
  if (region.kind === 'pages') {
    const { allocated, freed, order } = region;
    if (allocated !== undefined) {
      lines.push(
        `page_owner tracks the page as ${freed === undefined ? 'allocated' : 'freed'}`,
        `page last allocated via order ${order}, pid ${allocated.pid}, tgid ${allocated.pid} (${allocated.comm})`,
        ...allocated.stack.flatMap(frameLines),
      );
    }
    if (freed !== undefined) lines.push('page last free stack trace:', ...freed.stack.flatMap(frameLines));
  }
  return [...lines, ''];
}

function memoryState(rows: readonly ShadowRow[], bad: GuestAddr): string[] {
  const lines = ['Memory state around the buggy address:'];
  for (const { address, bytes } of rows) {
    const guilty = bad >= address && bad < address + GRANULE * bytes.length;
    const states = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const start = `${guilty ? '>' : ' '}${pointer(address)}: `;
    lines.push(start + states);
    // under the first digit of the byte
    if (guilty) lines.push('^'.padStart(start.length + 3 * Math.floor((bad - address) / GRANULE) + 1));
  }
  return lines;
}
