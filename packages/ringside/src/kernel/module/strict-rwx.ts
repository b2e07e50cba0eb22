import { asAddr, type GuestAddr, NULL } from '../../bytes/index.ts';
import { type GuestMemory, PROT_RO, PROT_RX, type Protection } from '../../memory/index.ts';
import type { Module } from './module.ts';

/**
 * Page permissions of a module's memory: text may be executed, read-only data and text not be written, and what
 * is read-only after init becomes so then. Source: kernel/module/strict_rwx.c.
 */
export function enableRo(memory: GuestMemory, module: Module, afterInit: boolean): void {
  const core = module.layout('core');
  const protect = (start: number, size: number, protection: Protection): void => {
    if (size > 0) memory.protect(asAddr(start), size, protection);
  };
  if (afterInit) {
    protect(core.base + core.roSize, core.roAfterInitSize - core.roSize, PROT_RO);
    return;
  }
  for (const area of [core, module.layout('init')]) {
    if (area.base === NULL) continue;
    protect(area.base, area.textSize, PROT_RX);
    protect(area.base + area.textSize, area.roSize - area.textSize, PROT_RO);
  }
}

/** Which part of a module's memory an address is in. */
export type ModulePart = 'text' | 'rodata' | 'ro_after_init' | 'data';

export function partAt(module: Module, addr: GuestAddr): { init: boolean; part: ModulePart } | undefined {
  for (const which of ['core', 'init'] as const) {
    if (!module.within(which, addr)) continue;
    const layout = module.layout(which);
    const offset = addr - layout.base;
    const part =
      offset < layout.textSize
        ? 'text'
        : offset < layout.roSize
          ? 'rodata'
          : offset < layout.roAfterInitSize
            ? 'ro_after_init'
            : 'data';
    return { init: which === 'init', part };
  }
  return undefined;
}
