import { ByteReader, FormatError, UnsupportedError } from '../bytes/index.ts';
import type { Btf, FormatOptions, FunctionPrototype, StructLayout } from './btf.ts';
import { declare, format } from './format.ts';
import type { BtfEnum, BtfKind, BtfType, BtfTypeId, BtfVoid } from './kinds.ts';
import { CompositeLayout, MAX_NESTING } from './layout.ts';
import { KIND_NUMBER } from './raw-kinds.ts';
import { StringTable, splitSection, TypeTable } from './type-table.ts';

const VOID: BtfVoid = { kind: 'void', id: 0, name: '' };
const POINTER_BYTES = 8;

export interface TypeSource {
  /** The whole table; called once, when something outside `hot` is asked for. */
  readonly full: () => TypeTable;
  /** `full().endId`, known without decoding it. */
  readonly endId: number;
  /**
   * Some of the records of `full`, cheap to reach.
   * Preconditions: of the types of one kind and name, it holds the one with the lowest id of all, or none.
   */
  readonly hot?: TypeTable;
  /** For a module's BTF: its kernel's. */
  readonly base?: TypeGraph;
}

export class TypeGraph implements Btf {
  readonly #source: TypeSource;
  readonly #decoded = new Map<BtfTypeId, BtfType>();
  readonly #layouts = new Map<BtfTypeId, CompositeLayout>();
  readonly #structs = new Map<string, CompositeLayout | undefined>();
  #full: TypeTable | undefined;

  constructor(source: TypeSource) {
    this.#source = source;
  }

  get typeCount(): number {
    return this.#source.endId;
  }

  /** The table of all of this BTF's own records. */
  get table(): TypeTable {
    this.#full ??= this.#source.full();
    return this.#full;
  }

  type(id: BtfTypeId): BtfType {
    if (id === 0) return VOID;
    const { base, hot } = this.#source;
    if (base !== undefined && id < base.typeCount) return base.type(id);
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    let table = hot;
    let slot = hot?.slotOf(id) ?? -1;
    if (slot < 0) {
      table = this.table;
      slot = table.slotOf(id);
    }
    if (slot < 0 || table === undefined) throw new FormatError(`BTF has no type ${id}`, { section: '.BTF' });
    const type = table.decode(slot);
    this.#decoded.set(id, type);
    return type;
  }

  find(kind: BtfKind, name: string): BtfTypeId | undefined {
    const number = KIND_NUMBER[kind];
    const inBase = this.#source.base?.find(kind, name);
    if (inBase !== undefined) return inBase;
    const { hot } = this.#source;
    if (hot !== undefined) for (const slot of hot.index.slots(number, name)) return hot.idAt(slot);
    for (const slot of this.table.index.slots(number, name)) return this.table.idAt(slot);
    return undefined;
  }

