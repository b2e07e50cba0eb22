import { addrToU64, asAddr, type GuestAddr } from '../../bytes/index.ts';
import { IMAGE } from '../../memory/index.ts';
import type { Kernel } from '../kernel.ts';

/** A symbol of the kernel or of a loaded module, with an address's place in it. */
export interface SymbolPlace {
  readonly name: string;
  readonly start: GuestAddr;
  /** Bytes from the symbol's start, and its size. */
  readonly offset: number;
  readonly size: number;
  /** Name of the module, undefined for the kernel's own. */
  readonly module: string | undefined;
}

/** As the kernel prints an unsigned long: the size of what stands behind the last function is negative. */
function unsignedHex(size: number): string {
  return size >= 0 ? size.toString(16) : BigInt.asUintN(64, BigInt(size)).toString(16);
}

/** Names for addresses: the image's symbols and those of loaded modules. */
export class Kallsyms {
  readonly #k: Kernel;

  constructor(k: Kernel) {
    this.#k = k;
  }

  at(addr: GuestAddr): SymbolPlace | undefined {
    if (addr >= IMAGE.start && addr < IMAGE.start + IMAGE.size) {
      const symbol = this.#k.spec.symbols.at(addr);
      if (symbol === undefined) return undefined;
      return {
        name: symbol.name,
        start: symbol.address,
        offset: symbol.offset,
        size: symbol.size,
        module: undefined,
      };
    }
    return this.#k.text.symbolAt(addr);
  }

  /** `%ps`: the name, `name [module]`, or the address as `0x...`. */
  name(addr: GuestAddr): string {
    const place = this.at(addr);
    if (place === undefined) return `0x${addrToU64(addr).toString(16)}`;
    return place.module === undefined ? place.name : `${place.name} [${place.module}]`;
  }

  /** `%pS`: `name+0xoffset/0xsize [module]`, or the address as `0x...`. */
  describe(addr: GuestAddr): string {
    const place = this.at(addr);
    if (place === undefined) return `0x${addrToU64(addr).toString(16)}`;
    const where = `${place.name}+0x${place.offset.toString(16)}/0x${unsignedHex(place.size)}`;
    return place.module === undefined ? where : `${where} [${place.module}]`;
  }

  /** `%pB`: a return address, named by the call before it. */
  describeReturn(addr: GuestAddr): string {
    const place = this.at(asAddr(addr - 1));
    if (place === undefined) return `0x${addrToU64(addr).toString(16)}`;
    const where = `${place.name}+0x${(place.offset + 1).toString(16)}/0x${unsignedHex(place.size)}`;
    return place.module === undefined ? where : `${where} [${place.module}]`;
  }
}
