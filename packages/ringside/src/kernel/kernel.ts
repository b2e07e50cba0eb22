import { SIGNAL } from '../abi/index.ts';
import type { StructLayout } from '../btf/index.ts';
import { asAddr, type FormatError, type GuestAddr, NULL, UnsupportedError } from '../bytes/index.ts';
import type { KernelSpec } from '../image/index.ts';
import {
  type Access,
  DIRECT_MAP,
  GuestMemory,
  IMAGE,
  MODULES,
  PAGE_SIZE,
  POISON,
  PROT_RO,
  PROT_RW,
  TrackedMemory,
  VMALLOC,
  VMEMMAP,
} from '../memory/index.ts';
import type { Cpu, CpuOptions, Stop } from '../translate/index.ts';
import { Arguments } from './arguments.ts';
import { EXPORT_TABLES } from './export-tables.ts';
import { formatServices } from './format-services.ts';
import { Softirq } from './irq/softirq.ts';
import { Kallsyms } from './kallsyms/kallsyms.ts';
import { type Layouts, readLayouts } from './layouts.ts';
import { type FormatServices, format, RegisterArguments, type SipHashKey } from './lib/index.ts';
import { Locks } from './locking/locks.ts';
import { GlobalRedzones } from './mm/kasan/globals.ts';
import { BOOT_SITE, Tracks } from './mm/kasan/track.ts';
import { Kmalloc } from './mm/kmalloc.ts';
import { Kmsan } from './mm/kmsan/kmsan.ts';
import { PageAllocator } from './mm/page-alloc.ts';
import { RangeAllocator } from './mm/range-allocator.ts';
import { Slab, type SlabCache } from './mm/slab.ts';
import {
  bootCpuFeatures,
  kernelModuleHost,
  kernelParamServices,
  type Module,
  type ModuleEvents,
  Modules,
} from './module/index.ts';
import { KernelText } from './module-text.ts';
import { NativeTable } from './natives.ts';
import type { LogLevel, RegisterDump } from './panic/index.ts';
import { type ParamServices, StandardParams } from './params/index.ts';
import { PerCpu } from './percpu/percpu.ts';
import { Printk, type RatelimitServices } from './printk/index.ts';
import { ProvidedFields } from './provided.ts';
import { SeededRandom } from './random/random.ts';
import { Reports } from './reports.ts';
import { Completions } from './sched/completions.ts';
import { Fork } from './sched/fork.ts';
import { Scheduler } from './sched/scheduler.ts';
import type { Task } from './sched/task.ts';
import { CRED_FIELDS, NSPROXY_FIELDS } from './sched/task-fields.ts';
import { WaitQueues } from './sched/wait-queue.ts';
import { Clock } from './time/clock.ts';
import { Jiffies } from './time/jiffies.ts';
import { Timers } from './time/timer.ts';
import type { Crash } from './traps/crash.ts';
import { warnInKernel } from './traps/oops.ts';
import { Traps } from './traps/traps.ts';
import { Workqueues } from './workqueue/workqueue.ts';

export interface KernelOptions {
  readonly spec: KernelSpec;
  /** Makes the engine; the kernel knows it only as `Cpu`. */
  readonly createCpu: (options: CpuOptions) => Cpu;
  readonly seed: bigint;
  readonly commandLine: ReadonlyMap<string, string>;
  /** RAM in bytes. */
  readonly ramBytes: number;
  /** Bytes of freed objects kept before they are used again. */
  readonly quarantineBytes: number;
  /** Check every access of guest code (the default of machines). */
  readonly checked: boolean;
  /** See `CpuOptions.exact`. Default false. */
  readonly exact?: boolean;
  /** Panic after a report of a memory error. Default false. */
  readonly panicOnReport?: boolean;
  /** Find uses of uninitialised memory. Default false. */
  readonly uninitialised?: boolean;
}

/** What the kernel's own BPF programs have taken of the modules' region before the first module comes. */
const BPF_PROGRAMS = 0x20_1000;

/** Virtual time at which a machine is handed over: what a small kernel needs to boot. */
const BOOT_NS = 1_000_000_000;

