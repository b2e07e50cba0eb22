import { asAddr, type GuestAddr } from '../../../bytes/index.ts';
import type { Kernel } from '../../kernel.ts';
import { type CodePlace, codePlace } from '../../traps/crash.ts';
import { type SourcePlace, sourceOf } from '../../traps/source-place.ts';

/** A function on a stack. */
export interface StackFrame {
  /** The instruction, or for callers the one behind the call. */
  readonly address: GuestAddr;
  /** As the kernel prints it: `function+0xoffset/0xsize [module]`, or the address. */
  readonly symbol: string;
  readonly function: string | undefined;
  /** Bytes from the function's start, and its size. */
  readonly offset: number | undefined;
  readonly size: number | undefined;
  readonly module: string | undefined;
  /** Where it is in the module's source, as far as debug information tells; looked up when it is asked for. */
  readonly source: SourcePlace | undefined;
}

/** Names a place in code now, so that it can be told when the code is gone. */
export function stackFrame(k: Kernel, address: GuestAddr, isReturn: boolean): StackFrame {
  const place = codePlace(k, address, isReturn);
  const at = isReturn ? asAddr(address - 1) : address;
  const symbol = k.kallsyms.at(at);
  return new PlacedFrame(place, symbol && { ...symbol, offset: address - symbol.start });
}

class PlacedFrame implements StackFrame {
  readonly address: GuestAddr;
  readonly symbol: string;
  readonly function: string | undefined;
  readonly offset: number | undefined;
  readonly size: number | undefined;
  readonly module: string | undefined;
  readonly #place: CodePlace;

  constructor(place: CodePlace, symbol: { name: string; offset: number; size: number } | undefined) {
    this.address = place.addr;
    this.symbol = place.symbol;
    this.function = symbol?.name;
    this.offset = symbol?.offset;
    this.size = symbol?.size;
    this.module = place.module?.name;
    this.#place = place;
  }

  get source(): SourcePlace | undefined {
    return sourceOf(this.#place);
  }
}
