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
  if (symbol !== undefined) return new PlacedFrame(place, { ...symbol, offset: address - symbol.start });
  // the kernel shows a bare address for code that is gone
  const former = k.modules.formerAt(at);
  const gone = former?.symbolAt(at);
  return new PlacedFrame(
    place,
    gone && { ...gone, offset: address - at + gone.offset, module: former?.moduleName },
  );
}

interface NamedPlace {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly module: string | undefined;
}

class PlacedFrame implements StackFrame {
  readonly address: GuestAddr;
  readonly symbol: string;
  readonly function: string | undefined;
  readonly offset: number | undefined;
  readonly size: number | undefined;
  readonly module: string | undefined;
  readonly #place: CodePlace;

  constructor(place: CodePlace, symbol: NamedPlace | undefined) {
    this.address = place.addr;
    this.symbol =
      symbol === undefined || !place.symbol.startsWith('0x')
        ? place.symbol
        : `${symbol.name}+0x${symbol.offset.toString(16)}/0x${symbol.size.toString(16)} [${symbol.module}]`;
    this.function = symbol?.name;
    this.offset = symbol?.offset;
    this.size = symbol?.size;
    this.module = symbol?.module;
    this.#place = place;
  }

  get source(): SourcePlace | undefined {
    return sourceOf(this.#place);
  }
}