/**
 * The simulated kernel: its subsystems, built in the order in which they stand on each other, over one guest
 * memory. Each subsystem keeps its state in guest memory where modules can see it and finds the others here.
 */
export class Kernel {
  readonly spec: KernelSpec;
  readonly commandLine: ReadonlyMap<string, string>;
  readonly memory: GuestMemory;
  readonly cpu: Cpu;
  readonly args: Arguments;
  readonly layouts: Layouts;
  readonly random: SeededRandom;
  readonly natives: NativeTable;
  readonly sched: Scheduler;
  readonly clock: Clock;
  readonly jiffies: Jiffies;
  readonly printk: Printk;
  readonly pages: PageAllocator;
  readonly vmalloc: RangeAllocator;
  readonly moduleAlloc: RangeAllocator;
  readonly slab: Slab;
  /** Who allocates and frees. */
  readonly tracks: Tracks;
  readonly kmalloc: Kmalloc;
  readonly percpu: PerCpu;
  readonly kallsyms: Kallsyms;
  readonly fork: Fork;
  readonly timers: Timers;
  readonly softirq: Softirq;
  readonly workqueues: Workqueues;
  readonly locks: Locks;
  readonly waitQueues: WaitQueues;
  readonly completions: Completions;
  readonly paramServices: ParamServices;
  readonly params: StandardParams;
  readonly modules: Modules;
  /** Redzones between the variables of modules. */
  readonly globals: GlobalRedzones;
  readonly text: KernelText;
  readonly format: FormatServices;
  readonly pointerKey: SipHashKey;
  readonly ratelimit: RatelimitServices;
  /** `printk_ratelimit_state` */
  readonly printkRatelimitState: GuestAddr;
  readonly traps: Traps;
  readonly reports: Reports;
  /** Finds uses of uninitialised memory, where that was asked for. */
  readonly kmsan: Kmsan | undefined;
  /** Start of the regions that modules ask for through variables. */
  readonly regions = { directMap: DIRECT_MAP.start, vmalloc: VMALLOC.start, vmemmap: VMEMMAP.start };
  /** The text of a function of ours with a format: argument `fmt` is the format, the variable ones begin at `first`. */
  formatArguments(fmt: number, first: number): string {
    const args = new RegisterArguments(this.cpu.regs, this.memory, first);
    return format(this.format, this.memory.readString(this.args.addr(fmt)), args, 1024).text;
  }

  /** One bit a CPU, as cpumasks have it. */
  get cpuMask(): number {
    return 2 ** this.percpu.cpuBases.length - 1;
  }

  /** CONFIG_INIT_ON_ALLOC_DEFAULT_ON: every allocation is zeroed. */
  readonly zeroOnAlloc: boolean;
  readonly taskCache: SlabCache;
  /** `init_cred`: root's credentials. */
  readonly initCred: GuestAddr;
  /** `init_nsproxy`: the only namespaces there are. */
  readonly initNsproxy: GuestAddr;
  readonly provided: ProvidedFields;
  /** Head that linked work items point to. */
  readonly workList: GuestAddr;
  /** Taint bits, `/proc/sys/kernel/tainted`. */
  tainted = 0;
  /** Set when the machine has stopped: panic, or something Ringside does not have. */
  halted = false;
  /** Oopses so far, and the registers of the first: every later one repeats them at its end. */
  oopsCount = 0;
  oopsSummary: RegisterDump | undefined;
  /** CR2: the address of the last page fault. */
  lastCr2 = 0n;
  readonly crashes: Crash[] = [];
  /** Told of each oops, warning and panic, after its text. */
  onCrash: ((crash: Crash) => void) | undefined;
  /** Told of each stop at a breakpoint or watchpoint of the processor; what was stopped goes on afterwards. */
  onDebugStop: ((stop: Stop) => void) | undefined;
  /** Why the input of the last task that was ended for it is bad. */
  rejected: FormatError | undefined;
  /** What is missing from Ringside, when that stopped a task. */
  readonly missing: UnsupportedError[] = [];
  /** Told when a task has ended. */
  onTaskExit: ((task: Task) => void) | undefined;

