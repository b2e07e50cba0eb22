import { FormatError, UnsupportedError } from '../bytes/index.ts';
import { type Abbreviation, type AbbreviationTable, readAbbreviations } from './abbreviations.ts';
import { DW_AT, DW_UT } from './constants.ts';
import { Cursor } from './cursor.ts';
import type { DebugSections } from './debug-sections.ts';
import { type AttributeValue, readForm } from './forms.ts';
import { LineProgram } from './line-program.ts';

/** One debugging information entry. */
export interface Entry {
  /** Offset in `.debug_info`. */
  readonly offset: number;
  /** `DW_TAG_*` */
  readonly tag: number;
  readonly hasChildren: boolean;
  /** By `DW_AT_*`. */
  readonly attributes: ReadonlyMap<number, AttributeValue>;
  /** Offset of what follows: the first child, or the next sibling. */
  readonly next: number;
}

/** How many references (origin, specification, type) lead on before it must be a circle. */
const CHAIN_LIMIT = 64;
/** How deep entries may be nested; compilers stay below 100. */
const DEPTH_LIMIT = 1000;

/** One unit of `.debug_info`: its header, and its entries read on demand. */
export class Unit {
  readonly offset: number;
  /** Where the next unit begins. */
  readonly end: number;
  readonly version: number;
  readonly isTypeUnit: boolean;
  readonly sections: DebugSections;
  readonly #cursor: Cursor;
  readonly #firstEntry: number;
  readonly #abbreviationOffset: number;
  readonly #tables: Map<number, AbbreviationTable>;
  #root: Entry | undefined;
  #lines: LineProgram | undefined;

  /** `tables` is shared by all units of a file: many use the same abbreviations. */
  constructor(sections: DebugSections, offset: number, tables: Map<number, AbbreviationTable>) {
    this.sections = sections;
    this.offset = offset;
    this.#tables = tables;
    const cursor = new Cursor(sections.get('.debug_info'), offset).enterUnit();
    this.#cursor = cursor;
    this.end = cursor.end;
    this.version = cursor.u16();
    if (this.version < 3 || this.version > 5) {
      throw new UnsupportedError({ what: `debug information of DWARF version ${this.version}` });
    }
    const kind = this.version >= 5 ? cursor.u8() : DW_UT.compile;
    let addressSize = this.version >= 5 ? cursor.u8() : 8;
    this.#abbreviationOffset = cursor.offset();
    if (this.version < 5) addressSize = cursor.u8();
    if (addressSize !== 8) cursor.fail(`addresses of ${addressSize} bytes, 8 expected`);
    this.isTypeUnit = kind === DW_UT.type || kind === DW_UT.split_type;
    if (this.isTypeUnit) {
      cursor.skip(8);
      cursor.offset();
    } else if (kind === DW_UT.skeleton || kind === DW_UT.split_compile) {
      cursor.skip(8);
    }
    this.#firstEntry = cursor.position;
  }

  /** The entry that stands for the unit. */
  get root(): Entry {
    this.#root ??= this.entry(this.#firstEntry) ?? this.#cursor.fail('unit has no entry', this.#firstEntry);
    return this.#root;
  }

  get name(): string {
    return this.text(this.root, DW_AT.name) ?? '';
  }

  get compilationDirectory(): string {
    return this.text(this.root, DW_AT.comp_dir) ?? '';
  }

  /** The unit's line program; undefined when it has none. */
  get lines(): LineProgram | undefined {
    const offset = this.number(this.root, DW_AT.stmt_list);
    if (offset === undefined) return undefined;
    this.#lines ??= new LineProgram(this.sections, offset, this.compilationDirectory, this.name);
    return this.#lines;
  }

  /** The entry at an offset of `.debug_info`; undefined for the null entry that ends a list of children. */
  entry(offset: number): Entry | undefined {
    if (offset < this.offset || offset >= this.end) {
      throw new FormatError('reference leads out of its unit', { section: '.debug_info', offset });
    }
    const cursor = this.#cursor;
    cursor.position = offset;
    const code = cursor.uleb();
    if (code === 0) return undefined;
    const { tag, hasChildren, specs, implicit } = this.#abbreviation(code, offset);
    const attributes = new Map<number, AttributeValue>();
    for (let index = 0; index < specs.length; index += 2) {
      attributes.set(specs[index]!, readForm(cursor, specs[index + 1]!, implicit.get(index / 2)));
    }
    return { offset, tag, hasChildren, attributes, next: cursor.position };
  }

  /** The children of an entry, in order. */
  *children(parent: Entry): Generator<Entry> {
    if (!parent.hasChildren) return;
    let at = parent.next;
    while (at < this.end) {
      const child = this.entry(at);
      if (child === undefined) return;
      yield child;
      at = this.#behind(child);
    }
  }

