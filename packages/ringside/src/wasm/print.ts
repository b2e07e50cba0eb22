import { InvariantError } from '../bytes/index.ts';
import { EMPTY_BLOCK, I32, OP_NAMES } from './opcodes.ts';
import { immediateOf } from './vector-opcodes.ts';

/** The instructions of a function body as text, one a line, indented by nesting. `code` is without the locals; `notes` are comments by offset. */
export function printCode(
  code: Uint8Array,
  localName: (index: number) => string = (i) => String(i),
  notes: ReadonlyMap<number, string> = new Map(),
): string {
  let p = 0;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = code[p++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  const s64 = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = code[p++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return BigInt.asIntN(Number(shift) + 7, value);
    }
  };
  const lines: string[] = [];
  let depth = 0;
  while (p < code.length) {
    const note = notes.get(p);
    if (note !== undefined) lines.push(`${'  '.repeat(Math.max(depth, 0))};; ${note}`);
    let op = code[p++]!;
    if (op === 0xfc || op === 0xfd) op = (op === 0xfd ? 0x100 : 0x200) + u32();
    const name = OP_NAMES[op];
    if (name === undefined) throw new InvariantError(`no name for WebAssembly opcode 0x${op.toString(16)}`);
    let text: string = name;
    if (name === 'block' || name === 'loop' || name === 'if') {
      const type = code[p++]!;
      if (type !== EMPTY_BLOCK) text += type === I32 ? ' i32' : ' i64';
    } else if (name === 'br' || name === 'br_if' || name === 'call') text += ` ${u32()}`;
    else if (name === 'call_indirect') text += ` ${u32()} ${u32()}`;
    else if (name === 'br_table') {
      const count = u32();
      for (let i = 0; i <= count; i++) text += ` ${u32()}`;
    } else if (name.startsWith('local.')) text += ` ${localName(u32())}`;
    else if (name.includes('.load') || name.includes('.store')) {
      u32();
      const offset = u32();
      if (offset !== 0) text += ` +0x${offset.toString(16)}`;
    } else if (op >= 0x100 && immediateOf(op) === 'lane') text += ` ${code[p++]}`;
    else if (op >= 0x100 && immediateOf(op) === 'bytes') {
      text += ` ${Array.from(code.subarray(p, p + 16)).join(' ')}`;
      p += 16;
    } else if (name === 'i32.const' || name === 'i64.const') text += ` ${s64()}`;
    if (name === 'end' || name === 'else') depth--;
    lines.push(`${'  '.repeat(Math.max(depth, 0))}${text}`);
    if (name === 'block' || name === 'loop' || name === 'if' || name === 'else') depth++;
  }
  return lines.join('\n');
}