  constructor(options: KernelOptions) {
    const { spec } = options;
    this.spec = spec;
    this.commandLine = options.commandLine;
    this.layouts = readLayouts(spec.types);
    this.random = new SeededRandom(options.seed);
    const tracked = options.uninitialised === true ? new TrackedMemory() : undefined;
    this.memory = tracked ?? new GuestMemory();
    const kmsan = tracked && new Kmsan(this, tracked);
    this.kmsan = kmsan;
    this.natives = new NativeTable(this, EXPORT_TABLES);
    this.text = new KernelText(this);
    this.cpu = options.createCpu({
      memory: this.memory,
      natives: this.natives,
      checked: options.checked,
      exact: options.exact ?? false,
      features: bootCpuFeatures(),
      functionAt: (addr) => this.text.functionAt(addr),
      thunkAt: (addr) => this.text.thunkAt(addr),
      ...(kmsan === undefined ? {} : { follower: (regs) => kmsan.follower(regs) }),
    });
    this.memory.onTextChange = (addr, size) => this.cpu.invalidate(addr, size);
    this.args = new Arguments(this.cpu.regs);
    this.sched = new Scheduler(this);
    this.clock = new Clock(this, BOOT_NS);
    this.jiffies = new Jiffies(this, Number(spec.config?.get('CONFIG_HZ') ?? 250));
    this.kallsyms = new Kallsyms(this);
    this.printk = new Printk({
      clock: this.clock,
      // outside tasks the CPU's number with the top bit; Source: kernel/printk/printk.c, printk_caller_id
      callerId: () => (this.sched.context === 'task' ? this.sched.current.pid : 0x8000_0000),
      defaultLevel: Number(spec.config?.get('CONFIG_MESSAGE_LOGLEVEL_DEFAULT') ?? 4),
      consoleLoglevel: Number(spec.config?.get('CONFIG_CONSOLE_LOGLEVEL_DEFAULT') ?? 7),
      logBufferBytes: 2 ** Number(spec.config?.get('CONFIG_LOG_BUF_SHIFT') ?? 17),
    });
    this.pointerKey = { k0: this.random.u64(), k1: this.random.u64() };
    this.format = formatServices(this);
    this.ratelimit = {
      memory: this.memory,
      types: spec.types,
      printk: this.printk,
      jiffies: () => BigInt(this.jiffies.now),
    };
    this.zeroOnAlloc = spec.config?.get('CONFIG_INIT_ON_ALLOC_DEFAULT_ON') === 'y';
    this.pages = new PageAllocator(this.memory, options.ramBytes);
    this.memory.onMissing = (addr) => this.pages.open(addr);
    this.vmalloc = new RangeAllocator(this.memory, VMALLOC);
    this.moduleAlloc = new RangeAllocator(this.memory, MODULES, BPF_PROGRAMS);
    this.tracks = new Tracks(this);
    this.slab = new Slab({
      memory: this.memory,
      pages: this.pages,
      quarantineBytes: options.quarantineBytes,
      zeroOnAlloc: this.zeroOnAlloc,
      onAlloc: kmsan && ((addr, size, zeroed, site) => kmsan.allocated(addr, size, zeroed, site)),
    });
    this.reports = new Reports(this);
    this.traps = new Traps(this);
    this.memory.onPoison = (addr, size, access) => this.#poisoned(addr, size, access);
    this.reports.panics = options.panicOnReport ?? false;
    this.#mapImage();
    this.provided = new ProvidedFields(this);
    this.percpu = new PerCpu(this, 1);
    this.kmalloc = new Kmalloc(this);
    this.taskCache = this.slab.createCache('task_struct', this.layouts.task.size, 64);
    this.initCred = this.kmalloc.alloc(spec.types.struct('cred').size, true, BOOT_SITE);
    this.provided.open(this.initCred, 'cred', CRED_FIELDS);
    this.initNsproxy = this.#createNsproxy();
    this.workList = this.kmalloc.alloc(16, true, BOOT_SITE);
    this.fork = new Fork(this);
    this.#createIdle();
    this.timers = new Timers(this);
    this.softirq = new Softirq(this);
    this.locks = new Locks(this);
    this.waitQueues = new WaitQueues(this);
    this.completions = new Completions(this);
    this.workqueues = new Workqueues(this);
    this.printkRatelimitState = this.#createRatelimitState();
    this.paramServices = kernelParamServices(this);
    this.params = new StandardParams(this.paramServices);
    this.globals = new GlobalRedzones(this.memory);
    this.modules = new Modules(kernelModuleHost(this, this.#moduleEvents()));
    this.#initData();
    this.#protectRodata();
  }

  /** A function of ours uses poisoned memory on the guest's behalf. */
  #poisoned(addr: GuestAddr, size: number, access: Access): void {
    const missing = this.missingVariable(addr);
    if (missing === undefined) this.reports.poison(addr, size, access);
    else if (this.natives.runningName !== undefined) throw missing;
    else this.reports.unsupported(missing);
  }

  /** What the memory checker must know of modules' lives. */
  #moduleEvents(): ModuleEvents {
    const goes = (module: Module, which: 'core' | 'init') => {
      const { base, textSize } = module.layout(which);
      this.tracks.depot.codeGoes(base, textSize);
      this.reports.codeGoes(base, textSize);
      this.kmsan?.codeGoes();
    };
    return {
      formed: (module) => this.globals.add(module),
      freeingInit: (module) => goes(module, 'init'),
      freeing: (module) => {
        goes(module, 'core');
        goes(module, 'init');
      },
    };
  }

