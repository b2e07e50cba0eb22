import { asAddr, FormatError, type GuestAddr } from '../../bytes/index.ts';
import type { LoadInfo, LoadSection } from './load-info.ts';
import type { Module } from './module.ts';
import {
  branch,
  branchTarget,
  CALL_OPCODE,
  INT3_OPCODE,
  JMP8_OPCODE,
  JMP32_OPCODE,
  nops,
  pokeText,
  RET_OPCODE,
} from './text-patch.ts';

/** Features that decide what module text becomes. Source: arch/x86/include/asm/cpufeatures.h. */
const X86_FEATURE_RETPOLINE = 11 * 32 + 12;
const X86_FEATURE_RETPOLINE_LFENCE = 11 * 32 + 13;
const X86_FEATURE_RETHUNK = 11 * 32 + 14;
/** ALTINSTR_FLAG_INV: replace when the feature is absent. */
const INVERTED = 0x8000;
/** (NCAPINTS + NBUGINTS) * 32 */
const FEATURE_LIMIT = (22 + 2) * 32;
const MAX_PATCH_LEN = 254;

/** A table of a module that names places in its text, read entry by entry. */
function placesIn(info: LoadInfo, name: string): { section: LoadSection; addr: GuestAddr } | undefined {
  // module_finalize takes the last section of a name, loaded or not
  let found: LoadSection | undefined;
  for (const section of info.sections) if (info.sectionName(section) === name) found = section;
  return found?.addr === undefined ? undefined : { section: found, addr: found.addr };
}

/** Bounds-checked view of patchable text: a place outside the module's memory is a `FormatError`. */
function checkText(module: Module, addr: GuestAddr, size: number, table: string): void {
  for (const which of ['core', 'init'] as const) {
    const layout = module.layout(which);
    if (addr >= layout.base && addr + size <= layout.base + layout.size) return;
  }
  throw new FormatError(
    `${table} names a place outside the module's memory; the real kernel would write there`,
  );
}

/**
 * `module_finalize` of x86: fits the module's text to the machine, in the kernel's order. Source:
 * arch/x86/kernel/module.c, alternative.c.
 */
export function moduleFinalize(info: LoadInfo, module: Module): void {
  applyParavirt(info, module);
  applyRetpolines(info, module);
  applyReturns(info, module);
  applyAlternatives(info, module);
  applySmpLocks(info, module);
  initUnwind(info, module);
}

/**
 * Calls through `pv_ops` become direct calls, or nothing where the machine has nothing to do. While `pv_ops` is
 * not set up in guest memory the indirect calls stay.
 */
function applyParavirt(info: LoadInfo, module: Module): void {
  const table = placesIn(info, '.parainstructions');
  if (table === undefined) return;
  const { memory, spec } = info.host;
  const ops = spec.exports.byName('pv_ops')?.address;
  const nop = spec.symbols.lookup('_paravirt_nop')?.address;
  const bug = spec.symbols.lookup('paravirt_BUG')?.address;
  if (ops === undefined || !memory.isPresent(ops)) return;
  const size = info.structs.entrySize.paravirt_patch_site;
  for (let i = 0; i + size <= table.section.size; i += size) {
    const entry = (table.addr >>> 0) + i;
    const instr = memory.readPtr(asAddr(table.addr + i));
    const type = memory.raw[entry + 8]!;
    const length = memory.raw[entry + 9]!;
    checkText(module, instr, length, '.parainstructions');
    const target = memory.readPtr(asAddr(ops + 8 * type));
    const bytes = nops(length);
    if (target !== nop && length >= 5) {
      const callee = target === 0 ? bug : target;
      if (callee === undefined) continue;
      bytes.set(branch(CALL_OPCODE, instr, callee));
      bytes.set(nops(length - 5), 5);
      bindByAddress(info, callee);
    }
    pokeText(memory, instr, bytes);
  }
}

/** Tells the kernel that text now calls the function at this address. */
function bindByAddress(info: LoadInfo, addr: GuestAddr): void {
  const symbol = info.host.spec.symbols.at(addr);
  if (symbol !== undefined && symbol.offset === 0) info.host.bindExport(symbol.name, addr);
}

