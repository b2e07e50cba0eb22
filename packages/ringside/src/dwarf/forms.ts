import { DW_FORM } from './constants.ts';
import type { Cursor } from './cursor.ts';

/** What kind of thing an attribute's value is. */
export type ValueClass =
  | 'address'
  | 'address-index'
  | 'block'
  | 'constant'
  | 'flag'
  | 'reference'
  | 'section-reference'
  | 'foreign'
  | 'section-offset'
  | 'range-index'
  | 'string'
  | 'string-offset'
  | 'line-string-offset'
  | 'string-index';

/** An attribute's value as encoded: what the number means depends on the class. */
export interface AttributeValue {
  readonly kind: ValueClass;
  /** The value, offset or index; for `string` and `block` the position of the first byte in the section. */
  readonly value: number;
  /** Bytes in a `block`, otherwise 0. */
  readonly size: number;
}

type Read = (cursor: Cursor) => number;

const u8: Read = (cursor) => cursor.u8();
const u16: Read = (cursor) => cursor.u16();
const u24: Read = (cursor) => cursor.u24();
const u32: Read = (cursor) => cursor.u32();
const u64: Read = (cursor) => cursor.u64();
const uleb: Read = (cursor) => cursor.uleb();
const sleb: Read = (cursor) => cursor.sleb();
const offset: Read = (cursor) => cursor.offset();
const address: Read = (cursor) => cursor.address();
const one: Read = () => 1;
const inPlaceString: Read = (cursor) => {
  const start = cursor.position;
  cursor.skipString();
  return start;
};

/** Class and encoding of each form of fixed meaning. Source: DWARF 5 section 7.5.6. */
const FORMS: ReadonlyMap<number, readonly [ValueClass, Read]> = new Map<number, readonly [ValueClass, Read]>([
  [DW_FORM.addr, ['address', address]],
  [DW_FORM.data1, ['constant', u8]],
  [DW_FORM.data2, ['constant', u16]],
  [DW_FORM.data4, ['constant', u32]],
  [DW_FORM.data8, ['constant', u64]],
  [DW_FORM.sdata, ['constant', sleb]],
  [DW_FORM.udata, ['constant', uleb]],
  [DW_FORM.string, ['string', inPlaceString]],
  [DW_FORM.strp, ['string-offset', offset]],
  [DW_FORM.line_strp, ['line-string-offset', offset]],
  [DW_FORM.strp_sup, ['foreign', offset]],
  [DW_FORM.GNU_strp_alt, ['foreign', offset]],
  [DW_FORM.strx, ['string-index', uleb]],
  [DW_FORM.strx1, ['string-index', u8]],
  [DW_FORM.strx2, ['string-index', u16]],
  [DW_FORM.strx3, ['string-index', u24]],
  [DW_FORM.strx4, ['string-index', u32]],
  [DW_FORM.addrx, ['address-index', uleb]],
  [DW_FORM.addrx1, ['address-index', u8]],
  [DW_FORM.addrx2, ['address-index', u16]],
  [DW_FORM.addrx3, ['address-index', u24]],
  [DW_FORM.addrx4, ['address-index', u32]],
  [DW_FORM.flag, ['flag', u8]],
  [DW_FORM.flag_present, ['flag', one]],
  [DW_FORM.ref1, ['reference', u8]],
  [DW_FORM.ref2, ['reference', u16]],
  [DW_FORM.ref4, ['reference', u32]],
  [DW_FORM.ref8, ['reference', u64]],
  [DW_FORM.ref_udata, ['reference', uleb]],
  [DW_FORM.ref_addr, ['section-reference', offset]],
  [DW_FORM.ref_sig8, ['foreign', u64]],
  [DW_FORM.ref_sup4, ['foreign', u32]],
  [DW_FORM.ref_sup8, ['foreign', u64]],
  [DW_FORM.GNU_ref_alt, ['foreign', offset]],
  [DW_FORM.sec_offset, ['section-offset', offset]],
  [DW_FORM.loclistx, ['foreign', uleb]],
  [DW_FORM.rnglistx, ['range-index', uleb]],
]);

/** The forms whose value is a run of bytes, and how their size is encoded. */
const BLOCKS: ReadonlyMap<number, Read> = new Map<number, Read>([
  [DW_FORM.block1, u8],
  [DW_FORM.block2, u16],
  [DW_FORM.block4, u32],
  [DW_FORM.block, uleb],
  [DW_FORM.exprloc, uleb],
  [DW_FORM.data16, () => 16],
]);

/**
 * Reads one value of `form` and moves behind it. `implicit` is the value of `DW_FORM_implicit_const`, which
 * stands in the abbreviation. An unknown form cannot even be skipped: `FormatError`.
 */
export function readForm(cursor: Cursor, form: number, implicit = 0): AttributeValue {
  const simple = FORMS.get(form);
  if (simple !== undefined) return { kind: simple[0], value: simple[1](cursor), size: 0 };
  const blockSize = BLOCKS.get(form);
  if (blockSize !== undefined) {
    const size = blockSize(cursor);
    const value = cursor.position;
    cursor.skip(size);
    return { kind: 'block', value, size };
  }
  if (form === DW_FORM.implicit_const) return { kind: 'constant', value: implicit, size: 0 };
  if (form === DW_FORM.indirect) {
    const actual = cursor.uleb();
    if (actual === DW_FORM.indirect || actual === DW_FORM.implicit_const) {
      cursor.fail(`form 0x${actual.toString(16)} may not be chosen by DW_FORM_indirect`);
    }
    return readForm(cursor, actual);
  }
  return cursor.fail(`unknown form 0x${form.toString(16)}`);
}
