import { basename } from 'node:path';
import type { Machine, SyscallResult } from '../machine/index.ts';
import { EXIT } from './exit-status.ts';
import { insmodAdvice, insmodError, rmmodError } from './insmod-message.ts';
import { describeRepeats } from './report-text.ts';
import type { RunOutput } from './run-output.ts';

export interface ModuleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly params: string;
}

export interface SessionOptions {
  readonly modules: readonly ModuleFile[];
  readonly forNs: number | undefined;
  readonly lingerNs: number;
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/** Loads, waits, unloads in reverse. Rejects with the signal's reason when that is aborted. Returns the exit status. */
export async function runSession(
  machine: Machine,
  output: RunOutput,
  options: SessionOptions,
): Promise<number> {
  const { signal } = options;
  const loaded: { name: string; path: string }[] = [];
  let refused = false;
  let lost = false;
  for (const file of options.modules) {
    const logged = machine.log.length;
    const result = await machine.insmod(file.bytes, {
      name: basename(file.path),
      params: file.params,
      signal,
    });
    const { path } = file;
    if (result.kind === 'returned' && result.value === 0) {
      const name = newestModule(machine) ?? basename(path);
      loaded.push({ name, path });
      output.event({ type: 'loaded', timeNs: machine.nowNs, module: name, file: path });
      continue;
    }
    if (result.kind === 'returned') {
      refused = true;
      const errno = -result.value;
      const advice = insmodAdvice({
        path,
        bytes: file.bytes,
        errno,
        logged: machine.log.slice(logged).map((record) => record.text),
        release: machine.kernel.spec.release,
      });
      const message = insmodError(path, errno);
      output.event({
        type: 'refused',
        timeNs: machine.nowNs,
        action: 'insmod',
        file: path,
        errno,
        message,
        ...(advice === undefined ? {} : { advice }),
      });
    } else {
      lost = true;
      tellLost(machine, output, 'insmod', path, result);
    }
    // What comes after may need what is not there now; the modules that are loaded still run and unload.
    break;
  }
  if (!machine.panicked && (loaded.length > 0 || lost || options.forNs !== undefined)) {
    await machine.advance({ ...(options.forNs === undefined ? {} : { forNs: options.forNs }), signal });
  }
  for (const { name, path } of options.keep ? [] : loaded.reverse()) {
    if (machine.panicked) break;
    const result = await machine.rmmod(name, { signal });
    if (result.kind !== 'returned') {
      lost = true;
      tellLost(machine, output, 'rmmod', path, result);
    } else if (result.value !== 0) {
      refused = true;
      const errno = -result.value;
      const message = rmmodError(name, errno);
      output.event({ type: 'refused', timeNs: machine.nowNs, action: 'rmmod', file: path, errno, message });
    } else output.event({ type: 'unloaded', timeNs: machine.nowNs, module: name, file: path });
    if (options.lingerNs > 0 && !machine.panicked) await machine.advance({ forNs: options.lingerNs, signal });
  }
  for (const event of describeRepeats(machine)) output.event(event);
  const reported = new Set(
    machine.reports.map((report) => (report.kind === 'unsupported' ? report.error.message : undefined)),
  );
  for (const error of machine.missing) {
    if (reported.has(error.message)) continue;
    output.event({ type: 'unsupported', timeNs: machine.nowNs, message: error.message });
  }
  return statusOf(machine, refused, lost);
}

function statusOf(machine: Machine, refused: boolean, lost: boolean): number {
  // What is not supported ended something early: whatever else was seen may be its consequence.
  if (machine.missing.length > 0) return EXIT.unsupported;
  const memoryError = machine.reports.some(({ kind }) => kind !== 'unsupported');
  // Not the taint mask: a warning may set another bit than W, or none.
  if (machine.panicked || lost || memoryError || machine.kernel.crashes.length > 0) return EXIT.trouble;
  return refused ? EXIT.refused : EXIT.clean;
}

function tellLost(
  machine: Machine,
  output: RunOutput,
  action: 'insmod' | 'rmmod',
  file: string,
  result: Exclude<SyscallResult, { kind: 'returned' }>,
): void {
  const messages = {
    killed: 'Killed',
    blocked: `${action} ${file}: waits for something that will never happen; on a real machine it hangs`,
    stopped: `${action} ${file}: the machine stopped`,
  };
  const { kind: reason } = result;
  output.event({ type: 'lost', timeNs: machine.nowNs, action, file, reason, message: messages[reason] });
}

/** `/proc/modules` lists the newest first. */
function newestModule(machine: Machine): string | undefined {
  return /^\S+/.exec(machine.procModules())?.[0];
}