  findAll(kind: BtfKind, name: string): readonly BtfTypeId[] {
    const own = [...this.table.index.slots(KIND_NUMBER[kind], name)].map((slot) => this.table.idAt(slot));
    return [...(this.#source.base?.findAll(kind, name) ?? []), ...own];
  }

  *ids(kind: BtfKind): Generator<BtfTypeId> {
    if (this.#source.base !== undefined) yield* this.#source.base.ids(kind);
    const number = KIND_NUMBER[kind];
    const { table } = this;
    for (let slot = 0; slot < table.count; slot++) if (table.kindAt(slot) === number) yield table.idAt(slot);
  }

  struct(name: string): StructLayout {
    const found = this.findStruct(name);
    if (found !== undefined) return found;
    throw new UnsupportedError({
      what: `this kernel has no struct or union ${name}`,
      advice: 'use a kernel of the release series that this part of Ringside was written for',
    });
  }

  findStruct(name: string): StructLayout | undefined {
    if (this.#structs.has(name)) return this.#structs.get(name);
    let found: CompositeLayout | undefined;
    for (const kind of ['struct', 'union', 'typedef'] as const) {
      const id = this.find(kind, name);
      if (id === undefined) continue;
      const type = this.resolve(id);
      if (type.kind !== 'struct' && type.kind !== 'union') continue;
      found = this.#layoutOf(type, name);
      break;
    }
    this.#structs.set(name, found);
    return found;
  }

  layout(id: BtfTypeId): StructLayout {
    const type = this.resolve(id);
    if (type.kind !== 'struct' && type.kind !== 'union') {
      throw new FormatError(`BTF type ${id} is a ${type.kind}, not a struct or union`, { section: '.BTF' });
    }
    return this.#layoutOf(type, type.name);
  }

  #layoutOf(type: BtfType & { kind: 'struct' | 'union' }, name: string): CompositeLayout {
    let layout = this.#layouts.get(type.id);
    if (layout === undefined) {
      layout = new CompositeLayout(type, this, name);
      this.#layouts.set(type.id, layout);
    }
    return layout;
  }

  enumeration(name: string): BtfEnum | undefined {
    const id = this.find('enum', name) ?? this.find('enum64', name);
    if (id === undefined) return undefined;
    const type = this.type(id);
    return type.kind === 'enum' || type.kind === 'enum64' ? type : undefined;
  }

  enumValue(enumerator: string): number {
    const value = this.findEnumValue(enumerator);
    if (value !== undefined) return value;
    throw new UnsupportedError({ what: `this kernel has no enumerator ${enumerator}` });
  }

  findEnumValue(enumerator: string): number | undefined {
    return (
      this.#source.base?.findEnumValue(enumerator) ??
      this.#source.hot?.index.enumerator(enumerator) ??
      this.table.index.enumerator(enumerator)
    );
  }

  func(name: string): FunctionPrototype | undefined {
    const id = this.find('func', name);
    const func = id === undefined ? undefined : this.type(id);
    if (func?.kind !== 'func') return undefined;
    const proto = this.type(func.proto);
    if (proto.kind !== 'func_proto') {
      throw new FormatError(`BTF function ${name} has a ${proto.kind} for a prototype`, { section: '.BTF' });
    }
    return { name, returns: proto.returns, params: proto.params, variadic: proto.variadic };
  }

  resolve(id: BtfTypeId): BtfType {
    let type = this.type(id);
    for (let depth = 0; depth < MAX_NESTING; depth++) {
      switch (type.kind) {
        case 'typedef':
        case 'const':
        case 'volatile':
        case 'restrict':
        case 'type_tag':
          type = this.type(type.target);
          break;
        default:
          return type;
      }
    }
    throw new FormatError(`BTF type ${id} refers to itself`, { section: '.BTF' });
  }

  sizeOf(id: BtfTypeId): number {
    let factor = 1;
    let type = this.resolve(id);
    for (let depth = 0; type.kind === 'array'; depth++) {
      if (depth > MAX_NESTING) throw new FormatError(`BTF array ${id} refers to itself`, { section: '.BTF' });
      factor *= type.count;
      type = this.resolve(type.element);
    }
    if (type.kind === 'ptr') return factor * POINTER_BYTES;
    if (type.kind === 'var') return factor * this.sizeOf(type.type);
    return 'sizeBytes' in type ? factor * type.sizeBytes : 0;
  }

  nameOf(id: BtfTypeId): string {
    return declare(this, id, '');
  }

  format(id: BtfTypeId, options: FormatOptions = {}): string {
    return format(this, id, options);
  }
}

/** Reads a `.BTF` section. A module's section needs its kernel's types as `base`. Throws `FormatError`. */
export function readBtf(section: Uint8Array, base?: TypeGraph): TypeGraph {
  const { records, strings } = splitSection(section);
  const table = new TypeTable(
    new ByteReader(records, '.BTF'),
    new StringTable(strings, base?.table.strings),
    {
      firstId: base?.typeCount ?? 1,
    },
  );
  return new TypeGraph({ full: () => table, endId: table.endId, ...(base === undefined ? {} : { base }) });
}
