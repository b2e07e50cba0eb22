import { asAddr, type GuestAddr } from '../bytes/index.ts';
import { DIRECT_MAP, GuestMemory, MODULES, PROT_RW, PROT_RX, VMALLOC } from '../memory/index.ts';
import type { Cpu, CpuOptions, Stop } from './cpu.ts';
import { createCpu } from './create-cpu.ts';
import { RDI, RSI, SLOT_RFLAGS } from './register-file.ts';

/** The smallest machine that runs code, for tests and benchmarks: text, a heap and a stack, no kernel. */
export interface BareMachine {
  readonly memory: GuestMemory;
  readonly cpu: Cpu;
  /** Where the code is. */
  readonly text: GuestAddr;
  readonly heap: GuestAddr;
  /** The end of the stack, 256 bytes of it above. */
  readonly stack: GuestAddr;
  /** Calls a function and runs until it returns (undefined) or stops. */
  call(addr: GuestAddr, args?: readonly (bigint | number)[], fuel?: number): Stop | undefined;
}

export interface BareMachineOptions extends Partial<Omit<CpuOptions, 'memory' | 'natives'>> {
  readonly heapBytes?: number;
  /** Functions of ours: address and what they do; `false` leaves. */
  readonly natives?: readonly { readonly addr: number; readonly run: (machine: BareMachine) => boolean }[];
  /** Fuel that each call of them takes. */
  readonly fuelPerCall?: number;
  /** Guest memory to use again, since making it costs time. */
  readonly memory?: GuestMemory;
}

/** Where returning from `call` leads: a function of ours that leaves. */
const EXIT = asAddr(MODULES.start + 0x3e00_0000);
const STACK_BYTES = 0x1_0000;

export function bareMachine(code: Uint8Array, options: BareMachineOptions = {}): BareMachine {
  const memory = options.memory ?? new GuestMemory();
  const text = MODULES.start;
  const heap = asAddr(DIRECT_MAP.start + 0x10_0000);
  const stackBase = asAddr(VMALLOC.start + 0x1_0000);
  const stack = asAddr(stackBase + STACK_BYTES - 256);
  const pages = (n: number): number => Math.max(1, Math.ceil(n / 4096)) * 4096;
  memory.raw.fill(0, text >>> 0, (text >>> 0) + pages(code.length));
  memory.raw.set(code, text >>> 0);
  memory.map(text, pages(code.length), PROT_RX);
  memory.map(heap, pages(options.heapBytes ?? 0x1_0000), PROT_RW);
  memory.map(stackBase, STACK_BYTES, PROT_RW);
  const natives = options.natives ?? [];
  const byAddr = new Map<number, number>([[EXIT as number, 0]]);
  for (const [i, native] of natives.entries()) byAddr.set(native.addr, i + 1);
  const { heapBytes: _heap, natives: _natives, fuelPerCall = 0, memory: _memory, ...rest } = options;
  const cpu = createCpu({
    ...rest,
    memory,
    natives: {
      indexAt: (addr) => byAddr.get(addr) ?? -1,
      invoke: (index) => (index === 0 ? false : natives[index - 1]!.run(machine)),
      fuelPerCall,
    },
  });
  memory.onTextChange = (addr, size) => cpu.invalidate(addr, size);
  const machine: BareMachine = {
    memory,
    cpu,
    text,
    heap,
    stack,
    call: (addr, args = [], fuel = 2 ** 30) => {
      const { regs } = cpu;
      for (const [i, value] of args.entries())
        regs.setU64([RDI, RSI, 2, 1, 8, 9][i]!, BigInt.asUintN(64, BigInt(value)));
      regs.rsp = asAddr(stack - 8);
      memory.writePtr(regs.rsp, EXIT);
      regs.setU64(SLOT_RFLAGS, 0x202n);
      regs.rip = addr;
      const stop = cpu.run(fuel);
      return stop.kind === 'native' && regs.rip === EXIT ? undefined : stop;
    },
  };
  return machine;
}
