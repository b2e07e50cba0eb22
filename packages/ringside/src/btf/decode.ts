import { type ByteReader, FormatError } from '../bytes/index.ts';
import type {
  BtfComposite,
  BtfEnum,
  BtfFunc,
  BtfFuncProto,
  BtfReference,
  BtfSectionEntry,
  BtfType,
  BtfTypeId,
} from './kinds.ts';
import { HEAD_BYTES, KINDS } from './raw-kinds.ts';
import type { BtfStrings } from './type-table.ts';

const LINKAGES = ['static', 'global', 'extern'] as const;
const INT_SIGNED = 1;
const INT_CHAR = 2;
const INT_BOOL = 4;

/** Decodes the record at `offset` of `records` as the type `id`. Throws `FormatError` on an unknown kind. */
export function decodeRecord(
  records: ByteReader,
  offset: number,
  strings: BtfStrings,
  id: BtfTypeId,
): BtfType {
  const name = strings.name(records.u32(offset));
  const info = records.u32(offset + 4);
  const vlen = info & 0xffff;
  const flag = info >>> 31 === 1;
  const sizeOrType = records.u32(offset + 8);
  const tail = offset + HEAD_BYTES;
  const kind = KINDS[(info >>> 24) & 0x1f];
  switch (kind) {
    case 'int': {
      const word = records.u32(tail);
      const encoding = (word >>> 24) & 0xf;
      return {
        kind,
        id,
        name,
        sizeBytes: sizeOrType,
        bits: word & 0xff,
        bitOffset: (word >>> 16) & 0xff,
        signed: (encoding & INT_SIGNED) !== 0,
        char: (encoding & INT_CHAR) !== 0,
        bool: (encoding & INT_BOOL) !== 0,
      };
    }
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'type_tag':
      return { kind, id, name, target: sizeOrType } satisfies BtfReference;
    case 'array':
      return {
        kind,
        id,
        name: '',
        element: records.u32(tail),
        indexType: records.u32(tail + 4),
        count: records.u32(tail + 8),
      };
    case 'struct':
    case 'union':
      return decodeComposite(records, tail, strings, { kind, id, name, sizeBytes: sizeOrType, vlen, flag });
    case 'enum':
    case 'enum64':
      return decodeEnum(records, tail, strings, { kind, id, name, sizeBytes: sizeOrType, vlen, flag });
    case 'fwd':
      return { kind, id, name, of: flag ? 'union' : 'struct' };
    case 'func':
      return { kind, id, name, proto: sizeOrType, linkage: linkage(vlen, offset) } satisfies BtfFunc;
    case 'func_proto':
      return decodePrototype(records, tail, strings, id, sizeOrType, vlen);
    case 'var':
      return { kind, id, name, type: sizeOrType, linkage: linkage(records.u32(tail), offset) };
    case 'datasec': {
      const entries: BtfSectionEntry[] = [];
      for (let i = 0, at = tail; i < vlen; i++, at += 12) {
        entries.push({ type: records.u32(at), offset: records.u32(at + 4), sizeBytes: records.u32(at + 8) });
      }
      return { kind, id, name, sizeBytes: sizeOrType, entries };
    }
    case 'float':
      return { kind, id, name, sizeBytes: sizeOrType };
    case 'decl_tag':
      return { kind, id, name, target: sizeOrType, component: records.i32(tail) };
    default:
      throw new FormatError(`unknown BTF kind ${(info >>> 24) & 0x1f}`, { section: records.what, offset });
  }
}

interface Head<Kind> {
  readonly kind: Kind;
  readonly id: BtfTypeId;
  readonly name: string;
  readonly sizeBytes: number;
  readonly vlen: number;
  readonly flag: boolean;
}

function decodeComposite(
  records: ByteReader,
  tail: number,
  strings: BtfStrings,
  head: Head<'struct' | 'union'>,
): BtfComposite {
  const { kind, id, name, sizeBytes } = head;
  const members = [];
  for (let i = 0, at = tail; i < head.vlen; i++, at += 12) {
    const place = records.u32(at + 8);
    members.push({
      name: strings.name(records.u32(at)),
      type: records.u32(at + 4),
      bitOffset: head.flag ? place & 0xff_ffff : place,
      bitfieldBits: head.flag ? place >>> 24 : 0,
    });
  }
  return { kind, id, name, sizeBytes, members };
}

function decodeEnum(
  records: ByteReader,
  tail: number,
  strings: BtfStrings,
  head: Head<'enum' | 'enum64'>,
): BtfEnum {
  const { kind, id, name, sizeBytes, flag: signed } = head;
  const values = [];
  const stride = kind === 'enum' ? 8 : 12;
  for (let i = 0, at = tail; i < head.vlen; i++, at += stride) {
    let wide: bigint;
    if (kind === 'enum') wide = BigInt(signed ? records.i32(at + 4) : records.u32(at + 4));
    else wide = signed ? records.i64(at + 4) : records.u64(at + 4);
    values.push({ name: strings.name(records.u32(at)), value: Number(wide), wide });
  }
  return { kind, id, name, sizeBytes, signed, values };
}

function decodePrototype(
  records: ByteReader,
  tail: number,
  strings: BtfStrings,
  id: BtfTypeId,
  returns: BtfTypeId,
  vlen: number,
): BtfFuncProto {
  const params = [];
  for (let i = 0, at = tail; i < vlen; i++, at += 8) {
    params.push({ name: strings.name(records.u32(at)), type: records.u32(at + 4) });
  }
  // A last parameter without name and type stands for `...`.
  const last = params.at(-1);
  const variadic = last !== undefined && last.type === 0 && last.name === '';
  if (variadic) params.pop();
  return { kind: 'func_proto', id, name: '', returns, params, variadic };
}

function linkage(value: number, offset: number): (typeof LINKAGES)[number] {
  const found = LINKAGES[value];
  if (found === undefined) throw new FormatError(`unknown BTF linkage ${value}`, { section: '.BTF', offset });
  return found;
}
