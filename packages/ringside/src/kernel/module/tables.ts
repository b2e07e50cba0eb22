import { asAddr, type GuestAddr } from '../../bytes/index.ts';
import type { Module } from './module.ts';
import type { Modules } from './modules.ts';

/** A place where code of a module has a `BUG` or `WARN`. */
export interface ModuleBug {
  /** Address of the `struct bug_entry`, whose flags the kernel changes when a warning has been given once. */
  readonly entry: GuestAddr;
  readonly module: Module;
  readonly file: string;
  readonly line: number;
  /** `BUGFLAG_*` */
  readonly flags: number;
}

/** One entry of `__ex_table`: where execution goes on when the instruction at `insn` faults. */
export interface ExceptionFixup {
  readonly insn: GuestAddr;
  readonly fixup: GuestAddr;
  /** `EX_TYPE_*` in the low byte, register, flags and immediate above. */
  readonly data: number;
}

/** `sort_extable`: by the address of the instruction; entries hold offsets from their own place. */
export function sortExtable(modules: Modules, module: Module): void {
  const entries = readExtable(modules, module);
  const start = module.ptr('extable');
  const { view } = modules.host.memory;
  if (entries.every((e, i) => i === 0 || entries[i - 1]!.insn <= e.insn)) return;
  entries.sort((a, b) => a.insn - b.insn);
  entries.forEach((entry, i) => {
    const at = start + i * modules.structs.entrySize.exception_table_entry;
    view.setInt32(at >>> 0, (entry.insn - at) | 0, true);
    view.setInt32((at + 4) >>> 0, (entry.fixup - (at + 4)) | 0, true);
    view.setInt32((at + 8) >>> 0, entry.data, true);
  });
}

function readExtable(modules: Modules, module: Module): ExceptionFixup[] {
  const { memory } = modules.host;
  const start = module.ptr('extable');
  return Array.from({ length: module.u32('num_exentries') }, (_, i) => {
    const at = asAddr(start + i * modules.structs.entrySize.exception_table_entry);
    return {
      insn: asAddr(at + memory.readI32(at)),
      fixup: asAddr(at + 4 + memory.readI32(asAddr(at + 4))),
      data: memory.readI32(asAddr(at + 8)),
    };
  });
}

/** `search_module_extables` */
export function searchExtable(modules: Modules, module: Module, addr: GuestAddr): ExceptionFixup | undefined {
  return readExtable(modules, module).find((entry) => entry.insn === addr);
}

/** `trim_init_extable`: entries of init code at either end of the table are dropped. */
export function trimInitExtable(modules: Modules, module: Module): void {
  const entries = readExtable(modules, module);
  const inInit = (entry: ExceptionFixup | undefined): boolean =>
    entry !== undefined && module.within('init', entry.insn);
  let first = 0;
  let end = entries.length;
  while (first < end && inInit(entries[first])) first++;
  while (end > first && inInit(entries[end - 1])) end--;
  module.setPtr(
    'extable',
    asAddr(module.ptr('extable') + first * modules.structs.entrySize.exception_table_entry),
  );
  module.setU32('num_exentries', end - first);
}

/** `find_bug` among a module's own. Source: lib/bug.c, CONFIG_GENERIC_BUG_RELATIVE_POINTERS. */
export function findModuleBug(modules: Modules, module: Module, addr: GuestAddr): ModuleBug | undefined {
  const { memory } = modules.host;
  const start = module.ptr('bug_table');
  const size = modules.structs.entrySize.bug_entry;
  for (let i = 0; i < module.u32('num_bugs'); i++) {
    const entry = asAddr(start + i * size);
    if (entry + memory.readI32(entry) !== addr) continue;
    const file = asAddr(entry + 4 + memory.readI32(asAddr(entry + 4)));
    return {
      entry,
      module,
      file: memory.canRead(file, 1) ? memory.readString(file) : '',
      line: memory.readU16(asAddr(entry + 8)),
      flags: memory.readU16(asAddr(entry + 10)),
    };
  }
  return undefined;
}
