import { CodeWriter, EMPTY_BLOCK, I32, I64, OP, writeModule } from '../wasm/index.ts';
import { IMPORTS, SLOT_CALLEE, SLOT_FUEL, slotOffset } from './engine-layout.ts';
import { RSP, SLOT_RIP } from './register-file.ts';

/** Function types of every module: translated functions first, then those of the imports. */
export const TYPES = [
  { parameters: [I32, I32], results: [I64, I32] },
  { parameters: [I32], results: [I32] },
  { parameters: [I64], results: [I32] },
  { parameters: [], results: [I32] },
  { parameters: [I64, I32], results: [I64] },
  { parameters: [I64, I64, I32], results: [] },
  { parameters: [I64, I64, I64], results: [I64] },
  { parameters: [I32, I32, I32], results: [] },
  { parameters: [I64, I32], results: [I32] },
] as const;

const IMPORT_TYPES: Readonly<Record<(typeof IMPORTS)[number], number>> = {
  invoke: 1,
  resolve: 2,
  settle: 3,
  hostLoad: 4,
  hostStore: 5,
  divide: 6,
  divideSigned: 6,
  translate: 3,
  x87: 1,
  sse: 1,
  mayLoad: 8,
  mayStore: 8,
};

export const FUNCTION_IMPORTS = IMPORTS.map((name) => ({ name, type: IMPORT_TYPES[name] }));

/**
 * The engine's own functions: `run` (slot, depth, fuel) calls a slot and stores what comes back; the stub that slots
 * without code hold; the functions that slots of natives hold, and one that only leaves.
 */
export function kernelModule(): Uint8Array<ArrayBuffer> {
  const body = (write: (out: CodeWriter) => void): Uint8Array => {
    const out = new CodeWriter(64);
    write(out);
    out.byte(OP.end);
    return out.take();
  };
  const get = (out: CodeWriter, local: number): void => {
    out.byte(OP['local.get']);
    out.u32(local);
  };
  const memory = (out: CodeWriter, op: number, align: number, slot: number): void => {
    out.byte(op);
    out.u32(align);
    out.u32(slotOffset(slot));
  };
  const zero = (out: CodeWriter): void => {
    out.byte(OP['i32.const']);
    out.s32(0);
  };
  const indirect = (out: CodeWriter): void => {
    out.byte(OP.call_indirect);
    out.u32(0);
    out.u32(0);
  };
  const run = body((out) => {
    // One local of 64 bits: 3.
    out.u32(1);
    out.u32(1);
    out.byte(I64);
    get(out, 1);
    get(out, 2);
    get(out, 0);
    indirect(out);
    out.byte(OP['local.set']);
    out.u32(2);
    out.byte(OP['local.set']);
    out.u32(3);
    zero(out);
    get(out, 2);
    memory(out, OP['i32.store'], 2, SLOT_FUEL);
    zero(out);
    get(out, 3);
    memory(out, OP['i64.store'], 3, SLOT_RIP);
  });
  const stub = body((out) => {
    out.u32(0);
    get(out, 0);
    get(out, 1);
    out.byte(OP.call);
    out.u32(IMPORTS.indexOf('translate'));
    indirect(out);
  });
  const native = body((out) => {
    // Local 2: the stack pointer.
    out.u32(1);
    out.u32(1);
    out.byte(I64);
    zero(out);
    get(out, 1);
    memory(out, OP['i32.store'], 2, SLOT_FUEL);
    zero(out);
    memory(out, OP['i32.load'], 2, SLOT_CALLEE);
    out.byte(OP['i32.const']);
    out.s32(-1);
    out.byte(OP['i32.xor']);
    out.byte(OP.call);
    out.u32(IMPORTS.indexOf('invoke'));
    out.byte(OP['i32.eqz']);
    out.byte(OP.if);
    out.byte(EMPTY_BLOCK);
    out.byte(OP['i64.const']);
    out.s32(0);
    get(out, 1);
    out.byte(OP.return);
    out.byte(OP.end);
    zero(out);
    zero(out);
    memory(out, OP['i64.load'], 3, RSP);
    out.byte(OP['local.tee']);
    out.u32(2);
    out.byte(OP['i64.const']);
    out.s32(8);
    out.byte(OP['i64.add']);
    memory(out, OP['i64.store'], 3, RSP);
    get(out, 2);
    out.byte(OP['i32.wrap_i64']);
    out.byte(OP['i64.load']);
    out.u32(0);
    out.u32(0);
    get(out, 1);
  });
  const leave = body((out) => {
    out.u32(0);
    zero(out);
    get(out, 1);
    memory(out, OP['i32.store'], 2, SLOT_FUEL);
    out.byte(OP['i64.const']);
    out.s32(0);
    get(out, 1);
  });
  return writeModule({
    types: TYPES,
    functionImports: FUNCTION_IMPORTS,
    table: true,
    functions: [
      { type: 7, body: run },
      { type: 0, body: stub },
      { type: 0, body: native },
      { type: 0, body: leave },
    ],
  });
}
