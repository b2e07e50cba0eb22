/**
 * Three kernels that are Debian's own code: exported functions of modules of the installed kernel, loaded unmodified by
 * Ringside's loader. real.c does the same natively, with the same machine code.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asAddr, type GuestAddr } from '../../packages/ringside/src/bytes/index.ts';
import { boot, type Machine } from '../../packages/ringside/src/machine/index.ts';
import { PROT_RW, VMALLOC } from '../../packages/ringside/src/memory/index.ts';
import { openBuiltInSpec } from '../../packages/ringside/src/node/index.ts';
import {
  R8,
  RAX,
  RCX,
  RDI,
  RDX,
  RSI,
  SLOT_GS_BASE,
  SLOT_RFLAGS,
} from '../../packages/ringside/src/translate/index.ts';
import type { KernelRun } from './kernel-run.ts';

const ARGUMENTS = [RDI, RSI, RDX, RCX, R8];
/** The numbers are those of real.c. */
const SOURCE_BYTES = 1 << 18;
const OUTPUT_BYTES = 1 << 19;
const WORK_BYTES = 1 << 16;
const STACK_BYTES = 1 << 16;
/** Far behind what the simulated kernel allocates. */
const SCRATCH = asAddr(VMALLOC.start + VMALLOC.size - (1 << 24));
const SLICE = 2 ** 24;

/** Buffers of a machine, and calls into its modules. */
class Caller {
  readonly source = SCRATCH;
  readonly output = asAddr(SCRATCH + SOURCE_BYTES);
  readonly work = asAddr(SCRATCH + SOURCE_BYTES + OUTPUT_BYTES);
  readonly #stack = asAddr(SCRATCH + SOURCE_BYTES + OUTPUT_BYTES + WORK_BYTES + 4096);
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    const { memory } = machine.kernel;
    memory.map(this.source, SOURCE_BYTES + OUTPUT_BYTES + WORK_BYTES, PROT_RW);
    memory.map(this.#stack, STACK_BYTES, PROT_RW);
    fill(memory.raw.subarray(this.source >>> 0, (this.source >>> 0) + SOURCE_BYTES));
  }

  /** Calls a function and runs it to its end, in slices as a machine would; RAX. */
  call(name: string, ...args: readonly (GuestAddr | number)[]): bigint {
    const { cpu, memory, modules, natives, percpu } = this.#machine.kernel;
    const addr = modules.lookupName(name);
    if (addr === 0) throw new Error(`no loaded module has ${name}`);
    const { regs } = cpu;
    for (const [i, value] of args.entries()) regs.setU64(ARGUMENTS[i]!, BigInt.asUintN(64, BigInt(value)));
    regs.setU64(SLOT_RFLAGS, 0x202n);
    regs.setAddr(SLOT_GS_BASE, percpu.base);
    regs.rsp = asAddr(this.#stack + STACK_BYTES - 264);
    memory.writePtr(regs.rsp, natives.returnAddress);
    regs.rip = addr;
    for (;;) {
      const stop = cpu.run(SLICE);
      if (stop.kind === 'fuel') continue;
      if (stop.kind === 'native' && regs.rip === natives.returnAddress) return regs.u64(RAX);
      throw new Error(`${name} stopped: ${JSON.stringify(stop, (_, v: unknown) => String(v))}`);
    }
  }

  /** Hash of the first bytes of the output. */
  outputHash(bytes: number): bigint {
    const { raw } = this.#machine.kernel.memory;
    let hash = 0xcbf29ce484222325n ^ BigInt(bytes);
    for (let i = 0; i < bytes; i++) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(raw[(this.output >>> 0) + i]!)) * 0x100000001b3n);
    }
    return hash;
  }
}

/** Bytes that compress about as text does, as real.c makes them. */
function fill(source: Uint8Array): void {
  let s = 1;
  let left = 0;
  let back = 0;
  for (let i = 0; i < source.length; i++, left--) {
    if (left === 0) {
      s = (Math.imul(s, 1103515245) + 12345) | 0;
      left = 4 + (s >>> 28);
      back = (s >>> 24) & 2 ? 1 + ((s >>> 8) & 0x3fff) : 0;
    }
    s = (Math.imul(s, 1103515245) + 12345) | 0;
    source[i] = back !== 0 && back <= i ? source[i - back]! : s >>> 16;
  }
}

export interface RealKernel {
  readonly name: string;
  /** Its file below `/lib/modules/RELEASE/kernel`. */
  readonly module: string;
  readonly size: number;
  readonly smokeSize: number;
  /** Hash of the output of the smoke run on the processor. */
  readonly smokeResult: bigint;
  /** Runs it; how many bytes of output it has made. */
  readonly run: (caller: Caller, size: number) => number;
}

export const REAL_KERNELS: readonly RealKernel[] = [
  {
    name: 'lz4',
    module: 'lib/lz4/lz4_compress.ko',
    size: 1 << 18,
    smokeSize: 4096,
    smokeResult: 6382116576859712664n,
    run: (c, size) => Number(c.call('LZ4_compress_default', c.source, c.output, size, OUTPUT_BYTES, c.work)),
  },
  {
    name: 'md4',
    module: 'fs/smb/common/cifs_md4.ko',
    size: 1 << 18,
    smokeSize: 4096,
    smokeResult: 8675622198587894697n,
    run: (c, size) => {
      c.call('cifs_md4_init', c.work);
      c.call('cifs_md4_update', c.work, c.source, size);
      c.call('cifs_md4_final', c.work, c.output);
      return 16;
    },
  },
  {
    name: 'curve25519',
    module: 'lib/crypto/libcurve25519-generic.ko',
    size: 20,
    smokeSize: 1,
    smokeResult: 3920835474619326284n,
    run: (c, size) => {
      for (let i = 0; i < size; i++) {
        const at = (base: GuestAddr, n: number): GuestAddr => asAddr(base + 32 * n);
        c.call('curve25519_generic', at(c.output, i), at(c.source, i), at(c.source, i + 1));
      }
      return 32 * size;
    },
  },
];

/** The release of Debian's kernel that the machines are. */
export function kernelRelease(): string {
  return openBuiltInSpec().release;
}

/** The file of a kernel's module, whether it is there or not. */
export function moduleFile(kernel: RealKernel): string {
  return join('/lib/modules', kernelRelease(), 'kernel', kernel.module);
}

/** A booted machine with the modules of the kernels loaded. */
export async function loadRealKernels(
  checked: boolean,
  kernels: readonly RealKernel[],
  exact = false,
): Promise<ReadonlyMap<string, KernelRun>> {
  const machine = await boot({ spec: openBuiltInSpec(), checked, exact });
  for (const kernel of kernels) {
    const result = await machine.insmod(readFileSync(moduleFile(kernel)), { name: kernel.module });
    if (result.kind === 'returned' && result.value === 0) continue;
    const why = machine.log.map((record) => record.text).join('\n');
    throw new Error(`insmod ${kernel.module}: ${JSON.stringify(result)}\n${why}`);
  }
  const caller = new Caller(machine);
  return new Map(
    kernels.map((kernel) => [
      kernel.name,
      (size) => {
        const start = performance.now();
        const bytes = kernel.run(caller, size);
        const ns = (performance.now() - start) * 1e6;
        return { result: caller.outputHash(bytes), ns };
      },
    ]),
  );
}