/** Calls of `__x86_indirect_thunk_REG` become `call *REG` where the machine needs no retpolines. */
function applyRetpolines(info: LoadInfo, module: Module): void {
  const { host } = info;
  const has = (feature: number): boolean => host.machine.hasFeature(feature);
  const lfence = has(X86_FEATURE_RETPOLINE_LFENCE);
  if (has(X86_FEATURE_RETPOLINE) && !lfence) return;
  const table = placesIn(info, '.retpoline_sites');
  const thunks = host.spec.symbols.lookup('__x86_indirect_thunk_array')?.address;
  if (table === undefined || thunks === undefined) return;
  for (const addr of relativePlaces(info, table, table.section.size)) {
    checkText(module, addr, 6, '.retpoline_sites');
    const at = addr >>> 0;
    const prefix = host.memory.raw[at] === 0x2e ? 1 : 0;
    const opcode = host.memory.raw[at + prefix]!;
    if (opcode !== CALL_OPCODE && opcode !== JMP32_OPCODE) continue;
    const length = 5 + prefix;
    // each thunk has 32 bytes of its own: RETPOLINE_THUNK_SIZE
    const reg = (branchTarget(host.memory, asAddr(addr + prefix + 1)) - thunks) / 32;
    if (!(Number.isInteger(reg) && reg >= 0 && reg < 16)) continue;
    const jump = opcode === JMP32_OPCODE;
    const bytes = [
      ...(lfence ? [0x0f, 0xae, 0xe8] : []),
      ...(reg >= 8 ? [0x41] : []),
      0xff,
      (jump ? 0xe0 : 0xd0) + (reg & 7),
    ];
    if (bytes.length > length) continue;
    if (jump && bytes.length < length) bytes.push(INT3_OPCODE);
    pokeText(host.memory, addr, Uint8Array.from([...bytes, ...nops(length - bytes.length)]));
  }
}

/** `jmp __x86_return_thunk` becomes `ret` where the machine needs no return thunks. */
function applyReturns(info: LoadInfo, module: Module): void {
  const table = placesIn(info, '.return_sites');
  if (table === undefined || info.host.machine.hasFeature(X86_FEATURE_RETHUNK)) return;
  const { memory, spec } = info.host;
  const thunk = spec.exports.byName('__x86_return_thunk')?.address;
  for (const addr of relativePlaces(info, table, table.section.size)) {
    checkText(module, addr, 5, '.return_sites');
    if (memory.raw[addr >>> 0] !== JMP32_OPCODE) continue;
    // a static call's trampoline ends in a return of its own, which static calls take care of
    if (branchTarget(memory, asAddr(addr + 1)) !== thunk) continue;
    pokeText(memory, addr, Uint8Array.of(RET_OPCODE, INT3_OPCODE, INT3_OPCODE, INT3_OPCODE, INT3_OPCODE));
  }
}

/** Entries of a table of 32-bit offsets, each from the entry's own place. */
function* relativePlaces(info: LoadInfo, table: { addr: GuestAddr }, size: number): Generator<GuestAddr> {
  const { view } = info.host.memory;
  for (let i = 0; i + 4 <= size; i += 4) {
    yield asAddr(table.addr + i + view.getInt32((table.addr >>> 0) + i, true));
  }
}

/** Puts in the instructions that are better on this machine, and makes single-byte nops into long ones. */
function applyAlternatives(info: LoadInfo, module: Module): void {
  const table = placesIn(info, '.altinstructions');
  if (table === undefined) return;
  const { host } = info;
  const { view, raw } = host.memory;
  const size = info.structs.entrySize.alt_instr;
  for (let i = 0; i + size <= table.section.size; i += size) {
    const entry = (table.addr >>> 0) + i;
    const instr = asAddr(table.addr + i + view.getInt32(entry, true));
    const replacement = asAddr(table.addr + i + 4 + view.getInt32(entry + 4, true));
    const cpuid = view.getUint16(entry + 8, true);
    const length = raw[entry + 10]!;
    const replacementLength = raw[entry + 11]!;
    const feature = cpuid & ~INVERTED;
    checkText(module, instr, length, '.altinstructions');
    if (replacementLength > 0) checkText(module, replacement, replacementLength, '.altinstructions');
    if (length > MAX_PATCH_LEN || replacementLength > length || feature >= FEATURE_LIMIT) {
      throw new FormatError('.altinstructions has an impossible entry; the real kernel would BUG', {
        section: '.altinstructions',
        offset: i,
      });
    }
    const text = raw.slice(instr >>> 0, (instr >>> 0) + length);
    if (host.machine.hasFeature(feature) !== ((cpuid & INVERTED) !== 0)) {
      text.fill(0x90);
      text.set(raw.subarray(replacement >>> 0, (replacement >>> 0) + replacementLength));
      fixBranch(text, replacementLength, instr, replacement);
    }
    optimizeNops(info, text);
    pokeText(host.memory, instr, text);
  }
}

/** A call or jump that is the whole replacement was written for another place. */
function fixBranch(text: Uint8Array, length: number, instr: GuestAddr, replacement: GuestAddr): void {
  if (length !== 5) return;
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
  if (text[0] === CALL_OPCODE) {
    view.setInt32(1, (view.getInt32(1, true) + (replacement - instr)) | 0, true);
  } else if (text[0] === JMP32_OPCODE) {
    const distance = replacement + 5 + view.getInt32(1, true) - instr;
    const short = distance >= 0 ? distance - 2 <= 127 : ((distance - 2) & 0xff) === distance - 2;
    if (short) {
      text.set([JMP8_OPCODE, (distance - 2) & 0xff]);
      text.set(nops(3), 2);
    } else view.setInt32(1, (distance - 5) | 0, true);
  }
}

