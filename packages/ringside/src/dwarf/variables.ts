import { DW_AT, DW_OP, DW_TAG } from './constants.ts';
import type { Entry, Unit } from './unit.ts';

/** A variable at a fixed address. */
export interface StaticVariable {
  readonly name: string;
  readonly address: number;
  /** Undefined when the type is incomplete. */
  readonly sizeBytes: number | undefined;
  /** The function it is local to. */
  readonly function: string | undefined;
}

const DEPTH_LIMIT = 200;
const POINTER_SIZE = 8;

/** The unit's variables at fixed addresses, also those that are local to functions. */
export function readStaticVariables(unit: Unit): StaticVariable[] {
  const found: StaticVariable[] = [];
  const collect = (parent: Entry, owner: string | undefined, depth: number): void => {
    for (const entry of unit.children(parent)) {
      if (entry.tag === DW_TAG.variable) {
        const address = fixedAddress(unit, entry);
        const name = unit.nameOf(entry);
        if (address === undefined || name === undefined) continue;
        found.push({ name, address, sizeBytes: variableSize(unit, entry), function: owner });
      } else if (depth < DEPTH_LIMIT && isScope(entry.tag)) {
        const inner = entry.tag === DW_TAG.subprogram ? unit.nameOf(entry) : owner;
        collect(entry, inner, depth + 1);
      }
    }
  };
  collect(unit.root, undefined, 0);
  return found;
}

function isScope(tag: number): boolean {
  return (
    tag === DW_TAG.subprogram ||
    tag === DW_TAG.lexical_block ||
    tag === DW_TAG.inlined_subroutine ||
    tag === DW_TAG.namespace
  );
}

/** The address when the location is one operation that names it, with or without an offset. */
function fixedAddress(unit: Unit, entry: Entry): number | undefined {
  const expression = unit.block(entry, DW_AT.location);
  if (expression === undefined || expression.atEnd) return undefined;
  const operation = expression.u8();
  let address: number;
  if (operation === DW_OP.addr) address = expression.address();
  else if (operation === DW_OP.addrx) address = unit.indexedAddress(expression.uleb());
  else return undefined;
  if (expression.atEnd) return address;
  if (expression.u8() !== DW_OP.plus_uconst) return undefined;
  const offset = expression.uleb();
  return expression.atEnd ? address + offset : undefined;
}

function variableSize(unit: Unit, variable: Entry): number | undefined {
  for (const origin of unit.origins(variable)) {
    const type = unit.referred(origin, DW_AT.type);
    const size = type && typeSize(unit, type, 0);
    if (size !== undefined) return size;
  }
  return undefined;
}

/** The size of a type in bytes; undefined when it is incomplete or defined in another unit. */
function typeSize(unit: Unit, type: Entry, depth: number): number | undefined {
  if (depth > DEPTH_LIMIT) return undefined;
  const stated = unit.number(type, DW_AT.byte_size);
  if (stated !== undefined) return stated;
  switch (type.tag) {
    case DW_TAG.pointer_type:
    case DW_TAG.reference_type:
    case DW_TAG.rvalue_reference_type:
      return POINTER_SIZE;
    case DW_TAG.typedef:
    case DW_TAG.const_type:
    case DW_TAG.volatile_type:
    case DW_TAG.restrict_type:
    case DW_TAG.atomic_type: {
      const inner = unit.referred(type, DW_AT.type);
      return inner && typeSize(unit, inner, depth + 1);
    }
    case DW_TAG.array_type: {
      const element = unit.referred(type, DW_AT.type);
      const elementSize = element && typeSize(unit, element, depth + 1);
      const count = elementCount(unit, type);
      return elementSize === undefined || count === undefined ? undefined : elementSize * count;
    }
    default:
      return undefined;
  }
}

/** How many elements all dimensions of an array have; undefined for a flexible one. */
function elementCount(unit: Unit, array: Entry): number | undefined {
  let total: number | undefined;
  for (const dimension of unit.children(array)) {
    if (dimension.tag !== DW_TAG.subrange_type) continue;
    const upper = unit.number(dimension, DW_AT.upper_bound);
    const lower = unit.number(dimension, DW_AT.lower_bound) ?? 0;
    const count =
      unit.number(dimension, DW_AT.count) ?? (upper === undefined ? undefined : upper - lower + 1);
    if (count === undefined) return undefined;
    total = (total ?? 1) * count;
  }
  return total;
}
