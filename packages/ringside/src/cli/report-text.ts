import { hex64 } from '../bytes/index.ts';
import { type Machine, type Report, reportSources } from '../machine/index.ts';
import type { RunEvent } from './run-output.ts';

type ReportEvent = Extract<RunEvent, { type: 'report' | 'unsupported' }>;
type PoisonReport = Extract<Report, { kind: 'poison' }>;

/** What Ringside saw beyond the kernel, in words: what happened, where, and to which object. */
export function describeReport(machine: Machine, report: Report): ReportEvent {
  const { nowNs: timeNs } = machine;
  const place = (addr: Parameters<typeof machine.kernel.kallsyms.describe>[0]) =>
    machine.kernel.kallsyms.describe(addr);
  const withSources = (message: string) => [message, ...reportSources(machine, report)].join('\n');
  switch (report.kind) {
    case 'poison':
      return {
        type: 'report',
        timeNs,
        kind: report.kind,
        message: withSources(describePoison(report, place)),
      };
    case 'bad-free': {
      const { bad, site } = report;
      const what =
        bad.kind === 'double-free'
          ? `double free of ${bad.object.size} bytes from ${bad.object.cache.name}${history(bad.object, place)}`
          : 'free of an address that was never allocated';
      const message = `${what} at ${hex64(report.addr)}, by ${place(site.ip)} (${site.comm}, PID ${site.pid})`;
      return { type: 'report', timeNs, kind: report.kind, message: withSources(message) };
    }
    case 'unsupported':
      return { type: 'unsupported', timeNs, message: report.error.message };
  }
}

type Place = (addr: PoisonReport['ip']) => string;

function describePoison(report: PoisonReport, place: Place): string {
  const { object, addr } = report;
  const where = `${report.access} of ${report.size} bytes at ${hex64(addr)} by ${report.ip === 0 ? 'the kernel' : place(report.ip)}`;
  if (object === undefined) return `access to memory that belongs to nobody: ${where}`;
  const offset = addr - object.addr;
  if (object.freed !== undefined) {
    return `use after free: ${where}, ${offset} bytes into an object of ${object.size} bytes from ${object.cache.name}${history(object, place)}`;
  }
  return `out of bounds: ${where}, at byte ${offset} of an object of ${object.size} bytes from ${object.cache.name}${history(object, place)}`;
}

function history({ allocated, freed }: NonNullable<PoisonReport['object']>, place: Place): string {
  const by = (what: string, site: typeof allocated) =>
    `, ${what} by ${place(site.ip)} (${site.comm}, PID ${site.pid})`;
  return by('allocated', allocated) + (freed === undefined ? '' : by('freed', freed));
}
