import { readFileSync } from 'node:fs';
import { LOGLEVEL } from '../../abi/index.ts';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { KernelSpec } from '../../image/index.ts';
import { DIRECT_MAP, GuestMemory, PAGE_SIZE, PROT_RW } from '../../memory/index.ts';
import { builtInSpecPath, openSpecFile } from '../../node/index.ts';
import { decode, isInstruction } from '../../x86/index.ts';
import type { Routine } from '../sched/routine.ts';
import { bootCpuHas, preemptStaticCall } from './boot-cpu.ts';
import type { ModuleEvents, ModuleHost, ParseArgsResult } from './host.ts';
import { Modules } from './modules.ts';

/** Where the example modules are. */
export const MODULES_DIRECTORY = new URL('../../../../../modules/', import.meta.url);

/** A built example module, `hello/hello`. */
export function exampleModule(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.ko`, MODULES_DIRECTORY)));
}

let spec: KernelSpec | undefined;

export function builtInSpec(): KernelSpec {
  spec ??= openSpecFile(builtInSpecPath());
  return spec;
}

const HEAP_SIZE = 1 << 24;
const HEAP_START = asAddr(DIRECT_MAP.start + 0x0100_0000);
/** More than any module of Debian; a mutant that asks for more gets -ENOMEM, as on a machine of this size. */
const MODULE_LIMIT = 64 << 20;

export interface LoaderOptions {
  readonly spec?: KernelSpec;
  /** A memory to use again, with nothing loaded in it. */
  readonly memory?: GuestMemory;
  readonly bootOptions?: Readonly<Record<string, string>>;
  readonly events?: ModuleEvents;
  /** Addresses that module_alloc gives out, in order; without it, first fit from the start of the region. */
  readonly addresses?: (sizeBytes: number) => GuestAddr | undefined;
  readonly possibleCpus?: number;
}

/**
 * The module loader over a guest memory and nothing else: guest functions are not run, but answered by `onCall`.
 */
export class Loader {
  readonly host: ModuleHost;
  readonly modules: Modules;
  readonly memory: GuestMemory;
  /** The log: `<level>text`, one entry a message. */
  readonly log: string[] = [];
  readonly calls: GuestAddr[] = [];
  /** The result of a guest function; 0 when not set. */
  onCall: (addr: GuestAddr, args: readonly (number | bigint)[]) => number = () => 0;
  /** Areas that module_alloc has given out and that were not freed. */
  readonly areas = new Map<GuestAddr, number>();
  readonly objects = new Map<GuestAddr, number>();
  percpuUsed = 0;
  /** How often module memory was asked for. */
  allocations = 0;
  taints = 0;
  #heap = HEAP_START;
  #lockDebugging = true;

  constructor(options: LoaderOptions = {}) {
    const memory = options.memory ?? new GuestMemory();
    this.memory = memory;
    memory.map(HEAP_START, HEAP_SIZE, PROT_RW);
    const cpuBase = asAddr(DIRECT_MAP.start + 0x0300_0000);
    memory.map(cpuBase, 1 << 20, PROT_RW);
    const loader = this;
    this.host = {
      spec: options.spec ?? builtInSpec(),
      memory,
      machine: {
        hasFeature: bootCpuHas,
        staticCallTarget: (key) => preemptStaticCall('voluntary', key),
        possibleCpus: options.possibleCpus ?? 1,
        instructionLength(bytes) {
          const decoded = decode(bytes, 0, 0);
          return isInstruction(decoded) ? decoded.length : undefined;
        },
      },
      printk: (level, text) => void loader.log.push(`<${level}>${text}`),
      hashedPointer: () => '00000000deadbeef',
      moduleAlloc: (size) => loader.#moduleAlloc(size, options.addresses),
      moduleFree: (addr) => loader.#moduleFree(addr),
      kmalloc: (size) => loader.#kmalloc(size),
      kfree: (addr) => void loader.objects.delete(addr),
      percpuReserve(size, align) {
        const offset = 0x3_0000 + Math.ceil(loader.percpuUsed / align) * align;
        if (size > 8192) return undefined;
        loader.percpuUsed += size;
        return offset;
      },
      percpuRelease() {
        loader.percpuUsed = 0;
      },
      cpuBases: [cpuBase],
      bootOption: (name) => options.bootOptions?.[name],
      addTaint(bit, locksUnreliable) {
        if (locksUnreliable && loader.#lockDebugging) {
          loader.#lockDebugging = false;
          loader.log.push(`<${LOGLEVEL.LOGLEVEL_WARNING}>Disabling lock debugging due to kernel taint`);
        }
        loader.taints |= 1 << bit;
      },
      hasTaint: (bit) => (loader.taints & (1 << bit)) !== 0,
      bindExport: () => undefined,
      // biome-ignore lint/correctness/useYield: nothing is run, so nothing is waited for
      *callInt(addr, ...args) {
        loader.calls.push(addr);
        return loader.onCall(addr, args);
      },
      frame: (_name, _callee, body) => body,
      // biome-ignore lint/correctness/useYield: nobody else runs here
      *waitForModules(condition) {
        return condition();
      },
      moduleWake: () => undefined,
      // biome-ignore lint/correctness/useYield: nobody calls it
      *kthreadExit(): Routine<never> {
        throw new Error('kthread_exit');
      },
      // biome-ignore lint/correctness/useYield: no setter of a parameter is run
      *parseArgs(_name, args, _params, _count, unknown): Routine<ParseArgsResult> {
        for (const word of memory.readString(args).split(' ').filter(Boolean)) {
          const [param, value] = word.split('=');
          unknown(param!, value);
        }
        return { afterDashes: undefined };
      },
      warn: (where, text) => void loader.log.push(`WARN at ${where}: ${text ?? ''}`),
      *destroyParams() {},
      dumpStack: () => void loader.log.push('dump_stack'),
      preemptCount: 0,
      irqsDisabled: false,
      scheduleWork: (work) => work(),
      *asyncSynchronize() {},
      events: options.events ?? {},
    };
    this.modules = new Modules(this.host);
  }

  /** Runs a routine to its end. */
  run<T>(routine: Routine<T>): T {
    for (;;) {
      const step = routine.next();
      if (step.done) return step.value;
    }
  }

  /** Forgets everything that was loaded, so that the memory can be used again. */
  reset(): void {
    for (const addr of [...this.areas.keys()]) this.#moduleFree(addr);
  }

  #moduleAlloc(size: number, addresses: LoaderOptions['addresses']): GuestAddr | undefined {
    this.allocations++;
    if (size === 0 || size > MODULE_LIMIT) return undefined;
    const bytes = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    let at: number = addresses?.(bytes) ?? 0;
    if (at === 0) {
      at = -0x4000_0000;
      for (const [start, length] of [...this.areas].sort(([a], [b]) => a - b)) {
        if (start - at >= bytes + PAGE_SIZE) break;
        at = start + length + PAGE_SIZE;
      }
    }
    const addr = asAddr(at);
    this.memory.map(addr, bytes, PROT_RW);
    this.memory.raw.fill(0, addr >>> 0, (addr >>> 0) + bytes);
    this.areas.set(addr, bytes);
    return addr;
  }

  #moduleFree(addr: GuestAddr): void {
    const size = this.areas.get(addr);
    if (size === undefined) throw new Error('module_memfree of what was not allocated');
    this.areas.delete(addr);
    this.memory.unmap(addr, size);
  }

  #kmalloc(size: number): GuestAddr {
    const addr = this.#heap;
    const bytes = Math.ceil(Math.max(size, 1) / 16) * 16;
    if (addr + bytes > HEAP_START + HEAP_SIZE) {
      this.#heap = HEAP_START;
      return this.#kmalloc(size);
    }
    this.#heap = asAddr(addr + bytes);
    this.objects.set(addr, size);
    return addr;
  }
}
