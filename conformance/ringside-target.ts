// The machine under test, seen as a Target.

import {
  boot,
  type Machine,
  type Report,
  recordText,
  type SyscallResult,
} from '../packages/ringside/src/machine/index.ts';
import { resolveKernel } from '../packages/ringside/src/node/index.ts';
import type { CallEnd, ModuleRow, Target, TargetOptions } from './harness/target.ts';

const ENOENT = 2;
/** What the real kernel is booted with for every case, as far as it shows. */
const ORACLE_PARAMETERS = 'panic=-1';

/** RINGSIDE_KERNEL: what --kernel takes; without it, the built-in kernel, whose recordings are kept. */
const KERNEL = process.env['RINGSIDE_KERNEL'];

/** `exact`, `uninitialised`: see `BootOptions`. */
export async function createTarget(
  options: TargetOptions,
  exact = false,
  uninitialised = false,
): Promise<RingsideTarget> {
  const machine = await boot({
    spec: await resolveKernel(KERNEL),
    commandLine: `${ORACLE_PARAMETERS} ${options.kernelParameters}`,
    exact,
    uninitialised,
  });
  return new RingsideTarget(machine);
}

export class RingsideTarget implements Target {
  readonly #machine: Machine;
  #read = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async insmod(file: Uint8Array, parameters: string): Promise<CallEnd> {
    return this.#end(await this.#machine.insmod(file, { params: parameters }));
  }

  async rmmod(name: string): Promise<CallEnd> {
    return this.#end(await this.#machine.rmmod(name));
  }

  modules(): Promise<readonly ModuleRow[]> {
    return Promise.resolve(this.#machine.modules());
  }

  async readFile(path: string): Promise<string | number> {
    if (path === '/proc/modules') return this.#machine.procModules();
    if (path === '/proc/sys/kernel/tainted') return `${this.#machine.tainted}\n`;
    const parameter = /^\/sys\/module\/(\w+)\/parameters\/(\w+)$/.exec(path);
    if (parameter === null) return -ENOENT;
    return this.#machine.readParameter(parameter[1]!, parameter[2]!);
  }

  writeFile(): Promise<number> {
    return Promise.resolve(-ENOENT);
  }

  async sleep(milliseconds: number): Promise<'slept' | 'panicked'> {
    await this.#machine.advance({ forNs: milliseconds * 1e6 });
    return this.#machine.panicked ? 'panicked' : 'slept';
  }

  newLogLines(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const record of this.#machine.log) {
      if (record.seq < this.#read) continue;
      this.#read = record.seq + 1;
      lines.push(...recordText(record, { priority: true }).trimEnd().split('\n'));
    }
    return Promise.resolve(lines);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What Ringside saw beyond the kernel's log, which is what a transcript has. */
  get reports(): readonly Report[] {
    return this.#machine.reports;
  }

  #end(result: SyscallResult): CallEnd {
    if (result.kind !== 'stopped') return result;
    if (this.#machine.panicked) return { kind: 'panicked' };
    throw this.#machine.missing.at(-1) ?? new Error('the machine stopped');
  }
}
