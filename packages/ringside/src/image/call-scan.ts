import { asAddr, type GuestAddr } from '../bytes/index.ts';
import type { ImageCall, ImageCalls, SymbolTable } from './kernel-spec.ts';
import type { Vmlinux } from './vmlinux.ts';

const CALL_REL32 = 0xe8;
const JMP_REL32 = 0xe9;
const INDIRECT_THUNK = /^__x86_indirect_(?:call_)?thunk_/;

/**
 * The call instructions of some functions, found without decoding: `call rel32` whose target is exactly where a
 * symbol starts (other bytes that happen to look like it do not hit one), and calls through a register.
 * Functions that the kernel does not have are left out.
 */
export function scanCalls(
  image: Vmlinux,
  symbols: SymbolTable,
  functionNames: readonly string[],
): ImageCalls[] {
  const patched = readIndirectCallPatches(image);
  const found: ImageCalls[] = [];
  for (const name of new Set(functionNames)) {
    const symbol = symbols.lookup(name);
    if (symbol === undefined || symbol.size === 0 || !/[tw]/i.test(symbol.type)) continue;
    const { address, size } = symbol;
    const code = image.at(address, size);
    const tailCalls = [...scanTailCalls(code, address, symbols, name)];
    found.push({ name, address, size, calls: scan(code, address, symbols, patched), tailCalls });
  }
  return found;
}

function scan(
  code: Uint8Array,
  address: GuestAddr,
  symbols: SymbolTable,
  patched: ReadonlyMap<number, number>,
): ImageCall[] {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const calls: ImageCall[] = [];
  for (let at = 0; at < code.length; at++) {
    const length = patched.get(address + at);
    if (length !== undefined) {
      calls.push({ returnOffset: at + length, target: '*' });
      at += length - 1;
      continue;
    }
    if (code[at] !== CALL_REL32 || at + 5 > code.length) continue;
    const target = symbols.at(asAddr(address + at + 5 + view.getInt32(at + 1, true)));
    if (target?.offset !== 0 || !/[tw]/i.test(target.type)) continue;
    calls.push({ returnOffset: at + 5, target: INDIRECT_THUNK.test(target.name) ? '*' : target.name });
    at += 4;
  }
  return calls;
}

function scanTailCalls(
  code: Uint8Array,
  address: GuestAddr,
  symbols: SymbolTable,
  name: string,
): Set<string> {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const found = new Set<string>();
  for (let at = 0; at + 5 <= code.length; at++) {
    if (code[at] !== JMP_REL32) continue;
    const target = symbols.at(asAddr(address + at + 5 + view.getInt32(at + 1, true)));
    if (target?.offset !== 0 || target.name === name || !/[tw]/i.test(target.type)) continue;
    if (!target.name.startsWith('__x86_')) found.add(target.name);
  }
  return found;
}

/**
 * Indirect calls written in assembly (`CALL_NOSPEC`) are alternatives: a plain `call *%reg` in the image, replaced
 * at boot by a call of the thunk where the CPU needs retpolines (QEMU's default does). By address, with the length
 * of the replacing call.
 *
 * Source: arch/x86/include/asm/nospec-branch.h, arch/x86/include/asm/alternative.h (`struct alt_instr`).
 */
function readIndirectCallPatches(image: Vmlinux): Map<number, number> {
  const patches = new Map<number, number>();
  const section = image.section('.altinstructions');
  if (section === undefined) return patches;
  const table = image.reader('.altinstructions');
  const bytesPerEntry = entrySize(table.size, (offset) => table.u8(offset + 10));
  for (let at = 0; at + bytesPerEntry <= table.size; at += bytesPerEntry) {
    const site = asAddr(section.addr + at + table.i32(at));
    const replacement = asAddr(section.addr + at + 4 + table.i32(at + 4));
    const length = table.u8(at + bytesPerEntry - 1);
    if (length !== 5) continue;
    const original = image.at(site, 3);
    const register = original[0] === 0x41 ? original.subarray(1) : original;
    const indirect = register[0] === 0xff && (register[1]! & 0xf8) === 0xd0;
    if (indirect && image.at(replacement, 1)[0] === CALL_REL32) patches.set(site, length);
  }
  return patches;
}

/**
 * `struct alt_instr` has 12 or 14 bytes, by release: two offsets, the feature (16 bits, later with 16 bits of flags),
 * the original's length and the replacement's. The right size is the one by which the table divides and all
 * original lengths make sense.
 */
function entrySize(tableBytes: number, byteAt: (offset: number) => number): number {
  if (tableBytes % 14 !== 0) return 12;
  if (tableBytes % 12 !== 0) return 14;
  for (let at = 0; at + 14 <= tableBytes; at += 12) if (byteAt(at) === 0) return 14;
  return 12;
}
