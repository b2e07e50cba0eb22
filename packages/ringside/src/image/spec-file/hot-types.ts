import {
  type BtfTypeId,
  HEAD_BYTES,
  KINDS,
  StringTable,
  type TypeGraph,
  TypeTable,
  tailBytes,
} from '../../btf/index.ts';
import { ByteReader } from '../../bytes/index.ts';
import { ArrayUnpacker, packArrays } from './columns.ts';

/**
 * The records that answer layout questions about some structs: theirs, those of everything embedded in them, and
 * the pointers in them without what they point to. Ids stay those of the full table; names move to a table of
 * their own.
 */
export function packHotTypes(
  types: TypeGraph,
  structs: readonly string[],
  enumerators: readonly string[],
): Uint8Array {
  const ids = new Set<BtfTypeId>();
  for (const name of structs) {
    for (const kind of ['struct', 'union', 'typedef'] as const) {
      const id = types.find(kind, name);
      if (id !== undefined) addEmbedded(types, id, ids);
    }
  }
  const wanted = new Set(enumerators);
  for (const kind of ['enum', 'enum64'] as const) {
    for (const id of types.ids(kind)) {
      const type = types.type(id);
      if (
        (type.kind === 'enum' || type.kind === 'enum64') &&
        type.values.some(({ name }) => wanted.has(name))
      ) {
        addEmbedded(types, id, ids);
      }
    }
  }
  return packRecords(
    types.table,
    [...ids].sort((a, b) => a - b),
  );
}

function addEmbedded(types: TypeGraph, id: BtfTypeId, ids: Set<BtfTypeId>): void {
  if (id === 0 || ids.has(id)) return;
  ids.add(id);
  const type = types.type(id);
  // A look-up by name must find the same type here as in the full table: the first of its kind and name.
  if (type.name !== '') addEmbedded(types, types.find(type.kind, type.name) ?? id, ids);
  switch (type.kind) {
    case 'struct':
    case 'union':
      for (const member of type.members) addEmbedded(types, member.type, ids);
      break;
    case 'array':
      addEmbedded(types, type.element, ids);
      break;
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      addEmbedded(types, type.target, ids);
      break;
    default:
  }
}

/** Where names stand in a record's tail: the offset of the first and the distance to the next. */
function namesInTail(kind: number): number | undefined {
  switch (KINDS[kind]) {
    case 'struct':
    case 'union':
    case 'enum64':
      return 12;
    case 'enum':
    case 'func_proto':
      return 8;
    default:
      return undefined;
  }
}

function packRecords(table: TypeTable, ids: readonly BtfTypeId[]): Uint8Array {
  const strings: number[] = [0];
  const moved = new Map<number, number>([[0, 0]]);
  const move = (offset: number): number => {
    let at = moved.get(offset);
    if (at === undefined) {
      at = strings.length;
      moved.set(offset, at);
      for (const char of table.strings.name(offset)) strings.push(char.charCodeAt(0));
      strings.push(0);
    }
    return at;
  };
  const records: Uint8Array[] = ids.map((id) => {
    const offset = table.offsetAt(table.slotOf(id));
    const info = table.records.u32(offset + 4);
    const kind = (info >>> 24) & 0x1f;
    const tail = tailBytes(kind, info & 0xffff) ?? 0;
    // A copy by constructor: the `slice` of a Node Buffer would share the bytes.
    const record = new Uint8Array(table.records.slice(offset, HEAD_BYTES + tail));
    const view = new DataView(record.buffer);
    view.setUint32(0, move(view.getUint32(0, true)), true);
    const stride = namesInTail(kind);
    if (stride !== undefined) {
      for (let at = HEAD_BYTES; at < record.length; at += stride) {
        view.setUint32(at, move(view.getUint32(at, true)), true);
      }
    }
    return record;
  });
  const packed = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    packed.set(record, at);
    at += record.length;
  }
  return packArrays([Uint32Array.from(ids), packed, Uint8Array.from(strings)]);
}

export function unpackHotTypes(bytes: Uint8Array): TypeTable {
  const unpacker = new ArrayUnpacker(bytes, 'hot types');
  const sparse = unpacker.u32();
  const records = new ByteReader(unpacker.bytes(), 'hot types');
  return new TypeTable(records, new StringTable(unpacker.bytes()), { firstId: 1, sparse });
}
