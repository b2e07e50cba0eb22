import { type GuestAddr, hex64 } from '../bytes/index.ts';
import type {
  Machine,
  MemoryRegion,
  MemoryReport,
  Report,
  StackFrame,
  UninitReport,
} from '../machine/index.ts';
import type { JsonRegion, JsonReport, JsonStackFrame, JsonUninit, RunEvent } from './run-output.ts';

type ReportEvent = Extract<RunEvent, { type: 'report' | 'unsupported' }>;

/** What Ringside saw beyond the kernel: of a memory error the report as a kernel with KASAN prints it, and as data. */
export function describeReport(machine: Machine, report: Report): ReportEvent {
  const { nowNs: timeNs } = machine;
  if (report.kind === 'unsupported') return { type: 'unsupported', timeNs, message: report.error.message };
  const { kind, text: message } = report;
  if (kind === 'uninit-value') return { type: 'report', timeNs, kind, message, uninit: uninitData(report) };
  return { type: 'report', timeNs, kind, message, memory: memoryData(report) };
}

/** Places at which the same was seen again: one sentence each. */
export function describeRepeats(machine: Machine): RunEvent[] {
  const { nowNs: timeNs } = machine;
  return machine.reports.flatMap((report): RunEvent[] =>
    report.kind === 'unsupported' || report.count === 1
      ? []
      : [
          {
            type: 'repeated',
            timeNs,
            kind: report.kind,
            bug: report.bug,
            place: report.place.symbol,
            count: report.count,
            message: `${report.bug} in ${report.place.symbol} was seen ${report.count} times in all`,
          },
        ],
  );
}

function memoryData(report: MemoryReport): JsonReport {
  const { bug, access, size, comm, pid } = report;
  return {
    bug,
    access,
    size,
    address: hexAddress(report.address),
    task: { comm, pid },
    place: frameData(report.place)[0]!,
    stack: report.stack.flatMap(frameData),
    ...(report.region === undefined ? {} : { region: regionData(report.region, report.address) }),
  };
}

function uninitData(report: UninitReport): JsonUninit {
  const { bug, use, comm, pid, created, bytes } = report;
  return {
    bug,
    use,
    task: { comm, pid },
    place: frameData(report.place)[0]!,
    stack: report.stack.flatMap(frameData),
    stored: report.stored.map((stack) => stack.flatMap(frameData)),
    ...(created === undefined
      ? {}
      : { created: { kind: created.kind, stack: created.stack.flatMap(frameData) } }),
    ...(bytes === undefined ? {} : { bytes: { ...bytes, address: hexAddress(bytes.address) } }),
  };
}

function regionData(region: MemoryRegion, address: number): JsonRegion {
  const { kind, start, size } = region;
  const base: JsonRegion = { kind, start: hexAddress(start), size, offset: address - start };
  switch (region.kind) {
    case 'slab':
      return { ...base, cache: region.cache, cacheSize: region.cacheSize, ...histories(region) };
    case 'pages':
    case 'vmalloc':
    case 'percpu':
      return { ...base, ...histories(region) };
    case 'variable':
      return { ...base, name: region.name, module: region.module };
    case 'module':
      return { ...base, name: region.section, module: region.module };
    case 'former-module':
      return {
        ...base,
        module: region.module,
        part: region.what,
        ...(region.symbol === undefined ? {} : { name: region.symbol }),
      };
    case 'stack':
      return base;
  }
}

function histories({ allocated, freed }: Extract<MemoryRegion, { freed: unknown }>): Partial<JsonRegion> {
  const track = (of: typeof allocated) =>
    of && { comm: of.comm, pid: of.pid, stack: of.stack.flatMap(frameData) };
  return {
    ...(allocated === undefined ? {} : { allocated: track(allocated)! }),
    ...(freed === undefined ? {} : { freed: track(freed)! }),
  };
}

/** The frame, and behind it the functions that were inlined there get frames of their own, innermost first. */
function frameData(frame: StackFrame): JsonStackFrame[] {
  const { address, function: name, offset, size, module, source } = frame;
  const real: JsonStackFrame = {
    address: hexAddress(address),
    ...(name === undefined ? {} : { function: name, offset: offset!, size: size! }),
    ...(module === undefined ? {} : { module }),
  };
  if (source === undefined) return [real];
  const places = [source, ...source.inlinedFrom];
  return places.map(({ function: inlined, file, line }, i) =>
    i === places.length - 1
      ? { ...real, file, line }
      : {
          address: real.address,
          ...(inlined === undefined ? {} : { function: inlined }),
          file,
          line,
          inline: true,
        },
  );
}

function hexAddress(addr: GuestAddr): string {
  return `0x${hex64(addr)}`;
}
