import { InputError, UnsupportedError } from '../bytes/index.ts';
import type { Btf, MemberLayout, StructLayout } from './btf.ts';
import type { BtfComposite, BtfTypeId } from './kinds.ts';

/** Deeper nesting than this is no C that a compiler wrote: it stops a damaged table that refers to itself. */
export const MAX_NESTING = 64;

/** How a member path is taken apart: a name, then any number of array subscripts. */
interface PathStep {
  readonly name: string;
  readonly subscripts: readonly number[];
}

export class CompositeLayout implements StructLayout {
  readonly kind: 'struct' | 'union';
  readonly name: string;
  readonly id: BtfTypeId;
  readonly size: number;
  readonly #type: BtfComposite;
  readonly #btf: Btf;
  readonly #found = new Map<string, MemberLayout | undefined>();

  constructor(type: BtfComposite, btf: Btf, name: string) {
    this.kind = type.kind;
    this.name = name;
    this.id = type.id;
    this.size = type.sizeBytes;
    this.#type = type;
    this.#btf = btf;
  }

  member(path: string): MemberLayout {
    const found = this.find(path);
    if (found !== undefined) return found;
    throw new UnsupportedError({
      what: `${this.kind} ${this.name} of this kernel has no member "${path}"`,
      advice: 'use a kernel of the release series that this part of Ringside was written for',
    });
  }

  offsetOf(path: string): number {
    const found = this.member(path);
    if (found.bitSize !== 0) {
      throw new InputError(`Member "${path}" of ${this.kind} ${this.name} is a bit-field: ask for member()`);
    }
    return found.offset;
  }

  find(path: string): MemberLayout | undefined {
    if (this.#found.has(path)) return this.#found.get(path);
    const found = this.#search(path);
    this.#found.set(path, found);
    return found;
  }

  #search(path: string): MemberLayout | undefined {
    let composite: BtfComposite | undefined = this.#type;
    let base = 0;
    let result: MemberLayout | undefined;
    for (const step of parsePath(path)) {
      if (composite === undefined) return undefined;
      const place = findMember(this.#btf, composite, step.name, new Set());
      if (place === undefined) return undefined;
      let { type } = place;
      let bits = place.bitOffset;
      for (const subscript of step.subscripts) {
        const array = this.#btf.resolve(type);
        if (array.kind !== 'array' || (array.count > 0 && subscript >= array.count)) return undefined;
        type = array.element;
        bits += subscript * this.#btf.sizeOf(type) * 8;
      }
      const offset = base + Math.floor(bits / 8);
      result = {
        path,
        offset,
        sizeBytes: this.#btf.sizeOf(type),
        bitOffset: place.bitfieldBits === 0 ? 0 : bits % 8,
        bitSize: place.bitfieldBits,
        type,
      };
      const inner = this.#btf.resolve(type);
      composite = inner.kind === 'struct' || inner.kind === 'union' ? inner : undefined;
      base = offset;
    }
    return result;
  }
}

interface FoundMember {
  readonly type: BtfTypeId;
  readonly bitOffset: number;
  readonly bitfieldBits: number;
}

/**
 * The member of that name, also inside anonymous structs and unions, as C finds it. A type is searched once, so that
 * a damaged table, in which a struct contains itself, ends the search too.
 */
function findMember(
  btf: Btf,
  composite: BtfComposite,
  name: string,
  searched: Set<BtfTypeId>,
): FoundMember | undefined {
  for (const member of composite.members) if (member.name === name) return member;
  searched.add(composite.id);
  for (const member of composite.members) {
    if (member.name !== '') continue;
    const inner = btf.resolve(member.type);
    if ((inner.kind !== 'struct' && inner.kind !== 'union') || searched.has(inner.id)) continue;
    const found = findMember(btf, inner, name, searched);
    if (found !== undefined) return { ...found, bitOffset: member.bitOffset + found.bitOffset };
  }
  return undefined;
}

const NONE: readonly number[] = [];

function parsePath(path: string): readonly PathStep[] {
  if (/^\w+$/.test(path)) return [{ name: path, subscripts: NONE }];
  return path.split('.').map((part) => {
    const match = /^([A-Za-z_]\w*)((?:\[\d+\])*)$/.exec(part);
    if (match === null) throw new InputError(`Cannot read member path "${path}": write it as "a.b[2].c"`);
    const subscripts = [...(match[2] ?? '').matchAll(/\d+/g)].map(([digits]) => Number(digits));
    return { name: match[1] ?? '', subscripts };
  });
}