/** Runs of two or more one-byte nops become long ones; what cannot be decoded ends the search. */
function optimizeNops(info: LoadInfo, text: Uint8Array): void {
  for (let at = 0; at < text.length; ) {
    if (text[at] === 0x90) {
      let end = at;
      while (end < text.length && text[end] === 0x90) end++;
      if (end - at > 1) text.set(nops(end - at), at);
      at = end;
      continue;
    }
    const length = info.host.machine.instructionLength(text.subarray(at));
    if (length === undefined || length === 0) return;
    at += length;
  }
}

/** On a machine that can only ever have one CPU, lock prefixes in `.text` become DS prefixes. */
function applySmpLocks(info: LoadInfo, module: Module): void {
  const table = placesIn(info, '.smp_locks');
  const text = placesIn(info, '.text');
  if (table === undefined || text === undefined || info.host.machine.possibleCpus !== 1) return;
  const { memory } = info.host;
  for (const addr of relativePlaces(info, table, table.section.size)) {
    if (addr < text.addr || addr >= text.addr + text.section.size) continue;
    checkText(module, addr, 1, '.smp_locks');
    if (memory.raw[addr >>> 0] === 0xf0) pokeText(memory, addr, Uint8Array.of(0x3e));
  }
}

/** Sorts the unwinder's tables by address and notes them in the module's struct. Source: arch/x86/kernel/unwind_orc.c. */
function initUnwind(info: LoadInfo, module: Module): void {
  const ips = placesIn(info, '.orc_unwind_ip');
  const orcs = placesIn(info, '.orc_unwind');
  if (ips === undefined || orcs === undefined) return;
  const { memory } = info.host;
  const { view, raw } = memory;
  const size = info.structs.entrySize.orc_entry;
  const count = Math.min(Math.floor(ips.section.size / 4), Math.floor(orcs.section.size / size));
  const { arch } = module.structs;
  const entries = Array.from({ length: count }, (_, i) => {
    const ip = ips.addr + 4 * i + view.getInt32((ips.addr >>> 0) + 4 * i, true);
    const at = (orcs.addr >>> 0) + size * i;
    return { ip, orc: raw.slice(at, at + size) };
  });
  // of two entries for one address, a section's terminator (no stack register, not an end) comes first: orc_sort_cmp
  const rank = (orc: Uint8Array): number => ((orc[4]! & 0xf) === 0 && (orc[5]! & 4) === 0 ? 0 : 1);
  let sorted = true;
  for (let i = 1; i < count && sorted; i++) sorted = entries[i - 1]!.ip <= entries[i]!.ip;
  if (!sorted) {
    entries.sort((a, b) => a.ip - b.ip || rank(a.orc) - rank(b.orc));
    entries.forEach(({ ip, orc }, i) => {
      view.setInt32((ips.addr >>> 0) + 4 * i, (ip - (ips.addr + 4 * i)) | 0, true);
      raw.set(orc, (orcs.addr >>> 0) + size * i);
    });
  }
  memory.writeU32(asAddr(module.addr + arch.num_orcs), count);
  memory.writePtr(asAddr(module.addr + arch.orc_unwind_ip), ips.addr);
  memory.writePtr(asAddr(module.addr + arch.orc_unwind), orcs.addr);
}

/**
 * Calls of `__fentry__` become nops until someone traces the function. Places that hold no such call are left.
 * Source: kernel/trace/ftrace.c, ftrace_process_locs; arch/x86/kernel/ftrace.c.
 */
export function ftraceModuleInit(info: LoadInfo, module: Module): void {
  const { memory, spec } = info.host;
  const fentry = spec.exports.byName('__fentry__')?.address;
  const start = module.ptr('ftrace_callsites');
  const sites = Array.from({ length: module.u32('num_ftrace_callsites') }, (_, i) =>
    memory.readPtr(asAddr(start + 8 * i)),
  );
  // the kernel keeps the table sorted, in place
  sites.sort((a, b) => a - b);
  sites.forEach((addr, i) => {
    memory.writePtr(asAddr(start + 8 * i), addr);
  });
  for (const addr of sites) {
    if (addr === 0) continue;
    checkText(module, addr, 5, '__mcount_loc');
    if (memory.raw[addr >>> 0] !== CALL_OPCODE || branchTarget(memory, asAddr(addr + 1)) !== fentry) continue;
    pokeText(memory, addr, nops(5));
  }
}
