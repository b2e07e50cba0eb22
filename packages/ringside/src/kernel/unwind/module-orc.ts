import type { Btf } from '../../btf/index.ts';
import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { OrcRule } from './orc.ts';

/** Where a module's ORC tables are in guest memory. */
export interface OrcTables {
  /** `.orc_unwind_ip`: 32-bit offsets, each from its own place, to the text an entry begins at. */
  readonly ip: GuestAddr;
  /** `.orc_unwind`: the entries. */
  readonly orc: GuestAddr;
  readonly count: number;
}

/** ORC entries of one module, by address. */
export class ModuleOrc {
  readonly #ips: Float64Array;
  readonly #rules: readonly OrcRule[];

  constructor(memory: GuestMemory, types: Btf, tables: OrcTables) {
    const layout = types.struct('orc_entry');
    const bits = (entry: GuestAddr, field: string): number => {
      const member = layout.find(field);
      if (member === undefined) return 0;
      const word =
        memory.view.getUint8((entry + member.offset) >>> 0) |
        (memory.view.getUint8((entry + member.offset + 1) >>> 0) << 8);
      return (word >>> member.bitOffset) & ((1 << member.bitSize) - 1);
    };
    const spOffset = layout.offsetOf('sp_offset');
    const bpOffset = layout.offsetOf('bp_offset');
    const entries = Array.from({ length: tables.count }, (_, i) => {
      const at = asAddr(tables.ip + 4 * i);
      const entry = asAddr(tables.orc + layout.size * i);
      const rule: OrcRule = {
        spOffset: memory.view.getInt16((entry + spOffset) >>> 0, true),
        bpOffset: memory.view.getInt16((entry + bpOffset) >>> 0, true),
        spReg: bits(entry, 'sp_reg'),
        bpReg: bits(entry, 'bp_reg'),
        type: bits(entry, 'type'),
        end: bits(entry, 'end') !== 0,
      };
      return { ip: at + memory.view.getInt32(at >>> 0, true), rule };
    });
    entries.sort((a, b) => a.ip - b.ip);
    this.#ips = Float64Array.from(entries, (e) => e.ip);
    this.#rules = entries.map((e) => e.rule);
  }

  /** The entry in force at `ip`: the last one that begins at or before it. */
  find(ip: GuestAddr): OrcRule | undefined {
    let low = 0;
    let high = this.#ips.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ips[middle]! <= ip) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : this.#rules[low - 1];
  }
}
