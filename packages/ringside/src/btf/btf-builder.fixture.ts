import { KIND_NUMBER } from './index.ts';
import type { BtfKind } from './kinds.ts';

/** Assembles a `.BTF` section by hand, for tests. Ids count from `firstId` in the order of the calls. */
export class BtfBuilder {
  readonly #words: number[] = [];
  readonly #strings: string;
  #text = '\0';
  #nextId: number;

  constructor(options: { firstId?: number; baseStrings?: number } = {}) {
    this.#nextId = options.firstId ?? 1;
    this.#strings = '\0'.repeat(options.baseStrings ?? 0);
    if (options.baseStrings !== undefined) this.#text = '';
  }

  get stringBytes(): number {
    return this.#text.length;
  }

  name(text: string): number {
    if (text === '') return 0;
    const offset = this.#strings.length + this.#text.length;
    this.#text += `${text}\0`;
    return offset;
  }

  /** One record; returns its id. */
  add(
    kind: BtfKind,
    name: string,
    sizeOrType: number,
    tail: readonly number[] = [],
    info: { vlen?: number; flag?: boolean } = {},
  ): number {
    const flags =
      ((KIND_NUMBER[kind] << 24) | (info.vlen ?? 0) | (info.flag === true ? 0x8000_0000 : 0)) >>> 0;
    this.#words.push(this.name(name), flags, sizeOrType, ...tail);
    return this.#nextId++;
  }

  int(name: string, sizeBytes: number, encoding = 0): number {
    return this.add('int', name, sizeBytes, [(encoding << 24) | (sizeBytes * 8)]);
  }

  /** Members as `[name, type, bitOffset, bitfieldBits?]`. */
  composite(
    kind: 'struct' | 'union',
    name: string,
    sizeBytes: number,
    members: readonly (readonly [string, number, number, number?])[],
  ): number {
    const flag = members.some(([, , , bits]) => bits !== undefined);
    const tail = members.flatMap(([member, type, offset, bits]) => [
      this.name(member),
      type,
      flag ? (((bits ?? 0) << 24) | offset) >>> 0 : offset,
    ]);
    return this.add(kind, name, sizeBytes, tail, { vlen: members.length, flag });
  }

  build(): Uint8Array {
    const records = Uint8Array.from(new Uint8Array(Uint32Array.from(this.#words).buffer));
    const strings = Uint8Array.from(this.#text, (char) => char.charCodeAt(0));
    const header = new DataView(new ArrayBuffer(24));
    header.setUint16(0, 0xeb9f, true);
    header.setUint8(2, 1);
    header.setUint32(4, 24, true);
    header.setUint32(12, records.length, true);
    header.setUint32(16, records.length, true);
    header.setUint32(20, strings.length, true);
    const section = new Uint8Array(24 + records.length + strings.length);
    section.set(new Uint8Array(header.buffer));
    section.set(records, 24);
    section.set(strings, 24 + records.length);
    return section;
  }
}

/** Every kind of BTF in one section, with the ids by name. */
export function everyKind(): {
  readonly section: Uint8Array;
  readonly ids: Readonly<Record<string, number>>;
} {
  const b = new BtfBuilder();
  const int = b.int('int', 4, 1);
  const char = b.int('char', 1, 3);
  const u64 = b.int('long unsigned int', 8);
  const bool = b.int('_Bool', 1, 4);
  const constChar = b.add('const', '', char);
  const string = b.add('ptr', '', constChar);
  const constString = b.add('const', '', string);
  const array = b.add('array', '', 0, [char, int, 16]);
  const matrix = b.add('array', '', 0, [array, int, 3]);
  const flexible = b.add('array', '', 0, [u64, int, 0]);
  const forward = b.add('fwd', 'hidden', 0);
  const toForward = b.add('ptr', '', forward);
  const proto = b.add('func_proto', '', int, [b.name('fmt'), string, 0, 0], { vlen: 2 });
  const callback = b.add('ptr', '', proto);
  const empty = b.add('func_proto', '', 0);
  const anonymous = b.composite('union', '', 8, [
    ['value', u64, 0],
    ['pointer', callback, 0],
  ]);
  const colour = b.add('enum', 'colour', 4, [b.name('RED'), 0, b.name('BLUE'), 0xffff_ffff], {
    vlen: 2,
    flag: true,
  });
  const wide = b.add('enum64', 'wide', 8, [b.name('HUGE'), 0, 0x8000_0000], { vlen: 1 });
  const typedef = b.add('typedef', 'colour_t', colour);
  const node = b.composite('struct', 'node', 96, [
    ['name', array, 0],
    ['', anonymous, 128],
    ['next', toForward, 192],
    ['grid', matrix, 256],
    ['colour', typedef, 640],
    ['a', int, 672, 3],
    ['b', int, 675, 9],
    ['label', constString, 704],
    ['rest', flexible, 768],
  ]);
  const volatile_ = b.add('volatile', '', node);
  const restrict = b.add('restrict', '', string);
  const func = b.add('func', 'print', proto, [], { vlen: 1 });
  const variable = b.add('var', 'root', volatile_, [1]);
  const section = b.add('datasec', '.data', 96, [variable, 0, 96], { vlen: 1 });
  const float = b.add('float', 'double', 8);
  const tag = b.add('decl_tag', 'kfunc', func, [0xffff_ffff]);
  const typeTag = b.add('type_tag', 'user', char);
  const user = b.add('ptr', '', typeTag);
  const ids = {
    int,
    char,
    u64,
    bool,
    string,
    constString,
    array,
    matrix,
    flexible,
    forward,
    proto,
    callback,
    empty,
    anonymous,
    colour,
    wide,
    typedef,
    node,
    volatile: volatile_,
    restrict,
    func,
    variable,
    section,
    float,
    tag,
    user,
  };
  return { section: b.build(), ids };
}