  /** The offset behind an entry and all its descendants. */
  #behind(entry: Entry): number {
    if (!entry.hasChildren) return entry.next;
    const sibling = entry.attributes.get(DW_AT.sibling);
    if (sibling?.kind === 'reference') {
      const target = this.offset + sibling.value;
      if (target <= entry.offset || target > this.end) {
        throw new FormatError('sibling is not behind the entry', {
          section: '.debug_info',
          offset: entry.offset,
        });
      }
      return target;
    }
    let at = entry.next;
    for (let depth = 1; depth > 0 && at < this.end; ) {
      const next = this.entry(at);
      at = next?.next ?? at + 1;
      if (next === undefined) depth -= 1;
      else if (next.hasChildren) depth += 1;
      if (depth > DEPTH_LIMIT) {
        throw new FormatError('entries are nested too deeply', { section: '.debug_info', offset: at });
      }
    }
    return at;
  }

  /** A string attribute. */
  text(entry: Entry, attribute: number): string | undefined {
    const found = entry.attributes.get(attribute);
    if (found === undefined) return undefined;
    switch (found.kind) {
      case 'string':
        return this.#cursor.reader.cString(found.value, 'utf-8');
      case 'string-offset':
        return this.sections.get('.debug_str').cString(found.value, 'utf-8');
      case 'line-string-offset':
        return this.sections.get('.debug_line_str').cString(found.value, 'utf-8');
      case 'string-index': {
        const table = new Cursor(
          this.sections.get('.debug_str_offsets'),
          this.#tableBase(DW_AT.str_offsets_base),
        );
        table.offsetSize = this.#cursor.offsetSize;
        table.skip(found.value * table.offsetSize);
        return this.sections.get('.debug_str').cString(table.offset(), 'utf-8');
      }
      default:
        return undefined;
    }
  }

  /** A constant, flag or section offset. */
  number(entry: Entry, attribute: number): number | undefined {
    const found = entry.attributes.get(attribute);
    const plain = found?.kind === 'constant' || found?.kind === 'flag' || found?.kind === 'section-offset';
    return plain ? found.value : undefined;
  }

  /** An address, direct or out of `.debug_addr`. */
  address(entry: Entry, attribute: number): number | undefined {
    const found = entry.attributes.get(attribute);
    if (found?.kind === 'address') return found.value;
    return found?.kind === 'address-index' ? this.indexedAddress(found.value) : undefined;
  }

  /** Address number `index` of the unit's part of `.debug_addr`. */
  indexedAddress(index: number): number {
    const table = new Cursor(this.sections.get('.debug_addr'), this.#tableBase(DW_AT.addr_base));
    table.skip(index * 8);
    return table.address();
  }

  /** Where list number `index` of the unit's range lists begins in `.debug_rnglists`. */
  rangeListOffset(index: number): number {
    const base = this.#tableBase(DW_AT.rnglists_base);
    const table = new Cursor(this.sections.get('.debug_rnglists'), base);
    table.offsetSize = this.#cursor.offsetSize;
    table.skip(index * table.offsetSize);
    return base + table.offset();
  }

  /** The bytes of a block, with a cursor of their own. */
  block(entry: Entry, attribute: number): Cursor | undefined {
    const found = entry.attributes.get(attribute);
    if (found?.kind !== 'block') return undefined;
    return new Cursor(this.#cursor.reader, found.value, found.value + found.size);
  }

  /** The entry of this unit that an attribute refers to; undefined for none, or one of another unit. */
  referred(entry: Entry, attribute: number): Entry | undefined {
    const found = entry.attributes.get(attribute);
    if (found?.kind === 'reference') return this.entry(this.offset + found.value);
    if (found?.kind !== 'section-reference') return undefined;
    const inside = found.value >= this.offset && found.value < this.end;
    return inside ? this.entry(found.value) : undefined;
  }

  /** The entry and those it completes (its abstract origin, its earlier declaration), nearest first. */
  *origins(entry: Entry): Generator<Entry> {
    let current: Entry | undefined = entry;
    for (let count = 0; current !== undefined && count < CHAIN_LIMIT; count += 1) {
      yield current;
      current = this.referred(current, DW_AT.abstract_origin) ?? this.referred(current, DW_AT.specification);
    }
  }

  /** The entry's name, its own or that of what it completes. */
  nameOf(entry: Entry): string | undefined {
    for (const origin of this.origins(entry)) {
      const name = this.text(origin, DW_AT.name);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  #tableBase(attribute: number): number {
    const base = this.number(this.root, attribute);
    if (base === undefined) {
      throw new FormatError('unit uses an index but names no table', {
        section: '.debug_info',
        offset: this.offset,
      });
    }
    return base;
  }

  #abbreviation(code: number, offset: number): Abbreviation {
    let table = this.#tables.get(this.#abbreviationOffset);
    if (table === undefined) {
      table = readAbbreviations(this.sections.get('.debug_abbrev'), this.#abbreviationOffset);
      this.#tables.set(this.#abbreviationOffset, table);
    }
    const abbreviation = table.get(code);
    if (abbreviation === undefined) {
      throw new FormatError(`abbreviation ${code} does not exist`, { section: '.debug_info', offset });
    }
    return abbreviation;
  }
}
