import { addrFromU64, asAddr, FormatError, type GuestAddr, NULL } from '../../bytes/index.ts';
import type { GuestMemory } from '../../memory/index.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';
import { branch, JMP8_OPCODE, JMP32_OPCODE, nops, pokeText, standsAt } from './text-patch.ts';

/** Flag bits of `jump_entry.key`: the likely branch; the code is in init memory. Source: include/linux/jump_label.h. */
const BRANCH = 1n;
const INIT = 2n;
const FLAGS = 3n;
/** `static_key.type`: the key is initially true. */
const JUMP_TYPE_TRUE = 1n;
const JUMP_TYPE_MASK = 3n;

interface JumpEntry {
  readonly code: GuestAddr;
  readonly target: GuestAddr;
  readonly key: GuestAddr;
  readonly flags: bigint;
}

function readEntries(modules: Modules, module: Module): JumpEntry[] {
  const { memory } = modules.host;
  const start = module.ptr('jump_entries');
  const size = modules.structs.entrySize.jump_entry;
  return Array.from({ length: module.u32('num_jump_entries') }, (_, i) => {
    const at = asAddr(start + i * size);
    const key = memory.readI64(asAddr(at + 8));
    return {
      code: asAddr(at + memory.readI32(at)),
      target: asAddr(at + 4 + memory.readI32(asAddr(at + 4))),
      key: addrFromU64(BigInt(at + 8) + (key & ~FLAGS)),
      flags: key & FLAGS,
    };
  });
}

/** The table lies in memory that becomes read-only after init; the kernel writes it before. */
function writeEntries(modules: Modules, module: Module, entries: readonly JumpEntry[]): void {
  const { view } = modules.host.memory;
  const start = module.ptr('jump_entries');
  const size = modules.structs.entrySize.jump_entry;
  entries.forEach((entry, i) => {
    const at = start + i * size;
    view.setInt32(at >>> 0, (entry.code - at) | 0, true);
    view.setInt32((at + 4) >>> 0, (entry.target - (at + 4)) | 0, true);
    view.setBigInt64((at + 8) >>> 0, BigInt(entry.key - (at + 8)) | entry.flags, true);
  });
}

const keyEnabled = (memory: GuestMemory, key: GuestAddr): boolean => memory.readI32(key) !== 0;

/** Whether the key's value can be read: keys of the kernel itself are there once their variable is. */
const keyKnown = (memory: GuestMemory, key: GuestAddr): boolean =>
  memory.faultReason(key, 16, 'read') === undefined;

/**
 * Prepares a module's jump labels: the table is sorted by key, and code that depends on a key which is no longer
 * as it was at first is patched. Source: kernel/jump_label.c, jump_label_add_module.
 */
export function addJumpLabels(modules: Modules, module: Module): void {
  const { memory } = modules.host;
  const entries = readEntries(modules, module)
    .map((entry) => ({
      ...entry,
      flags: (entry.flags & BRANCH) | (module.within('init', entry.code) ? INIT : 0n),
    }))
    .sort((a, b) => (a.key !== b.key ? a.key - b.key : a.code - b.code));
  if (entries.length === 0) return;
  writeEntries(modules, module, entries);
  const start = module.ptr('jump_entries');
  let last: GuestAddr | undefined;
  entries.forEach((entry, i) => {
    const { key } = entry;
    const own = module.within('core', key) || module.within('init', key);
    if (own && key !== last) {
      const type = memory.readU64(asAddr(key + 8)) & JUMP_TYPE_MASK;
      memory.writeU64(
        asAddr(key + 8),
        BigInt.asUintN(64, BigInt(start + i * modules.structs.entrySize.jump_entry)) | type,
      );
    }
    last = key;
    if (own || !keyKnown(memory, key)) return;
    const initial = (memory.readU64(asAddr(key + 8)) & JUMP_TYPE_TRUE) !== 0n;
    if (keyEnabled(memory, key) !== initial) transform(modules, module, entry);
  });
}

/** Patches all modules' code that depends on a key which has just changed. Source: jump_label_update. */
export function updateStaticKey(modules: Modules, key: GuestAddr): void {
  for (const module of modules.list()) {
    if (module.ptr('jump_entries') === NULL || module.state === 'unformed') continue;
    for (const entry of readEntries(modules, module)) {
      const gone = (entry.flags & INIT) !== 0n && !module.within('init', entry.code);
      if (entry.key === key && !gone) transform(modules, module, entry);
    }
  }
}

/** Makes the code at an entry a jump or a nop, as key and branch want it. Source: arch/x86/kernel/jump_label.c. */
function transform(modules: Modules, module: Module, entry: JumpEntry): void {
  const { memory } = modules.host;
  if (!module.within('core', entry.code) && !module.within('init', entry.code)) {
    throw new FormatError("a jump label names a place outside the module's memory", {
      section: '__jump_table',
    });
  }
  const jump = keyEnabled(memory, entry.key) !== ((entry.flags & BRANCH) !== 0n);
  const first = memory.raw[entry.code >>> 0];
  const size = first === JMP8_OPCODE || (first === 0x66 && standsAt(memory, entry.code, nops(2))) ? 2 : 5;
  const bytes = jump
    ? branch(size === 2 ? JMP8_OPCODE : JMP32_OPCODE, entry.code, entry.target, size)
    : nops(size);
  if (!standsAt(memory, entry.code, bytes)) pokeText(memory, entry.code, bytes);
}
