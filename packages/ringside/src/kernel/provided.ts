import type { StructLayout } from '../btf/index.ts';
import { asAddr, type GuestAddr } from '../bytes/index.ts';
import { POISON } from '../memory/index.ts';
import type { Kernel } from './kernel.ts';

interface PartialStruct {
  readonly name: string;
  readonly size: number;
}

/**
 * Kernel structs of which only some members are filled. The others are closed to the guest: reading one must not
 * give a made-up 0, it stops by the member's name.
 */
export class ProvidedFields {
  readonly #k: Kernel;
  readonly #structs = new Map<GuestAddr, PartialStruct>();

  constructor(k: Kernel) {
    this.#k = k;
  }

  /** Leaves only `members` of the struct at `addr` open; those that this kernel's struct does not have are passed over. */
  open(addr: GuestAddr, struct: string, members: readonly string[]): void {
    const { memory } = this.#k;
    const layout = this.#k.spec.types.struct(struct);
    this.#structs.set(addr, { name: struct, size: layout.size });
    const start = asAddr(Math.floor(addr / 8) * 8);
    memory.poison(start, Math.ceil((addr + layout.size - start) / 8) * 8, POISON.notProvided);
    for (const path of members) {
      const member = layout.find(path);
      if (member === undefined) continue;
      // whole granules: a neighbour in the same 8 bytes stays open too
      const first = asAddr(Math.floor((addr + member.offset) / 8) * 8);
      const bytes = Math.max(1, member.sizeBytes);
      memory.unpoison(first, Math.ceil((addr + member.offset + bytes - first) / 8) * 8);
    }
  }

  /** The struct's memory has gone back to its allocator. */
  close(addr: GuestAddr): void {
    this.#structs.delete(addr);
  }

  /** `struct.member` at an address that is closed, or undefined when it is in no such struct. */
  memberAt(addr: GuestAddr): string | undefined {
    for (const [start, { name, size }] of this.#structs) {
      if (addr < start || addr >= start + size) continue;
      return `${name}.${this.#member(this.#k.spec.types.struct(name), addr - start)}`;
    }
    return undefined;
  }

  #member(layout: StructLayout, offset: number): string {
    const type = this.#k.spec.types.type(layout.id);
    if (type.kind !== 'struct' && type.kind !== 'union') return `0x${offset.toString(16)}`;
    let best = '';
    for (const member of type.members) {
      if (member.bitOffset / 8 > offset) break;
      if (member.name !== '') best = member.name;
    }
    return best;
  }
}
