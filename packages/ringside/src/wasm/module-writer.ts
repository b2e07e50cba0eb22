import { CodeWriter } from './code-writer.ts';
import { FUNCREF, OP, type ValueType } from './opcodes.ts';

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface ElementSegment {
  /** Index among the imported tables, and the first element's index in that table. */
  readonly table: number;
  readonly offset: number;
  /** Function indices. */
  readonly functions: readonly number[];
}

export interface ModuleSpec {
  readonly types: readonly FunctionType[];
  /** Imported functions of module `e`, by name and type index; they come first in the index space. */
  readonly functionImports: readonly { readonly name: string; readonly type: number }[];
  /** The module imports `e.memory` (4 GiB) and these tables of functions from `e`. */
  readonly tables: readonly string[];
  /** The module's own functions: type index and encoded body (locals and code, without size). */
  readonly functions: readonly { readonly type: number; readonly body: Uint8Array }[];
  /** Whether own function `i` is exported as `String(i)`. */
  readonly exports: boolean;
  /** What is put into tables when an instance is made. */
  readonly elements: readonly ElementSegment[];
}

function section(out: CodeWriter, id: number, content: CodeWriter): void {
  out.byte(id);
  out.u32(content.length);
  out.append(content);
  content.reset();
}

/** Encodes a module. */
export function writeModule(spec: ModuleSpec): Uint8Array<ArrayBuffer> {
  const out = new CodeWriter(4096);
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  const part = new CodeWriter(256);
  part.u32(spec.types.length);
  for (const type of spec.types) {
    part.byte(0x60);
    part.u32(type.parameters.length);
    for (const t of type.parameters) part.byte(t);
    part.u32(type.results.length);
    for (const t of type.results) part.byte(t);
  }
  section(out, 1, part);
  imports(part, spec);
  section(out, 2, part);
  part.u32(spec.functions.length);
  for (const f of spec.functions) part.u32(f.type);
  section(out, 3, part);
  if (spec.exports) {
    part.u32(spec.functions.length);
    for (let i = 0; i < spec.functions.length; i++) {
      part.name(String(i));
      part.byte(0);
      part.u32(spec.functionImports.length + i);
    }
    section(out, 7, part);
  }
  if (spec.elements.length > 0) {
    part.u32(spec.elements.length);
    for (const segment of spec.elements) element(part, segment);
    section(out, 9, part);
  }
  const code = new CodeWriter(4096);
  code.u32(spec.functions.length);
  for (const f of spec.functions) {
    code.u32(f.body.length);
    code.appendBytes(f.body);
  }
  section(out, 10, code);
  return out.take();
}

function imports(part: CodeWriter, spec: ModuleSpec): void {
  part.u32(spec.functionImports.length + 1 + spec.tables.length);
  for (const f of spec.functionImports) {
    part.name('e');
    part.name(f.name);
    part.byte(0);
    part.u32(f.type);
  }
  part.name('e');
  part.name('memory');
  part.byte(2);
  part.byte(1);
  part.u32(65536);
  part.u32(65536);
  for (const name of spec.tables) {
    part.name('e');
    part.name(name);
    part.byte(1);
    part.byte(FUNCREF);
    part.byte(0);
    part.u32(1);
  }
}

/** An active segment with an explicit table. */
function element(part: CodeWriter, { table, offset, functions }: ElementSegment): void {
  part.u32(2);
  part.u32(table);
  part.byte(OP['i32.const']);
  part.s32(offset);
  part.byte(OP.end);
  part.byte(0);
  part.u32(functions.length);
  for (const index of functions) part.u32(index);
}
