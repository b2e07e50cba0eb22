import { CodeWriter, EMPTY_BLOCK, I64, OP, writeModule } from '../wasm/index.ts';
import { exactCheck } from './emit-check.ts';
import {
  FUNCTION_TYPE,
  HELPER,
  HELPER_TYPES,
  HELPERS,
  type HelperName,
  SLOT_CALLEE,
  SLOT_FUEL,
  slotOffset,
  TYPES,
} from './engine-layout.ts';
import { RSP, SLOT_RIP } from './register-file.ts';

/** The helpers that are functions of the host. */
export const HOST_HELPERS = HELPERS.filter(
  (name): name is Exclude<HelperName, 'mayLoad' | 'mayStore' | 'dispatch'> =>
    name !== 'mayLoad' && name !== 'mayStore' && name !== 'dispatch',
);

/** What the kernel module exports: these, then the helpers in order. */
export const KERNEL_EXPORT = { run: 0, stub: 1, native: 2, leave: 3, firstHelper: 4 } as const;

/** Host stack of the dispatcher, in the units of `depth`. */
const DISPATCH_DEPTH = 2;

/**
 * The engine's own functions: `run` (slot, depth, fuel) calls a slot and stores what comes back; the stub that slots
 * without code hold; the functions that slots of natives hold, and one that only leaves; then the helpers. This is the only module that
 * imports functions, and the table of all slots.
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
    out.u32(FUNCTION_TYPE);
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
    out.u32(HOST_HELPERS.indexOf('translate'));
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
    out.u32(HOST_HELPERS.indexOf('invoke'));
    out.byte(OP['i32.eqz']);
    out.byte(OP.if);
    out.byte(EMPTY_BLOCK);
    out.byte(OP['i64.const']);
    out.s32(0);
    zero(out);
    memory(out, OP['i32.load'], 2, SLOT_FUEL);
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
    // The function has taken fuel.
    zero(out);
    memory(out, OP['i32.load'], 2, SLOT_FUEL);
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
  const dispatch = body((out) => {
    out.u32(0);
    zero(out);
    get(out, 2);
    memory(out, OP['i32.store'], 2, SLOT_CALLEE);
    get(out, 0);
    out.byte(OP['i32.const']);
    out.s32(DISPATCH_DEPTH);
    out.byte(OP['i32.sub']);
    get(out, 1);
    get(out, 2);
    indirect(out);
  });
  const helper = (name: HelperName): Uint8Array => {
    if (name === 'dispatch') return dispatch;
    if (name === 'mayLoad' || name === 'mayStore') return exactCheck(name === 'mayStore');
    return body((out) => {
      out.u32(0);
      const { parameters } = TYPES[HELPER_TYPES[HELPER[name]]!]!;
      for (let i = 0; i < parameters.length; i++) get(out, i);
      out.byte(OP.call);
      out.u32(HOST_HELPERS.indexOf(name));
    });
  };
  return writeModule({
    types: TYPES,
    functionImports: HOST_HELPERS.map((name) => ({ name, type: HELPER_TYPES[HELPER[name]]! })),
    tables: ['all'],
    exports: true,
    elements: [],
    functions: [
      { type: 7, body: run },
      { type: FUNCTION_TYPE, body: stub },
      { type: FUNCTION_TYPE, body: native },
      { type: FUNCTION_TYPE, body: leave },
      ...HELPERS.map((name) => ({ type: HELPER_TYPES[HELPER[name]]!, body: helper(name) })),
    ],
  });
}
