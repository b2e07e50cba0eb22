import { DW_AT, DW_TAG } from './constants.ts';
import { type AddressRange, rangesOf } from './ranges.ts';
import type { Entry, Unit } from './unit.ts';

/** A function, or a copy of one that was inlined. */
export interface FunctionScope {
  readonly name: string | undefined;
  readonly ranges: readonly AddressRange[];
  /** Where an inlined copy was called: file number, line and column. Undefined for a function of its own. */
  readonly call: { readonly file: number; readonly line: number; readonly column: number } | undefined;
  /** What was inlined into it. */
  readonly inlined: readonly FunctionScope[];
}

/** Nesting beyond this is not looked into. */
const DEPTH_LIMIT = 200;

/** The functions of a unit with what was inlined into them. */
export function readFunctions(unit: Unit): FunctionScope[] {
  const functions: FunctionScope[] = [];
  const collect = (parent: Entry, depth: number): void => {
    for (const entry of unit.children(parent)) {
      if (entry.tag === DW_TAG.subprogram) {
        const ranges = rangesOf(unit, entry);
        if (ranges.length > 0) functions.push(readScope(unit, entry, ranges, 0));
      } else if (entry.tag === DW_TAG.namespace && depth < DEPTH_LIMIT) {
        collect(entry, depth + 1);
      }
    }
  };
  collect(unit.root, 0);
  return functions;
}

function readScope(unit: Unit, entry: Entry, ranges: AddressRange[], depth: number): FunctionScope {
  const inlined: FunctionScope[] = [];
  const line = unit.number(entry, DW_AT.call_line);
  const isCall = entry.tag === DW_TAG.inlined_subroutine;
  if (depth < DEPTH_LIMIT) collectInlined(unit, entry, inlined, depth + 1);
  return {
    name: unit.nameOf(entry),
    ranges,
    call: isCall
      ? {
          file: unit.number(entry, DW_AT.call_file) ?? 0,
          line: line ?? 0,
          column: unit.number(entry, DW_AT.call_column) ?? 0,
        }
      : undefined,
    inlined,
  };
}

/** Lexical blocks are looked through: what is inlined into a block is inlined into the function. */
function collectInlined(unit: Unit, parent: Entry, into: FunctionScope[], depth: number): void {
  for (const entry of unit.children(parent)) {
    if (entry.tag === DW_TAG.inlined_subroutine) {
      into.push(readScope(unit, entry, rangesOf(unit, entry), depth));
    } else if (entry.tag === DW_TAG.lexical_block && depth < DEPTH_LIMIT) {
      collectInlined(unit, entry, into, depth + 1);
    }
  }
}

/** The scopes around an address, outermost first; empty when no function of the list covers it. */
export function scopesAt(functions: readonly FunctionScope[], address: number): FunctionScope[] {
  const chain: FunctionScope[] = [];
  let candidates = functions;
  for (;;) {
    const inner = candidates.find((scope) => covers(scope.ranges, address));
    if (inner === undefined) return chain;
    chain.push(inner);
    candidates = inner.inlined;
  }
}

/** Whether one of the ranges holds the address. */
export function covers(ranges: readonly AddressRange[], address: number): boolean {
  return ranges.some((range) => address >= range.start && address < range.end);
}