  /** Makes the guest's `struct kmem_cache` of a cache: what of it modules may read. */
  describeCache(cache: SlabCache, layout: StructLayout): void {
    cache.addr = this.kmalloc.alloc(layout.size, true, BOOT_SITE);
    const name = this.kmalloc.alloc(cache.name.length + 1, true, BOOT_SITE);
    this.memory.writeBytes(name, new TextEncoder().encode(cache.name));
    this.memory.writeU32(asAddr(cache.addr + layout.offsetOf('size')), cache.stride);
    this.memory.writeU32(asAddr(cache.addr + layout.offsetOf('object_size')), cache.objectSize);
    this.memory.writePtr(asAddr(cache.addr + layout.offsetOf('name')), name);
  }

  addTaint(bit: number): void {
    this.tainted |= 1 << bit;
  }

  /** `WARN_ONCE` in a function of ours that stands for the kernel's own. */
  warnInKernel(where: string, text: string): void {
    warnInKernel(this, where, text);
  }

  /** `printk` of one whole line. */
  log(level: LogLevel, text: string): void {
    this.printk.emit(`${text}\n`, level === 'default' ? {} : { level });
  }

  crashed(crash: Crash): void {
    this.crashes.push(crash);
    this.onCrash?.(crash);
  }

  /** The CPU's preempt count as it is between tasks. */
  resetPreemptCount(): void {
    this.memory.writeU32(this.percpu.addressOf('__preempt_count'), 0);
  }

  /** A task cannot go on because Ringside lacks something: it ends, and the machine says so. */
  unsupported(error: UnsupportedError): void {
    this.missing.push(error);
    this.reports.unsupported(error);
    // a handler ends alone: the task that it interrupted has nothing to do with it
    if (this.sched.abandonInterrupt()) return;
    this.sched.killCurrent(SIGNAL.SIGKILL);
  }

  /** The bytes that a task was given are not what their format demands: it ends, and its caller is told. */
  reject(error: FormatError): void {
    this.rejected = error;
    this.sched.killCurrent(SIGNAL.SIGKILL);
  }

  taskExited(task: Task): void {
    this.workqueues.died(task);
    this.onTaskExit?.(task);
  }

