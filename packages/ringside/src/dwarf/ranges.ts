import { DW_AT, DW_RLE } from './constants.ts';
import { Cursor } from './cursor.ts';
import type { Entry, Unit } from './unit.ts';

/** Addresses from `start` up to, not including, `end`. */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** The code addresses an entry covers, empty ranges left out. Source: DWARF 5 section 2.17. */
export function rangesOf(unit: Unit, entry: Entry): AddressRange[] {
  const list = entry.attributes.get(DW_AT.ranges);
  const found = list === undefined ? contiguous(unit, entry) : listed(unit, list.kind, list.value);
  return found.filter((range) => range.end > range.start);
}

function contiguous(unit: Unit, entry: Entry): AddressRange[] {
  const start = unit.address(entry, DW_AT.low_pc);
  if (start === undefined) return [];
  const size = unit.number(entry, DW_AT.high_pc);
  const end = size === undefined ? unit.address(entry, DW_AT.high_pc) : start + size;
  return end === undefined ? [] : [{ start, end }];
}

function listed(unit: Unit, kind: string, value: number): AddressRange[] {
  const base = unit.address(unit.root, DW_AT.low_pc) ?? 0;
  if (unit.version < 5) return oldList(new Cursor(unit.sections.get('.debug_ranges'), value), base);
  const offset = kind === 'range-index' ? unit.rangeListOffset(value) : value;
  return newList(unit, new Cursor(unit.sections.get('.debug_rnglists'), offset), base);
}

/** Source: DWARF 4 section 2.17.3. */
function oldList(cursor: Cursor, unitBase: number): AddressRange[] {
  const ranges: AddressRange[] = [];
  let base = unitBase;
  for (;;) {
    const start = cursor.address();
    const end = cursor.address();
    if (start === 0 && end === 0) return ranges;
    if (start === -1) base = end;
    else ranges.push({ start: base + start, end: base + end });
  }
}

/** Source: DWARF 5 section 2.17.3. */
function newList(unit: Unit, cursor: Cursor, unitBase: number): AddressRange[] {
  const ranges: AddressRange[] = [];
  let base = unitBase;
  const add = (start: number, end: number) => ranges.push({ start, end });
  for (;;) {
    const kind = cursor.u8();
    switch (kind) {
      case DW_RLE.end_of_list:
        return ranges;
      case DW_RLE.base_addressx:
        base = unit.indexedAddress(cursor.uleb());
        break;
      case DW_RLE.base_address:
        base = cursor.address();
        break;
      case DW_RLE.startx_endx:
        add(unit.indexedAddress(cursor.uleb()), unit.indexedAddress(cursor.uleb()));
        break;
      case DW_RLE.startx_length: {
        const start = unit.indexedAddress(cursor.uleb());
        add(start, start + cursor.uleb());
        break;
      }
      case DW_RLE.offset_pair:
        add(base + cursor.uleb(), base + cursor.uleb());
        break;
      case DW_RLE.start_end:
        add(cursor.address(), cursor.address());
        break;
      case DW_RLE.start_length: {
        const start = cursor.address();
        add(start, start + cursor.uleb());
        break;
      }
      default:
        return cursor.fail(`unknown range list entry 0x${kind.toString(16)}`);
    }
  }
}
