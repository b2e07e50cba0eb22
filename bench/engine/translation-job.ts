/**
 * One measurement of bench/translation.ts, in a process of its own: `node --expose-gc BUNDLE JOB`, where JOB is a
 * `TranslationJob` as JSON. Prints a `TranslationResult` as JSON.
 */
import { readFileSync } from 'node:fs';
import type { GuestAddr } from '../../packages/ringside/src/bytes/index.ts';
import { GuestMemory } from '../../packages/ringside/src/memory/index.ts';
import { type Cpu, createCpu, SLOT_RFLAGS } from '../../packages/ringside/src/translate/index.ts';
import { type PlacedModule, placeModule } from './placed-module.ts';
import { median } from './statistics.ts';

export interface TranslationJob {
  readonly checked: boolean;
  /** Module files to translate first, unmeasured. */
  readonly warmUp: readonly string[];
  /** Module files to measure. */
  readonly measured: readonly string[];
  /** `whole`: all functions, one call of `Cpu.translate` a module. `first-calls`: functions one by one, when they are called. */
  readonly kind: 'whole' | 'first-calls';
  /** Most functions to call first; they are spread over the modules. */
  readonly calls: number;
}

export interface TranslationResult {
  readonly ms: number;
  /** The last module's part of it. */
  readonly lastMs: number;
  readonly instructions: number;
  readonly functions: number;
  readonly guestBytes: number;
  readonly wasmBytes: number;
  readonly wasmModules: number;
  /** Growth, after a garbage collection. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** Of the process, without what its JavaScript heap has reserved. */
  readonly residentBytes: number;
  /** Of first calls that had to translate, in ms. */
  readonly firstCallMs: { readonly median: number; readonly p90: number; readonly calls: number } | undefined;
}

function place(files: readonly string[]): {
  cpu: (checked: boolean) => Cpu;
  modules: readonly PlacedModule[];
} {
  const memory = new GuestMemory();
  const modules: PlacedModule[] = [];
  let offset = 0;
  for (const file of files) {
    const module = placeModule(readFileSync(file), memory, offset);
    offset += module.end - module.start;
    modules.push(module);
  }
  const at = (addr: GuestAddr): PlacedModule | undefined =>
    modules.find((module) => addr >= module.start && addr < module.end);
  return {
    modules,
    cpu: (checked) =>
      createCpu({
        memory,
        natives: { indexAt: () => -1, invoke: () => false },
        checked,
        functionAt: (addr) => at(addr)?.functionAt(addr),
        thunkAt: (addr) => at(addr)?.thunkAt(addr),
      }),
  };
}

function collect(): NodeJS.MemoryUsage {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage();
}

/** Calls functions for the first time. Without fuel each leaves at its entry, translated and compiled. */
function firstCalls(cpu: Cpu, starts: readonly GuestAddr[]): number[] {
  const times: number[] = [];
  for (const start of starts) {
    const before = cpu.translation.functions;
    cpu.regs.rip = start;
    cpu.regs.setU64(SLOT_RFLAGS, 0x202n);
    const began = performance.now();
    cpu.run(0);
    const ms = performance.now() - began;
    if (cpu.translation.functions > before) times.push(ms);
  }
  return times;
}

function run(job: TranslationJob): TranslationResult {
  // Warm code, but none of its translations: V8 keeps modules of the same bytes.
  const warm = place(job.warmUp);
  if (job.warmUp.length > 0) {
    const cpu = warm.cpu(job.checked);
    for (const { functions } of warm.modules) cpu.translate(functions.map((f) => f.start));
    if (job.kind === 'first-calls') {
      const fresh = warm.cpu(job.checked);
      firstCalls(
        fresh,
        warm.modules
          .flatMap((m) => m.functions)
          .slice(0, 300)
          .map((f) => f.start),
      );
    }
  }
  const placed = place(job.measured);
  const cpu = placed.cpu(job.checked);
  const before = collect();
  const starts = placed.modules.map((m) => m.functions.map((f) => f.start));
  const began = performance.now();
  let times: number[] = [];
  let last = began;
  if (job.kind === 'whole') {
    for (const list of starts) {
      last = performance.now();
      cpu.translate(list);
    }
  } else {
    const all = starts.flat();
    const step = Math.max(1, Math.floor(all.length / job.calls));
    times = firstCalls(
      cpu,
      all.filter((_, i) => i % step === 0),
    );
  }
  const ended = performance.now();
  const after = collect();
  const { instructions, functions, bytes, modules } = cpu.translation;
  times.sort((a, b) => a - b);
  return {
    ms: ended - began,
    lastMs: ended - last,
    instructions,
    functions,
    guestBytes: placed.modules.flatMap((m) => m.functions).reduce((sum, f) => sum + f.size, 0),
    wasmBytes: bytes,
    wasmModules: modules,
    heapBytes: after.heapUsed - before.heapUsed,
    externalBytes: after.external - before.external,
    residentBytes: after.rss - after.heapTotal - (before.rss - before.heapTotal),
    firstCallMs:
      times.length === 0
        ? undefined
        : { median: median(times), p90: times[Math.floor(times.length * 0.9)]!, calls: times.length },
  };
}

process.stdout.write(`${JSON.stringify(run(JSON.parse(process.argv[2]!) as TranslationJob))}\n`);