  /**
   * Makes a variable of the image usable: `size` bytes, by default what kallsyms says. Undefined when this kernel has
   * no such variable.
   */
  provide(name: string, size?: number): GuestAddr | undefined {
    const addr = this.spec.exports.byName(name)?.address ?? this.spec.symbols.lookup(name)?.address;
    if (addr === undefined || addr >= 0) return addr;
    const bytes = size ?? this.spec.symbols.at(addr)?.size ?? 8;
    // whole granules: a neighbour in the same 8 bytes becomes readable too
    const start = asAddr(Math.floor(addr / 8) * 8);
    this.memory.unpoison(start, Math.ceil((addr + bytes - start) / 8) * 8);
    return addr;
  }

  /** What to say when the guest uses a variable of the image that Ringside does not provide. */
  missingVariable(addr: GuestAddr): UnsupportedError | undefined {
    if (addr >= 0 || this.memory.shadow[(addr >>> 0) >>> 3] !== POISON.notProvided) return undefined;
    const member = this.provided.memberAt(addr);
    return new UnsupportedError({
      what: member ?? `kernel variable ${this.spec.symbols.at(addr)?.name ?? 'without a name'}`,
      neededBy: this.kallsyms.describe(this.sched.guestRip),
      advice: 'docs/compat.md lists what Ringside provides',
    });
  }

  /**
   * Maps the part of the image that holds variables. Everything in it is poisoned but what we provide: reading a
   * variable that nobody set up must not give a made-up 0.
   */
  #mapImage(): void {
    const { symbols } = this.spec;
    const start = symbols.lookup('__start_rodata')?.address ?? IMAGE.start;
    const end = symbols.lookup('_end')?.address ?? asAddr(IMAGE.start + IMAGE.size);
    const first = asAddr(Math.floor(start / PAGE_SIZE) * PAGE_SIZE);
    const size = Math.ceil((end - first) / PAGE_SIZE) * PAGE_SIZE;
    this.memory.map(first, size, PROT_RW);
    this.memory.poison(first, size, POISON.notProvided);
  }

  /** Constant data of the image is read-only once it is set up. */
  #protectRodata(): void {
    const start = this.spec.symbols.lookup('__start_rodata')?.address;
    const end = this.spec.symbols.lookup('__end_rodata')?.address;
    if (start === undefined || end === undefined) return;
    const first = asAddr(Math.floor(start / PAGE_SIZE) * PAGE_SIZE);
    this.memory.protect(first, Math.ceil((end - first) / PAGE_SIZE) * PAGE_SIZE, PROT_RO);
  }

  /** Five messages in five seconds. Source: include/linux/ratelimit_types.h, DEFAULT_RATELIMIT_INTERVAL and _BURST. */
  #createRatelimitState(): GuestAddr {
    const layout = this.spec.types.struct('ratelimit_state');
    const addr = this.kmalloc.alloc(layout.size, true, BOOT_SITE);
    this.memory.writeU32(asAddr(addr + layout.offsetOf('interval')), 5 * this.jiffies.hz);
    this.memory.writeU32(asAddr(addr + layout.offsetOf('burst')), 10);
    return addr;
  }

  #createNsproxy(): GuestAddr {
    const layout = this.spec.types.struct('nsproxy');
    const addr = this.provide('init_nsproxy') ?? this.kmalloc.alloc(layout.size, true, BOOT_SITE);
    const uts = this.spec.exports.byName('init_uts_ns')?.address ?? NULL;
    this.memory.writeU32(asAddr(addr + layout.offsetOf('count')), 1);
    this.memory.writePtr(asAddr(addr + layout.offsetOf('uts_ns')), uts);
    this.provided.open(addr, 'nsproxy', NSPROXY_FIELDS);
    return addr;
  }

  #createIdle(): void {
    const addr = this.provide('init_task');
    if (addr === undefined) throw new UnsupportedError({ what: 'a kernel without init_task' });
    const idle = this.fork.createIdle(addr);
    this.sched.idle = idle;
    this.sched.current = idle;
    this.percpu.setCurrent(idle.addr, idle.stackTop);
  }

  #initData(): void {
    for (const table of EXPORT_TABLES) {
      for (const [name, entry] of Object.entries(table)) {
        if (entry.kind !== 'data') continue;
        const addr = this.provide(name, entry.size?.(this));
        if (addr !== undefined) entry.init(this, addr);
      }
    }
  }
}
