// A minimal reader and patcher of ELF64 little-endian object files, for making bad modules out of good ones.
// Deliberately its own: what is tested must not make the test's input.

type Field = readonly [offset: number, bytes: 1 | 2 | 4 | 8];

const HEADER_FIELDS: Readonly<Record<string, Field>> = {
  magic: [0, 4],
  class: [4, 1],
  data: [5, 1],
  ident_version: [6, 1],
  type: [16, 2],
  machine: [18, 2],
  version: [20, 4],
  entry: [24, 8],
  phoff: [32, 8],
  shoff: [40, 8],
  flags: [48, 4],
  ehsize: [52, 2],
  phentsize: [54, 2],
  phnum: [56, 2],
  shentsize: [58, 2],
  shnum: [60, 2],
  shstrndx: [62, 2],
};

const SECTION_FIELDS: Readonly<Record<string, Field>> = {
  name: [0, 4],
  type: [4, 4],
  flags: [8, 8],
  addr: [16, 8],
  offset: [24, 8],
  size: [32, 8],
  link: [40, 4],
  info: [44, 4],
  addralign: [48, 8],
  entsize: [56, 8],
};

const SYMBOL_FIELDS: Readonly<Record<string, Field>> = {
  name: [0, 4],
  info: [4, 1],
  other: [5, 1],
  shndx: [6, 2],
  value: [8, 8],
  size: [16, 8],
};

const RELOCATION_FIELDS: Readonly<Record<string, Field>> = {
  offset: [0, 8],
  type: [8, 4],
  symbol: [12, 4],
  addend: [16, 8],
};

export interface Section {
  /** file offset of the section's header */
  readonly header: number;
  readonly index: number;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

export class ElfFile {
  bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes); // a copy: slice() of a Buffer would be a view
  }

  private get view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  private put(at: number, size: 1 | 2 | 4 | 8, value: bigint): void {
    const v = this.view;
    if (size === 1) v.setUint8(at, Number(BigInt.asUintN(8, value)));
    else if (size === 2) v.setUint16(at, Number(BigInt.asUintN(16, value)), true);
    else if (size === 4) v.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else v.setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  private setField(table: Readonly<Record<string, Field>>, base: number, name: string, value: bigint): void {
    const field = table[name];
    if (field === undefined)
      throw new Error(`no field "${name}"; there are ${Object.keys(table).join(', ')}`);
    this.put(base + field[0], field[1], value);
  }

  setHeader(field: string, value: bigint): void {
    this.setField(HEADER_FIELDS, 0, field, value);
  }

  sections(): Section[] {
    const v = this.view;
    const table = Number(v.getBigUint64(40, true));
    const count = v.getUint16(60, true);
    const headers = Array.from({ length: count }, (_, index) => {
      const header = table + 64 * index;
      return {
        header,
        index,
        nameAt: v.getUint32(header, true),
        offset: Number(v.getBigUint64(header + 24, true)),
        size: Number(v.getBigUint64(header + 32, true)),
        link: v.getUint32(header + 40, true),
      };
    });
    const names = headers[v.getUint16(62, true)];
    if (names === undefined) throw new Error('no section name table');
    return headers.map(({ nameAt, ...rest }) => ({ ...rest, name: this.string(names.offset + nameAt) }));
  }

  /** By name, or by index as `#3`. */
  section(name: string): Section {
    const found = this.sections().find((s) => s.name === name || `#${s.index}` === name);
    if (found === undefined) throw new Error(`no section "${name}"`);
    return found;
  }

  setSection(name: string, field: string, value: bigint): void {
    this.setField(SECTION_FIELDS, this.section(name).header, field, value);
  }

  data(section: Section): Uint8Array {
    return this.bytes.subarray(section.offset, section.offset + section.size);
  }

  /** Puts the section's new content at the end of the file, so that it may be of any length. */
  replaceData(name: string, content: Uint8Array): void {
    const { header } = this.section(name);
    const at = (this.bytes.length + 63) & ~63;
    const grown = new Uint8Array(at + content.length);
    grown.set(this.bytes);
    grown.set(content, at);
    this.bytes = grown;
    this.put(header + 24, 8, BigInt(at));
    this.put(header + 32, 8, BigInt(content.length));
  }

  private addString(table: string, text: string): number {
    const old = this.data(this.section(table));
    this.replaceData(table, concat(old, latin1(text), Uint8Array.of(0)));
    return old.length;
  }

  renameSection(name: string, newName: string): void {
    const at = this.addString('.shstrtab', newName);
    this.setField(SECTION_FIELDS, this.section(name).header, 'name', BigInt(at));
  }

  private symbolAt(name: string): number {
    const { offset, size, link } = this.section('.symtab');
    const strings = this.section(`#${link}`);
    for (let at = offset; at < offset + size; at += 24) {
      if (this.string(strings.offset + this.view.getUint32(at, true)) === name) return at;
    }
    throw new Error(`no symbol "${name}"`);
  }

  setSymbol(name: string, field: string, value: bigint): void {
    this.setField(SYMBOL_FIELDS, this.symbolAt(name), field, value);
  }

  renameSymbol(name: string, newName: string): void {
    const at = this.symbolAt(name);
    this.setField(SYMBOL_FIELDS, at, 'name', BigInt(this.addString('.strtab', newName)));
  }

  setRelocation(section: string, index: number, field: string, value: bigint): void {
    this.setField(RELOCATION_FIELDS, this.section(section).offset + 24 * index, field, value);
  }

  private string(at: number): string {
    return latin1Text(this.bytes.subarray(at, this.bytes.indexOf(0, at)));
  }
}

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

export function latin1Text(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => String.fromCharCode(b)).join('');
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}
