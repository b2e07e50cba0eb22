import { CodeWriter } from './code-writer.ts';
import { FUNCREF, type ValueType } from './opcodes.ts';

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface ModuleSpec {
  readonly types: readonly FunctionType[];
  /** Imported functions of module `e`, by name and type index; they come first in the index space. */
  readonly functionImports: readonly { readonly name: string; readonly type: number }[];
  /** The module imports `e.memory` (4 GiB) and, when true, the table `e.table`. */
  readonly table: boolean;
  /** The module's own functions: type index and encoded body (locals and code, without size). */
  readonly functions: readonly { readonly type: number; readonly body: Uint8Array }[];
}

function section(out: CodeWriter, id: number, content: CodeWriter): void {
  out.byte(id);
  out.u32(content.length);
  out.append(content);
}

/** Encodes a module. Function `i` is exported as `String(i)`. */
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
  part.reset();
  part.u32(spec.functionImports.length + 1 + (spec.table ? 1 : 0));
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
  if (spec.table) {
    part.name('e');
    part.name('table');
    part.byte(1);
    part.byte(FUNCREF);
    part.byte(0);
    part.u32(1);
  }
  section(out, 2, part);
  part.reset();
  part.u32(spec.functions.length);
  for (const f of spec.functions) part.u32(f.type);
  section(out, 3, part);
  part.reset();
  part.u32(spec.functions.length);
  for (let i = 0; i < spec.functions.length; i++) {
    part.name(String(i));
    part.byte(0);
    part.u32(spec.functionImports.length + i);
  }
  section(out, 7, part);
  const code = new CodeWriter(4096);
  code.u32(spec.functions.length);
  for (const f of spec.functions) {
    code.u32(f.body.length);
    code.appendBytes(f.body);
  }
  section(out, 10, code);
  return out.take();
}
