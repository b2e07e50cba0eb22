import type { ByteReader } from '../bytes/index.ts';
import { DW_FORM } from './constants.ts';
import { Cursor } from './cursor.ts';

/** How the entries with one abbreviation code are encoded. */
export interface Abbreviation {
  /** `DW_TAG_*` */
  readonly tag: number;
  readonly hasChildren: boolean;
  /** `DW_AT_*` and `DW_FORM_*`, alternating. */
  readonly specs: readonly number[];
  /** Values of `DW_FORM_implicit_const`, by position of the attribute. */
  readonly implicit: ReadonlyMap<number, number>;
}

/** One table of `.debug_abbrev`, by abbreviation code. */
export type AbbreviationTable = ReadonlyMap<number, Abbreviation>;

/** Reads the table at `offset`. Source: DWARF 5 section 7.5.3. */
export function readAbbreviations(section: ByteReader, offset: number): AbbreviationTable {
  const table = new Map<number, Abbreviation>();
  const cursor = new Cursor(section, offset);
  for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
    const tag = cursor.uleb();
    const hasChildren = cursor.u8() !== 0;
    const specs: number[] = [];
    const implicit = new Map<number, number>();
    for (;;) {
      const name = cursor.uleb();
      const form = cursor.uleb();
      if (name === 0 && form === 0) break;
      if (form === DW_FORM.implicit_const) implicit.set(specs.length / 2, cursor.sleb());
      specs.push(name, form);
    }
    table.set(code, { tag, hasChildren, specs, implicit });
  }
  return table;
}
