import { asAddr, type GuestAddr, UnsupportedError } from '../bytes/index.ts';
import { GuestAccessFault, IMAGE } from '../memory/index.ts';
import type { Natives } from '../translate/index.ts';
import type { ExportTable, FunctionExport } from './exports.ts';
import type { Kernel } from './kernel.ts';
import { NS_PER_INSTRUCTION, NS_PER_NATIVE } from './time/clock.ts';

interface BoundNative {
  readonly name: string;
  readonly addr: GuestAddr;
  /** Undefined when Ringside has no such function: a call stops by name. */
  readonly entry: FunctionExport | undefined;
}

/**
 * The functions of ours at the addresses where the kernel has the real ones. An address is bound when a symbol is
 * resolved to it, or when the guest first calls it.
 */
export class NativeTable implements Natives {
  /** Where guest code that a function of ours called returns to: in the image's region, but no function's address. */
  readonly returnAddress: GuestAddr = asAddr(IMAGE.start + IMAGE.size - 16);
  readonly #k: Kernel;
  readonly #tables: readonly ExportTable[];
  readonly #bound: BoundNative[] = [];
  readonly #index = new Map<GuestAddr, number>();
  /** Virtual time that the functions of ours have taken so far, in nanoseconds. */
  spentNs = 0;
  /** Fuel is virtual time: loops that only call functions of ours are stopped as all others are. */
  readonly fuelPerCall = NS_PER_NATIVE / NS_PER_INSTRUCTION;
  #running: BoundNative | undefined;

  constructor(k: Kernel, tables: readonly ExportTable[]) {
    this.#k = k;
    this.#tables = tables;
    this.#bound.push({ name: 'return to the kernel', addr: this.returnAddress, entry: undefined });
    this.#index.set(this.returnAddress, 0);
  }

  /** The table entry of a function or variable of ours. */
  entry(name: string): ExportTable[string] | undefined {
    for (const table of this.#tables) {
      if (Object.hasOwn(table, name)) return table[name];
    }
    return undefined;
  }

  /** Makes the function `name` callable at `addr`; without an implementation a call to it stops by name. */
  resolve(name: string, addr: GuestAddr): void {
    if (this.#index.has(addr)) return;
    const entry = this.entry(name);
    if (entry?.kind === 'data') return;
    this.#index.set(addr, this.#bound.length);
    this.#bound.push({ name, addr, entry });
  }

  /** The address of one of our own functions, for tables of function pointers that the guest reads. */
  addressOf(name: string): GuestAddr {
    const addr = this.#k.spec.exports.byName(name)?.address ?? this.#k.spec.symbols.lookup(name)?.address;
    if (addr === undefined) {
      throw new UnsupportedError({
        what: `function ${name}`,
        advice: `kernel ${this.#k.spec.release} has no such symbol`,
      });
    }
    this.resolve(name, addr);
    return addr;
  }

  indexAt(addr: GuestAddr): number {
    const index = this.#index.get(addr);
    if (index !== undefined) return index;
    if (addr < IMAGE.start || addr >= IMAGE.start + IMAGE.size) return -1;
    const symbol = this.#k.spec.symbols.at(addr);
    if (symbol === undefined || symbol.offset !== 0 || !/^[tTwW]$/.test(symbol.type)) return -1;
    const named =
      this.#k.spec.symbols.byName(symbol.name).length === 1 ? symbol.name : `${symbol.name} at ${addr}`;
    this.resolve(named, addr);
    return this.#index.get(addr) ?? -1;
  }

  nameAt(addr: GuestAddr): string | undefined {
    const index = this.#index.get(addr);
    return index === undefined ? undefined : this.#bound[index]!.name;
  }

  /** The function of ours that guest code has called and that runs this moment. */
  get runningName(): string | undefined {
    return this.#running?.name;
  }

  /** Takes the time of work whose amount a call chooses: bytes to copy, text to print. */
  spend(ns: number): void {
    this.spentNs += ns;
    this.#k.cpu.spend(ns / NS_PER_INSTRUCTION);
  }

  invoke(index: number): boolean {
    if (index === 0) return false;
    const k = this.#k;
    const native = this.#bound[index]!;
    this.spentNs += NS_PER_NATIVE;
    const outer = this.#running;
    this.#running = native;
    // a backtrace from here begins at the native, whose caller is on the stack
    k.cpu.regs.rip = native.addr;
    k.kmsan?.called();
    try {
      if (native.entry === undefined) {
        throw new UnsupportedError({
          what: `kernel function ${native.name}`,
          neededBy: k.kallsyms.describe(k.memory.readPtr(k.cpu.regs.rsp)),
          advice: 'docs/compat.md lists the functions that Ringside has',
        });
      }
      const result = native.entry.run(k);
      if (typeof result === 'object') return k.sched.enterNative(native.name, result) && !k.halted;
      k.sched.setResult(result);
      return !k.halted;
    } catch (error) {
      if (!(error instanceof GuestAccessFault || error instanceof UnsupportedError)) throw error;
      k.traps.failed({ native: native.name, error });
      return false;
    } finally {
      this.#running = outer;
    }
  }
}
